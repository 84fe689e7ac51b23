"""The index of a folder's conversations: a SQLite database that makes the list and search fast.

It is a cache. The conversations' files are the truth, and a missing, broken or outdated index is
made anew from them. Several processes may use one index at once.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from oi_daemon import files
from oi_daemon.history.document import Stamp
from oi_daemon.history.index_tables import (
    FOUND,
    READ,
    TITLED,
    UNREADABLE,
    prepare,
    put_row,
    put_words,
    remove_row,
)
from oi_daemon.history.summary import Summary
from oi_daemon.history.words import match_expression, snippet

logger = logging.getLogger(__name__)

_RANKED = 1000
"""Number of the newest matches that are ranked together; ranking all would be too slow."""


class IndexRow(NamedTuple):
    """A conversation's file in the index."""

    name: str
    conversation: str
    """The conversation's id, as the file's name holds it; else the name's stem."""
    stamp: Stamp
    title: str | None
    """The title; None if the file has not been read yet."""
    messages: int
    snippet: str | None = None


class Position(NamedTuple):
    """A file's place in the list, which is sorted by this, downwards."""

    mtime_ns: int
    name: str


class Index:
    """The index of one folder. Thread-safe.

    Every method may raise `sqlite3.Error`; `renew` then gives an index that works.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._database: sqlite3.Connection | None = None
        self._has_fts = True

    @property
    def exists(self) -> bool:
        """Whether the index is open, or there is a file to open."""
        return self._database is not None or files.state(self._path) is not None

    def renew(self, error: sqlite3.Error) -> None:
        """After an error: make the index anew, in memory if the file cannot be used now."""
        logger.info("The index of the conversations is made anew: %s", error)
        with self._lock:
            self.close()
            if not isinstance(error, sqlite3.OperationalError):
                with suppress(OSError, sqlite3.Error):
                    self._remove()
                    self._database = self._connect(str(self._path))
                    return
            self._database = self._connect(":memory:")

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        with self._lock:
            if self._database is not None:
                with suppress(sqlite3.Error):
                    self._database.close()
            self._database = None

    def mtime(self) -> int | None:
        """The folder's modification time up to which its names are known."""
        with self._read() as database:
            (mtime,) = database.execute("SELECT mtime FROM folder").fetchone()
            return None if mtime is None else int(mtime)

    def set_mtime(self, mtime: int | None, *, instead_of: int | None = None) -> None:
        """Store a modification time; with `instead_of`, only in place of that one."""
        with self._write() as database:
            if instead_of is None:
                database.execute("UPDATE folder SET mtime = ?", (mtime,))
            else:
                database.execute("UPDATE folder SET mtime = ? WHERE mtime = ?", (mtime, instead_of))

    def has_more_than(self, count: int) -> bool:
        """Whether the folder had more files than this."""
        with self._read() as database:
            found = database.execute("SELECT 1 FROM files LIMIT 1 OFFSET ?", (count,))
            return found.fetchone() is not None

    def stamps(self) -> dict[str, Stamp]:
        """The state of each file when it was last looked at, by its name."""
        with self._read() as database:
            rows = database.execute("SELECT name, mtime, size, inode FROM files")
            return {name: Stamp(*stamp) for name, *stamp in rows}

    def put_found(self, found: Iterable[tuple[str, str, Stamp]]) -> None:
        """Add files, or their new states: name, conversation, stamp. They are to be read later."""
        with self._write() as database:
            for name, conversation, stamp in found:
                put_row(database, name, conversation, stamp, FOUND, "", 0)

    def put_saved(self, name: str, conversation: str, stamp: Stamp, summary: Summary) -> None:
        """Add a file that this process has saved. Its words are to be read later."""
        with self._write() as database:
            about = (summary.title, summary.messages)
            put_row(database, name, conversation, stamp, TITLED, *about)

    def put_read(self, read: Iterable[tuple[str, str, Stamp, Summary]], *, words: bool) -> None:
        """Add what was read of files: name, conversation, stamp, summary.

        Args:
            words: also what can be searched, and the pictures.
        """
        with self._write() as database:
            for name, conversation, stamp, it in read:
                about = (it.title, it.messages)
                known = READ if words else TITLED
                file = put_row(database, name, conversation, stamp, known, *about)
                if words:
                    put_words(database, file, it)

    def remove(self, names: Iterable[str]) -> None:
        """Forget files."""
        with self._write() as database:
            for name in names:
                remove_row(database, name)

    def unread(self, count: int) -> list[str]:
        """Names of at most so many files whose words are not known, oldest first."""
        with self._read() as database:
            rows = database.execute(
                f"SELECT name FROM files WHERE known < {READ} ORDER BY mtime LIMIT ?", (count,)
            )
            return [name for (name,) in rows]

    def page(self, before: Position | None, count: int) -> list[IndexRow]:
        """At most so many conversations, newest first, and files that were not read yet."""
        where, values = "", tuple[object, ...]()
        if before is not None:
            where, values = "AND (mtime, name) < (?, ?)", before
        with self._read() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM files WHERE (messages > 0 OR known = {FOUND}) {where}"
                " ORDER BY mtime DESC, name DESC LIMIT ?",
                (*values, count),
            )
            return [_row(*row) for row in rows]

    def search(self, words: Sequence[str], start: int, count: int) -> list[IndexRow]:
        """Conversations that hold all words, best first: at most `count`, from place `start` on."""
        with self._read() as database:
            found: list[tuple[float, int, int]] = []
            while len(found) < start + count:
                more = self._matches(database, words, len(found))
                found += sorted(more)
                if len(more) < _RANKED:
                    break
            return [
                _found_row(database, words, file) for _, _, file in found[start : start + count]
            ]

    def by_conversation(self, conversation: str) -> list[str]:
        """Names of the files whose name holds this id, or has it as its stem; newest first."""
        with self._read() as database:
            rows = database.execute(
                "SELECT name FROM files WHERE conversation = ? OR name = ?"
                " ORDER BY mtime DESC, name DESC",
                (conversation, f"{conversation}.json"),
            )
            return [name for (name,) in rows]

    def is_newest(self, row: IndexRow) -> bool:
        """Whether no newer file holds a conversation with the same id."""
        with self._read() as database:
            newer = database.execute(
                "SELECT 1 FROM files WHERE conversation = ? AND (mtime, name) > (?, ?)"
                f" AND (messages > 0 OR known = {FOUND}) LIMIT 1",
                (row.conversation, row.stamp.mtime_ns, row.name),
            )
            return newer.fetchone() is None

    def without_messages(self, count: int) -> list[str]:
        """Names of files that hold no conversation, at most `count`, the newest first."""
        with self._read() as database:
            rows = database.execute(
                f"SELECT name FROM files WHERE messages = 0 AND known != {FOUND}"
                " ORDER BY mtime DESC, name DESC LIMIT ?",
                (count,),
            )
            return [str(name) for (name,) in rows]

    def unreadable(self) -> str | None:
        """Name of a file that could not be read when it was last looked at; None if all could."""
        with self._read() as database:
            row = database.execute("SELECT name FROM files WHERE size = ? LIMIT 1", (UNREADABLE,))
            found = row.fetchone()
            return found and str(found[0])

    def pictures(self) -> set[str]:
        """The names of all pictures that some conversation uses."""
        with self._read() as database:
            return {name for (name,) in database.execute("SELECT DISTINCT name FROM pictures")}

    def _matches(
        self, database: sqlite3.Connection, words: Sequence[str], skip: int
    ) -> list[tuple[float, int, int]]:
        """Return the next newest matches: rank (less is better), age (less is newer), file's id."""
        if self._has_fts:
            select = "bm25(words, 4.0, 1.0), -files.mtime, files.id"
            where, value = "words MATCH ?", match_expression(words)
        else:
            select = "0.0, -files.mtime, files.id"
            where, value = "holds_all(?, words.title || ' ' || words.body)", "\0".join(words)
        return database.execute(
            f"SELECT {select} FROM words JOIN files ON files.words_id = words.rowid"
            f" WHERE {where} ORDER BY words.rowid DESC LIMIT {_RANKED} OFFSET ?",
            (value, skip),
        ).fetchall()

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._database is None:
                self._database = self._open()
            yield self._database

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._read() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                with suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        try:
            files.make_private(self._path.parent)
            # SQLite gives its further files the mode of this one.
            files.close(files.open_journal(self._path))
            return self._connect(str(self._path))
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from error

    def _connect(self, path: str) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            self._has_fts = prepare(database)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            files.remove(self._path.with_name(self._path.name + suffix))


_COLUMNS = "name, conversation, mtime, size, inode, known, title, messages"


def _row(
    name: str,
    conversation: str,
    mtime: int,
    size: int,
    inode: int,
    known: int,
    title: str,
    messages: int,
) -> IndexRow:
    stamp = Stamp(mtime, size, inode)
    return IndexRow(name, conversation, stamp, None if known == FOUND else title, messages)


def _found_row(database: sqlite3.Connection, words: Sequence[str], file: int) -> IndexRow:
    """Return the row of a file that a search has found, with its snippet."""
    *columns, rowid = database.execute(
        f"SELECT {_COLUMNS}, words_id FROM files WHERE id = ?", (file,)
    ).fetchone()
    (body,) = database.execute("SELECT body FROM words WHERE rowid = ?", (rowid,)).fetchone()
    return _row(*columns)._replace(snippet=snippet(words, body))
