"""The running conversations of the shared daemon: one is found, or chosen from a list."""

from collections.abc import Sequence

from oi_daemon.errors import InvalidError
from oi_daemon.messages.shapes import RunningConversationDict
from oi_daemon.terminal.choice import Row, among, choose
from oi_daemon.terminal.line import can_draw
from oi_daemon.terminal.printing import print_text, visible

NONE = (
    "The shared daemon has no running conversation. `interpreter --conversations` lists the saved."
)


def choose_running(running: Sequence[RunningConversationDict]) -> str | None:
    """The id of the only conversation, or of the one that the person chooses; None for none.

    In a pipe, several are printed, one a line, and none is chosen.

    Raises:
        InvalidError: there is no conversation.
    """
    if not running:
        raise InvalidError(NONE)
    if len(running) == 1:
        return running[0]["conversation"]
    rows = [Row(_title(each), each["conversation"], _detail(each)) for each in running]
    if can_draw():
        row = choose("Running conversations", among(rows))
        return row.value if row else None
    for row in rows:
        print_text(f"{row.value}  {row.label}  ({row.detail})")
    return None


def _title(entry: RunningConversationDict) -> str:
    return visible(entry["title"]) or "(no words)"


def _detail(entry: RunningConversationDict) -> str:
    """What the conversation is doing, and how long it is."""
    count = entry["messages"]
    return f"{entry['state']}, {count} message{'s' if count != 1 else ''}"
