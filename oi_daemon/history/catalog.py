"""Keeps the index of a folder in step with its files, and lists and searches by it."""

import base64
import errno
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock, Timer
from typing import NamedTuple, TypeVar

import msgspec

from oi_daemon import files
from oi_daemon.errors import InvalidError
from oi_daemon.history import chosen_names, document, naming, words
from oi_daemon.history.document import Stamp
from oi_daemon.history.folder import ConversationFolder
from oi_daemon.history.index import Index, IndexRow, Position
from oi_daemon.history.index_tables import UNREADABLE
from oi_daemon.history.pictures import collector, names_in_text
from oi_daemon.history.summary import Summary, summarize

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_FEW = 2000
"""Most files whose states are compared before a list is given. In a larger folder, a thread
compares them afterwards."""

_LOOKED_FOR = 60.0
"""Seconds after which the states of all files are compared again, because an edit in a file's place
does not change the folder's modification time."""

_A_MOMENT = 1.0
"""Seconds before that thread begins, so that it does not delay the list that was asked for."""

_AT_ONCE = 200
"""Most files that are read before their words are stored in the index."""

_TEXT_AT_ONCE = 16 << 20
"""Characters after which the words are stored, even if they come from fewer files than that."""

_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""Numbers of errors that come from this process or system, not from the file that was read."""

_TICK = 0.02
"""Seconds within which two changes of a folder may get the same modification time."""


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


class Change(NamedTuple):
    """A change that this process has made to a file, for the index."""

    before: int | None
    """The folder's modification time before the change."""
    after: int | None
    """The folder's modification time after the change."""
    name: str | None = None
    """The conversation's file name; None if something else in the folder was changed."""
    stamp: Stamp | None = None
    """The file's new state; None if it was removed."""
    summary: Summary | None = None


