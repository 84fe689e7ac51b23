"""Saved conversations: chosen from a list, and shown again."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from oi_daemon.errors import InvalidError
from oi_daemon.magic import summary
from oi_daemon.messages.shapes import (
    ChunkDict,
    MessageDict,
    ResultDict,
    SavedConversationDict,
    SavedPageDict,
)
from oi_daemon.terminal.choice import Row, choose
from oi_daemon.terminal.display import screen_for_stdout
from oi_daemon.terminal.printing import print_text, print_warning, visible

OPEN_FOLDER = "> Open Folder"
_PREVIEWED = 4
"""Messages of a conversation that its preview shows: the last ones."""
_PAGE = 1000
"""Most entries in one request. A page is large because each costs a look at the whole folder."""

Pages: TypeAlias = Callable[[str, str | None, int], SavedPageDict]
"""Returns a page of `oi/history/list`, by a query, a cursor and the number of entries."""


class SavedConversations(Protocol):
    """Where conversations are saved. The library's `Interpreter` has all of it."""

    def saved(
        self, query: str = "", cursor: str | None = None, limit: int = 50
    ) -> SavedPageDict: ...

    def saved_messages(self, conversation: str) -> list[MessageDict]: ...

    def delete_saved(self, conversation: str) -> bool: ...


def choose_conversation(saved: SavedConversations, folder: Path) -> str | Path | None:
    """The id of the conversation that the person chooses, or the folder; None if neither."""
    print_passed_over(saved.saved)
    last: list[Row[str | Path]] = [Row(OPEN_FOLDER, folder, str(folder))]
    rows = ConversationRows(saved.saved)
    row = choose("Conversations", rows, last, _SavedActions(saved, rows))
    return row.value if row else None


def print_passed_over(pages: Pages) -> None:
    """Say which files in the folder hold no conversation, and why."""
    for file in pages("", None, 1).get("passed_over", ()):
        print_warning(f"Passed over: {visible(file['name'])} {visible(file['why'])}.")


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
    print_passed_over(pages)
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
            self._rows = _told_apart([*self._rows, *map(_row, page["conversations"])])
        return self._rows[:count]

    def forget(self) -> None:
        """Ask for all pages anew, because a conversation is gone."""
        self._query = None


class _SavedActions:
    """Shows how a saved conversation ends, and deletes it."""

    def __init__(self, saved: SavedConversations, rows: ConversationRows) -> None:
        self._saved = saved
        self._rows = rows

    def preview(self, value: str | Path) -> str:
        """The conversation's last messages, each in a line."""
        if not isinstance(value, str):
            return ""
        messages = self._saved.saved_messages(value)
        return "\n".join(visible(summary(message)) for message in messages[-_PREVIEWED:])

    def delete(self, value: str | Path) -> bool:
        """Delete the conversation from the disk."""
        self._rows.forget()
        return isinstance(value, str) and self._saved.delete_saved(value)


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
    snippet = entry.get("snippet", "")
    found = f"…{snippet}… · " if snippet and snippet != entry["title"] else ""
    title = visible(entry["title"]) or "(no words)"
    return Row(title, entry["conversation"], f"{found}{_describe(entry)}")


def _told_apart(rows: Sequence[Row[str | Path]]) -> list[Row[str | Path]]:
    """The rows, with the id behind a title that several of them have."""
    titles = Counter(row.label for row in rows)
    return [
        replace(row, label=f"{row.label} · {row.value}") if titles[row.label] > 1 else row
        for row in rows
    ]


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
