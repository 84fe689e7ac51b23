"""The list of a folder's conversations, page by page, and the search in them."""

import base64
import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from oi_daemon.errors import InvalidError
from oi_daemon.history import document, words
from oi_daemon.history.document import Stamp, stamp_of
from oi_daemon.history.folder import ConversationFolder
from oi_daemon.history.index import IndexRow, Position
from oi_daemon.history.indexer import Indexer
from oi_daemon.history.resolver import Resolver

_MOST_PASSED_OVER = 20
"""Most files of which it is said why they are left out."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A conversation in the list."""

    conversation: str
    title: str
    updated: str
    """When the conversation was last saved: ISO 8601, UTC."""
    messages: int
    snippet: str | None = None
    """Where the query was found, in the words around it; None if there was no query."""


class ConversationPage(NamedTuple):
    """A part of the list, and the cursor of the next part; None if this is the last one."""

    entries: list[Entry]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file in the folder that is not in the list."""

    name: str
    why: str
    """Why it is not, in words that follow on the name."""


class Catalog:
    """Lists and searches a folder's conversations. Thread-safe; it blocks, so not for a loop."""

    def __init__(self, folder: ConversationFolder, indexer: Indexer, resolver: Resolver) -> None:
        self._folder = folder
        self._indexer = indexer
        self._index = indexer.index
        self._resolver = resolver
        self._reasons: dict[str, tuple[Stamp | None, str | None]] = {}
        """For each file that was passed over, the state in which it was read, and why."""

    def page(
        self, ours: Mapping[str, str], limit: int, cursor: str | None, query: str | None
    ) -> ConversationPage:
        """See `History.list`.

        Args:
            ours: see `Resolver`.
        """
        wanted = (query or "").strip()
        if wanted:
            start = 0 if cursor is None else _decode_cursor(cursor, int)
            work = partial(self._search, ours, words.words_of(wanted), start, limit)
        else:
            before = None if cursor is None else _decode_cursor(cursor, Position)
            work = partial(self._list, ours, before, limit)
        if self._folder.mtime() is None:
            return ConversationPage([], None)
        return self._indexer.use(work)

    def passed_over(self) -> list[PassedOver]:
        """The newest files that the list leaves out, as far as they have been looked at."""
        if self._folder.mtime() is None:
            return []
        names = self._indexer.use(partial(self._index.without_messages, _MOST_PASSED_OVER))
        self._reasons = {name: self._reason(name) for name in names}
        return [PassedOver(name, why) for name, (_, why) in self._reasons.items() if why]

    def _reason(self, name: str) -> tuple[Stamp | None, str | None]:
        """The state of a file, and why it is not in the list; it is read once for each state."""
        path = self._folder.path / name
        stamp = stamp_of(path)
        known = self._reasons.get(name)
        return known if known is not None and known[0] == stamp else (stamp, self._why(path))

    def _why(self, path: Path) -> str | None:
        """Why a file is not in the list; None if it should be."""
        try:
            messages = document.read(path).messages
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        except InvalidError as error:
            return str(error).removeprefix(f"{path} ")
        return None if messages else "holds no messages"

    def pictures(self) -> set[str]:
        """The names of all pictures that the folder's conversations use.

        Raises:
            OSError: one of them cannot be read, so that is not known.
        """
        return self._indexer.use(self._used_pictures)

    def _used_pictures(self) -> set[str]:
        self._indexer.bring_in_step()
        self._indexer.read_words()
        if unreadable := self._index.unreadable():
            path = self._folder.path / unreadable
            raise OSError(errno.EACCES, "it may use any picture, and cannot be read", str(path))
        return self._index.pictures()

    def _list(
        self, ours: Mapping[str, str], before: Position | None, limit: int
    ) -> ConversationPage:
        self._indexer.bring_in_step()
        page = partial(self._index.page, before, limit + 1)
        rows = self._indexer.verified(page, words=False)
        cursor = None
        if len(rows) > limit:
            last = rows[limit - 1]
            cursor = _encode_cursor(Position(last.stamp.mtime_ns, last.name))
        return ConversationPage(self._entries(rows[:limit], ours), cursor)

    def _search(
        self, ours: Mapping[str, str], wanted: list[str], start: int, limit: int
    ) -> ConversationPage:
        if not wanted:
            return ConversationPage([], None)
        self._indexer.bring_in_step()
        self._indexer.read_words()
        search = partial(self._index.search, wanted, start, limit + 1)
        rows = self._indexer.verified(search, words=True)
        cursor = _encode_cursor(start + limit) if len(rows) > limit else None
        return ConversationPage(self._entries(rows[:limit], ours), cursor)

    def _entries(self, rows: Sequence[IndexRow], ours: Mapping[str, str]) -> list[Entry]:
        return [*map(_entry, self._resolver.ids_of(rows, ours), rows)]


def _entry(conversation: str, row: IndexRow) -> Entry:
    changed = datetime.fromtimestamp(row.stamp.mtime_ns / 1e9, UTC)
    return Entry(
        conversation=conversation,
        title=row.title or "",
        updated=changed.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        messages=row.messages,
        snippet=row.snippet,
    )


def _encode_cursor(value: Position | int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()


def _decode_cursor(cursor: str, kind: type[_T]) -> _T:
    """Return the place in a list that a cursor encodes.

    Args:
        kind: type of the place: `int` for a search, `Position` for the list.

    Raises:
        InvalidError: the text is no cursor of such a list.
    """
    try:
        return msgspec.json.decode(base64.b64decode(cursor, b"-_", validate=True), type=kind)
    except (ValueError, msgspec.DecodeError):
        raise InvalidError(
            "cursor: not one that a list has given; leave it out to start from the newest"
        ) from None
