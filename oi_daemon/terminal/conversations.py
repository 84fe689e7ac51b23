"""Saved conversations: chosen from a list, and shown again."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from oi_daemon.errors import InvalidError
from oi_daemon.messages.shapes import (
    ChunkDict,
    MessageDict,
    ResultDict,
    SavedConversationDict,
    SavedPageDict,
)
from oi_daemon.terminal.choice import Row, choose
from oi_daemon.terminal.display import screen_for_stdout
from oi_daemon.terminal.printing import print_text, visible

OPEN_FOLDER = "> Open Folder"
_PAGE = 1000
"""Most entries in one request. A page is large because each costs a look at the whole folder."""

Pages: TypeAlias = Callable[[str, str | None, int], SavedPageDict]
"""Returns a page of `oi/history/list`, by a query, a cursor and the number of entries."""


def choose_conversation(pages: Pages, folder: Path) -> str | Path | None:
    """The id of the conversation that the person chooses, or the folder; None if neither."""
    last: list[Row[str | Path]] = [Row(OPEN_FOLDER, folder, str(folder))]
    row = choose("Conversations", ConversationRows(pages), last)
    return row.value if row else None


def find_conversation(pages: Pages, wanted: str | None) -> str:
    """The id of the latest saved conversation, or of the one whose id begins like this.

    Args:
        wanted: how the id begins, or the name of the file; None: the latest.

    Raises:
        InvalidError: there is none, or there are several.
    """
    if wanted is None:
        latest = pages("", None, 1)["conversations"]
        if not latest:
            raise InvalidError("There is no saved conversation yet.")
        return latest[0]["conversation"]
    wanted = Path(wanted).name.removesuffix(".json")
    rows = ConversationRows(pages)("", sys.maxsize)
    ids = [str(row.value) for row in rows if str(row.value).startswith(wanted)]
    if wanted in ids:
        return wanted
    if len(ids) != 1:
        how_many = (
            f"{len(ids)} conversations whose ids begin" if ids else "no conversation whose id"
        )
        how_many += "" if ids else " begins"
        raise InvalidError(
            f"There {'are' if ids else 'is'} {how_many} with {wanted}."
            " `interpreter --conversations | cat` lists all."
        )
    return ids[0]


def print_conversations(pages: Pages, folder: Path) -> None:
    """Print the folder and all conversations, one a line: for a pipe."""
    print_text(str(folder))
    for row in ConversationRows(pages)("", sys.maxsize):
        print_text(f"{row.value}  {row.label}  ({row.detail})")


class ConversationRows:
    """The saved conversations as rows. Pages are asked for when they are needed, and kept."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._query: str | None = None
        """The query of the rows; None before the first one."""
        self._cursor: str | None = None
        """Where the next page begins; "" before the first, None after the last."""
        self._rows: list[Row[str | Path]] = []

    def __call__(self, query: str, count: int) -> Sequence[Row[str | Path]]:
        """The rows for a query, at most this many."""
        if query != self._query:
            self._query, self._cursor, self._rows = query, "", []
        while len(self._rows) < count and self._cursor is not None:
            missing = min(_PAGE, count - len(self._rows))
            page = self._pages(query, self._cursor or None, missing)
            self._cursor = page.get("cursor")
            self._rows += map(_row, page["conversations"])
        return self._rows[:count]


def show_messages(messages: Sequence[MessageDict]) -> None:
    """Show a conversation as it stood on the screen."""
    screen = screen_for_stdout(live=False)
    for message in messages:
        if message["role"] == "user":
            screen.close()
            print_text(f"\n> {visible(message.get('message', ''))}\n")
        else:
            for chunk in _chunks(message):
                screen.show(chunk, _result(message) if "end_of_execution" in chunk else None)
    screen.close()


def _describe(entry: SavedConversationDict) -> str:
    """When the conversation was last changed, and how long it is."""
    count = entry["messages"]
    return f"{_age(entry['updated'])}, {count} message{'s' if count != 1 else ''}"


def _row(entry: SavedConversationDict) -> Row[str | Path]:
    return Row(entry["title"] or "(no words)", entry["conversation"], _describe(entry))


def _chunks(message: MessageDict) -> Iterator[ChunkDict]:
    """Return the chunks that show a message of the model, or a block."""
    if "message" in message:
        yield {"message": message["message"]}
    if "language" in message:
        yield {"language": message["language"]}
    if "code" in message:
        yield {"code": message["code"]}
    if message.get("status") == "declined":
        yield {"declined": {"by": "skip"}}
    if "output" in message:
        yield {"active_line": None}
        yield {"output": message["output"]}
        yield {"end_of_execution": True}


def _result(message: MessageDict) -> ResultDict | None:
    """How a stored block ended; None if it just ran to its end."""
    status = message.get("status")
    return None if status is None or status == "declined" else {"status": status, "seconds": 0.0}


def _age(updated: str) -> str:
    """How long ago a time was, in words."""
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(updated)).total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count != 1 else ''} ago"
    return "just now"
