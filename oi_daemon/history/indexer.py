"""Keeps the index of a folder in step with the folder's files."""

import errno
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock, Timer
from typing import NamedTuple, TypeVar

from oi_daemon.errors import InvalidError
from oi_daemon.history import document, naming
from oi_daemon.history.document import Stamp
from oi_daemon.history.folder import ConversationFolder
from oi_daemon.history.index import Index, IndexRow
from oi_daemon.history.index_tables import UNREADABLE
from oi_daemon.history.pictures import collector, names_in_text
from oi_daemon.history.summary import Summary, summarize

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_COMPARED_AT_ONCE = 2000
"""Most files whose states are compared before a list is given. In a larger folder, a thread
compares them afterwards."""

_COMPARED_EVERY = 60.0
"""Seconds after which the states of all files are compared again, because an edit in a file's place
does not change the folder's modification time."""

_COMPARED_AFTER = 1.0
"""Seconds before the thread for a large folder begins, so that it does not delay the list that was
asked for."""

_READ_AT_ONCE = 200
"""Most files that are read before their words are stored in the index."""

_TEXT_AT_ONCE = 16 << 20
"""Characters after which the words are stored, even if they come from fewer files than that."""

_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""Numbers of errors that come from this process or system, not from the file that was read."""

_TICK = 0.02
"""Seconds within which two changes of a folder may get the same modification time."""


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


class Indexer:
    """Adds to the index what has changed in its folder. Thread-safe; it blocks on the disk."""

    def __init__(self, folder: ConversationFolder) -> None:
        self.index = Index(folder.index_path)
        self._folder = folder
        self._changes: deque[Change] = deque()
        """What this process has changed since the index was last brought in step."""
        self._comparing = Lock()
        """Held by the one thread that compares the index with the files."""
        self._applying = Lock()
        """Held by the thread that applies the changes to the index."""
        self._looked: float | None = None
        """Monotonic time at which this process last looked at all files; None if it has not yet."""

    def note(self, change: Change) -> None:
        """Remember a change that this process has made; the index gets it when it is next used."""
        self._changes.append(change)

    def settle(self) -> None:
        """Bring the index in step with the names in the folder, after a save."""
        try:
            if not self.catch_up():
                time.sleep(2 * _TICK)  # so that the folder's time tells of each later change
                self._compare(thorough=False)
        except (sqlite3.Error, OSError) as error:
            logger.info("The index of the conversations is not in step: %s", error)

    def catch_up(self) -> bool:
        """Tell the index what this process has changed. Returns whether it knows all files then."""
        self._apply_changes()
        return self.index.mtime() == self._folder.mtime()

    def use(self, work: Callable[[], _T]) -> _T:
        """Do some work with the index; with a new one if this one cannot be used."""
        for _ in range(2):
            try:
                return work()
            except sqlite3.Error as error:
                self.index.renew(error)
        return work()

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def verified(self, read: Callable[[], list[IndexRow]], *, words: bool) -> list[IndexRow]:
        """Return the rows that `read` gives, once they agree with their files.

        Args:
            words: store also what can be searched in files that have changed.
        """
        while not self._verify(rows := read(), words=words):
            pass
        return rows

    def bring_in_step(self) -> None:
        """Compare the index with the folder, as thoroughly as it can be done without delay."""
        in_step = self.catch_up()
        now = time.monotonic()
        is_due = self._looked is None or now - self._looked > _COMPARED_EVERY
        if in_step and not is_due:
            return
        is_small = not self.index.has_more_than(_COMPARED_AT_ONCE)
        if not in_step or is_small:
            self._compare(thorough=is_small)
        if is_due and not is_small:
            self._looked = now
            timer = Timer(_COMPARED_AFTER, self._compare_later)
            timer.daemon = True
            timer.start()

    def read_words(self) -> None:
        """Read the files whose words are not known yet."""
        while names := self.index.unread(_READ_AT_ONCE):
            batch, size = [], 0
            for file in self._read(names):
                batch.append(file)
                size += len(file[-1].text)
                if size > _TEXT_AT_ONCE:
                    break
            self.index.put_read(batch, words=True)

    def _verify(self, rows: list[IndexRow], *, words: bool) -> bool:
        """Return whether these rows agree with their files. Those that have changed are read."""
        changed = []
        for row in rows:
            stamp = document.stamp_of(self._folder.path / row.name)
            if stamp is None:
                self.index.remove([row.name])
                changed.append(row.name)
            elif stamp != row.stamp or row.title is None:
                changed.append(row.name)
        self.index.put_read([*self._read(changed)], words=words)
        return not changed

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
        with self._comparing:
            mtime = self._folder.mtime()
            known = self.index.stamps()
            found = {entry.name: entry.inode() for entry in self._folder.conversations()}
            suspect = [
                name
                for name, inode in found.items()
                if thorough or name not in known or known[name].inode != inode
            ]
            stamps = ((name, document.stamp_of(self._folder.path / name)) for name in suspect)
            self.index.put_found(
                (name, naming.id_in(name), stamp)
                for name, stamp in stamps
                if stamp is not None and known.get(name) != stamp
            )
            self.index.remove(known.keys() - found.keys())
            is_settled = mtime is not None and time.time() - mtime / 1e9 > _TICK
            self.index.set_mtime(mtime if is_settled else None)
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
            self.index.remove([change.name])
        elif change.name is not None and change.stamp and change.summary:
            conversation = naming.id_in(change.name)
            self.index.put_saved(change.name, conversation, change.stamp, change.summary)
        if change.before is not None:
            self.index.set_mtime(change.after, instead_of=change.before)

    def _read(self, names: Iterable[str]) -> Iterator[tuple[str, str, Stamp, Summary]]:
        """Yield name, id, stamp and summary of each of these files; removed files are left out."""
        for name in names:
            path = self._folder.path / name
            stamp = document.stamp_of(path)
            if stamp is None:
                self.index.remove([name])
                continue
            try:
                stamp, summary = _summarized(path, stamp)
            except FileNotFoundError:
                self.index.remove([name])
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
