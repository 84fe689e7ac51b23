"""Saved conversations: chosen from a list, and shown again."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oi_daemon.terminal.choice import Row, choose
from oi_daemon.terminal.display import screen_for_stdout
from oi_daemon.terminal.voice import tell, visible

OPEN_FOLDER = "> Open Folder"
_PAGE = 1000
"""Entries that are asked for at once, at most: each page costs a look at the whole folder."""

Pages = Callable[[str, str | None, int], dict[str, Any]]
"""A page of `oi/history/list`: for a query, from a cursor on, so many entries."""


def choose_conversation(pages: Pages, folder: Path) -> str | Path | None:
    """The id of the conversation that the person chooses, or the folder; None if neither."""
    row = choose("Conversations", Listing(pages), [Row(OPEN_FOLDER, folder, str(folder))])
    chosen: str | Path | None = row.value if row else None
    return chosen


def list_plainly(pages: Pages, folder: Path) -> None:
    """All conversations, one a line, and their folder: for a pipe."""
    tell(str(folder))
    for row in Listing(pages)("", sys.maxsize):
        tell(f"{row.value}  {row.label}  ({row.detail})")


class Listing:
    """The list as rows; pages are asked for as they are needed, and kept."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._query: str | None = None
        self._cursor: str | None = None
        self._rows: list[Row] = []

    def __call__(self, query: str, count: int) -> Sequence[Row]:
        if query != self._query:
            self._query, self._cursor, self._rows = query, "", []
        while len(self._rows) < count and self._cursor is not None:
            missing = min(_PAGE, count - len(self._rows))
            page = self._pages(query, self._cursor or None, missing)
            self._cursor = page.get("cursor")
            self._rows += map(_row, page["conversations"])
        return self._rows[:count]


def show_messages(messages: Sequence[dict[str, Any]]) -> None:
    """A conversation as it stood on the screen."""
    screen = screen_for_stdout(live=False)
    for message in messages:
        if message["role"] == "user":
            screen.close()
            tell(f"\n> {visible(message['message'])}\n")
        else:
            for chunk in _chunks(message):
                screen.show(chunk)
    screen.close()


def _describe(entry: dict[str, Any]) -> str:
    """When it was, and how long it is."""
    count = entry["messages"]
    return f"{_age(entry['updated'])}, {count} message{'s' if count != 1 else ''}"


def _row(entry: dict[str, Any]) -> Row:
    return Row(entry["title"] or "(no words)", entry["conversation"], _describe(entry))


def _chunks(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "code" not in message:
        yield {"message": message["message"]}
        return
    yield {"language": message["language"]}
    yield {"code": message["code"]}
    if "output" in message:
        yield {"active_line": None}
        yield {"output": message["output"]}
        yield {"end_of_execution": True}


def _age(updated: str) -> str:
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(updated)).total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count != 1 else ''} ago"
    return "just now"