class Catalog:
    """Lists and searches a folder's conversations. Thread-safe; it blocks, so not for a loop."""

    def __init__(self, folder: ConversationFolder) -> None:
        self._folder = folder
        self._index = Index(folder.index_path)
        self._changes: deque[Change] = deque()
        """What this process has changed since the index was last brought in step."""
        self._lock = Lock()
        """Held by the one thread that compares the index with the files."""
        self._applying = Lock()
        """Held by the thread that applies the changes to the index."""
        self._looked: float | None = None
        """Monotonic time at which this process last looked at all files; None if it has not yet."""

    def note(self, change: Change) -> None:
        """Remember a change that this process has made; the index gets it when it is next used."""
        self._changes.append(change)

    def page(
        self, ours: Mapping[str, str], limit: int, cursor: str | None, query: str | None
    ) -> ConversationPage:
        """See `History.list`.

        Args:
            ours: file name -> id, of the conversations that this process keeps.
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
        return self._use(work)

    def names_of(self, conversation: str) -> list[str] | None:
        """Names of the files whose name holds this id, or has it as its stem; newest first.

        None if the index cannot tell, because the folder was changed by others or was never listed.
        """
        try:
            if not self._index.exists:
                return None
            self._apply_changes()
            if self._index.mtime() != self._folder.mtime():
                return None
            return self._index.by_conversation(conversation)
        except sqlite3.Error as error:
            logger.info("The index of the conversations does not answer: %s", error)
            return None

    def settle(self) -> None:
        """Bring the index in step with the names in the folder, after a save."""
        try:
            self._apply_changes()
            if self._index.mtime() != self._folder.mtime():
                time.sleep(2 * _TICK)  # so that the folder's time tells of each later change
                self._compare(thorough=False)
        except (sqlite3.Error, OSError) as error:
            logger.info("The index of the conversations is not in step: %s", error)

    def pictures(self) -> set[str]:
        """The names of all pictures that the folder's conversations use.

        Raises:
            OSError: one of them cannot be read, so that is not known.
        """
        return self._use(self._used_pictures)

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def _use(self, work: Callable[[], _T]) -> _T:
        """Do some work with the index; with a new one if this one cannot be used."""
        for _ in range(2):
            try:
                return work()
            except sqlite3.Error as error:
                self._index.renew(error)
        return work()

    def _used_pictures(self) -> set[str]:
        self._bring_in_step()
        self._read_words()
        if unreadable := self._index.unreadable():
            path = self._folder.path / unreadable
            raise OSError(errno.EACCES, "it may use any picture, and cannot be read", str(path))
        return self._index.pictures()

    def _list(
        self, ours: Mapping[str, str], before: Position | None, limit: int
    ) -> ConversationPage:
        self._bring_in_step()
        while not self._verify(rows := self._index.page(before, limit + 1), words=False):
            pass
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
        self._bring_in_step()
        self._read_words()
        while not self._verify(rows := self._index.search(wanted, start, limit + 1), words=True):
            pass
        cursor = _encode_cursor(start + limit) if len(rows) > limit else None
        return ConversationPage(self._entries(rows[:limit], ours), cursor)

    def _entries(self, rows: Iterable[IndexRow], ours: Mapping[str, str]) -> list[Entry]:
        """Return the entries of the list for these rows, each with the id that opens its file.

        Where several files have one id, it means the file of this process, else the one whose
        name the user chose, else the newest. The id of the others is their stem. `History.path_of`
        decides in the same way.
        """
        chosen = chosen_names.ids_in(self._folder.path)
        names = {conversation: name for name, conversation in chosen.items()}
        names |= {conversation: name for name, conversation in ours.items()}
        return [_entry(self._id_of(row, {**chosen, **ours}, names), row) for row in rows]

    def _id_of(self, row: IndexRow, ids: Mapping[str, str], names: Mapping[str, str]) -> str:
        """The id by which a file's conversation can be opened.

        Args:
            ids: file name -> id, of the files whose name does not hold their id.
            names: id -> name of the file that it means, if that file is still there.
        """
        conversation = ids.get(row.name, row.conversation)
        meant = names.get(conversation)
        if meant is None or (meant != row.name and not files.state(self._folder.path / meant)):
            is_meant = self._index.is_newest(row)
        else:
            is_meant = meant == row.name
        return conversation if is_meant else naming.stem(row.name)

    def _verify(self, rows: list[IndexRow], *, words: bool) -> bool:
        """Return whether these rows agree with their files. Files that have changed are read again.

        Args:
            words: store also what can be searched in these files.
        """
        changed = []
        for row in rows:
            stamp = document.stamp_of(self._folder.path / row.name)
            if stamp is None:
                self._index.remove([row.name])
                changed.append(row.name)
            elif stamp != row.stamp or row.title is None:
                changed.append(row.name)
        self._index.put_read([*self._read(changed)], words=words)
        return not changed

    def _bring_in_step(self) -> None:
        """Compare the index with the folder, as thoroughly as it can be done without delay."""
        self._apply_changes()
        now = time.monotonic()
        is_due = self._looked is None or now - self._looked > _LOOKED_FOR
        in_step = self._index.mtime() == self._folder.mtime()
        if in_step and not is_due:
            return
        is_small = not self._index.has_more_than(_FEW)
        if not in_step or is_small:
            self._compare(thorough=is_small)
        if is_due and not is_small:
            self._looked = now
            timer = Timer(_A_MOMENT, self._compare_later)
            timer.daemon = True
            timer.start()

    def _compare_later(self) -> None:
        try:
            self._compare(thorough=True)
        except (sqlite3.Error, OSError) as error:
            logger.info("The conversations were not compared with their index: %s", error)

    def _compare(self, *, thorough: bool) -> None:
        """Find the files that were added, removed or replaced.

        Args:
            thorough: look at each file, which also finds those that were edited in their place.
        """
        with self._lock:
            mtime = self._folder.mtime()
            known = self._index.stamps()
            found = {entry.name: entry.inode() for entry in self._folder.conversations()}
            suspect = [
                name
                for name, inode in found.items()
                if thorough or name not in known or known[name].inode != inode
            ]
            stamps = ((name, document.stamp_of(self._folder.path / name)) for name in suspect)
            self._index.put_found(
                (name, naming.id_in(name), stamp)
                for name, stamp in stamps
                if stamp is not None and known.get(name) != stamp
            )
            self._index.remove(known.keys() - found.keys())
            is_settled = mtime is not None and time.time() - mtime / 1e9 > _TICK
            self._index.set_mtime(mtime if is_settled else None)
            if thorough:
                self._looked = time.monotonic()

    def _apply_changes(self) -> None:
        """Tell the index what this process has changed."""
        with self._applying:
            while self._changes:
                self._apply(self._changes[0])
                self._changes.popleft()

    def _apply(self, change: Change) -> None:
        if change.name is not None and change.stamp is None:
            self._index.remove([change.name])
        elif change.name is not None and change.stamp and change.summary:
            conversation = naming.id_in(change.name)
            self._index.put_saved(change.name, conversation, change.stamp, change.summary)
        if change.before is not None:
            self._index.set_mtime(change.after, instead_of=change.before)

    def _read_words(self) -> None:
        """Read the files whose words are not known yet."""
        while names := self._index.unread(_AT_ONCE):
            batch, size = [], 0
            for file in self._read(names):
                batch.append(file)
                size += len(file[-1].text)
                if size > _TEXT_AT_ONCE:
                    break
            self._index.put_read(batch, words=True)

    def _read(self, names: Iterable[str]) -> Iterator[tuple[str, str, Stamp, Summary]]:
        """Yield name, id, stamp and summary of each of these files; removed files are left out."""
        for name in names:
            path = self._folder.path / name
            stamp = document.stamp_of(path)
            if stamp is None:
                self._index.remove([name])
                continue
            try:
                stamp, summary = _summarized(path, stamp)
            except FileNotFoundError:
                self._index.remove([name])
                continue
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    raise
                logger.warning("%s cannot be read: %s", path, error.strerror)
                stamp, summary = stamp._replace(size=UNREADABLE), summarize(())
            yield name, naming.id_in(name), stamp, summary


def _summarized(path: Path, stamp: Stamp) -> tuple[Stamp, Summary]:
    """Return the state and the summary of a file; the summary is empty if it holds no messages.

    Args:
        stamp: the file's state a moment ago.

    Raises:
        OSError: it cannot be read now.
    """
    pictures: set[str] = set()
    try:
        messages, stamp, _ = document.read(path, collector(pictures))
    except InvalidError:
        messages = []
        pictures = names_in_text(path)
    return stamp, summarize(messages)._replace(pictures=frozenset(pictures))


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
