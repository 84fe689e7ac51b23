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
from oi_daemon.history.summary import Summary
from oi_daemon.history.words import holds_all, match_expression, separated, snippet

logger = logging.getLogger(__name__)

_VERSION = 1
"""Raised when the tables change; an index of another version is made anew."""

_RANKED = 1000
"""So many of the newest matches are ranked together; ranking all of a common word is too slow."""

_FOUND, _TITLED, _READ = range(3)
"""How much is known of a file: its state, then also its title and length, then all."""

UNREADABLE = -1
"""In the place of a file's size: it could not be read, so it is to be looked at again."""

_TABLES = """
CREATE TABLE folder (mtime INTEGER);
INSERT INTO folder VALUES (NULL);
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    mtime INTEGER NOT NULL,
    size INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    known INTEGER NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    messages INTEGER NOT NULL DEFAULT 0,
    words_id INTEGER
);
CREATE INDEX files_by_time ON files (mtime, name);
CREATE INDEX files_by_conversation ON files (conversation);
CREATE INDEX files_by_words ON files (words_id);
CREATE INDEX unread_files ON files (mtime) WHERE known < 2;
CREATE TABLE pictures (file INTEGER NOT NULL, name TEXT NOT NULL);
CREATE INDEX pictures_by_file ON pictures (file);
"""
_WORDS = """
CREATE VIRTUAL TABLE words
USING fts5(title, body, tokenize='porter unicode61 remove_diacritics 2', prefix='1 2 3');
"""
_PLAIN_WORDS = "CREATE TABLE words (title TEXT, body TEXT);"
"""For a SQLite without FTS5: each search then reads all texts, and the newest come first."""


class IndexRow(NamedTuple):
    """A conversation's file in the index."""

    name: str
    conversation: str
    """The id that the name holds, or its stem."""
    stamp: Stamp
    title: str | None
    """None: the file has not been read yet."""
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
        """Store it; with `instead_of`, only where that is stored."""
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
                _put(database, name, conversation, stamp, _FOUND, "", 0)

    def put_saved(self, name: str, conversation: str, stamp: Stamp, summary: Summary) -> None:
        """Add a file that this process has saved. Its words are to be read later."""
        with self._write() as database:
            about = (summary.title, summary.messages)
            _put(database, name, conversation, stamp, _TITLED, *about)

    def put_read(self, read: Iterable[tuple[str, str, Stamp, Summary]], *, words: bool) -> None:
        """Add what was read of files: name, conversation, stamp, summary.

        Args:
            words: also what can be searched, and the pictures.
        """
        with self._write() as database:
            for name, conversation, stamp, it in read:
                about = (it.title, it.messages)
                known = _READ if words else _TITLED
                file = _put(database, name, conversation, stamp, known, *about)
                if words:
                    _put_words(database, file, it)

    def remove(self, names: Iterable[str]) -> None:
        """Forget files."""
        with self._write() as database:
            for name in names:
                _remove(database, name)

    def unread(self, count: int) -> list[str]:
        """Names of at most so many files whose words are not known, oldest first."""
        with self._read() as database:
            rows = database.execute(
                f"SELECT name FROM files WHERE known < {_READ} ORDER BY mtime LIMIT ?", (count,)
            )
            return [name for (name,) in rows]

    def page(self, before: Position | None, count: int) -> list[IndexRow]:
        """At most so many conversations, newest first, and files that were not read yet."""
        where, values = "", tuple[object, ...]()
        if before is not None:
            where, values = "AND (mtime, name) < (?, ?)", before
        with self._read() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM files WHERE (messages > 0 OR known = {_FOUND}) {where}"
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
                f" AND (messages > 0 OR known = {_FOUND}) LIMIT 1",
                (row.conversation, row.stamp.mtime_ns, row.name),
            )
            return newer.fetchone() is None

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
        """The next newest matches: rank (less is better), age (less is newer), id of the file."""
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
            self._prepare(database)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        self._has_fts = _has_fts(database)
        database.create_function(
            "holds_all", 2, lambda words, text: holds_all(words.split("\0"), text)
        )
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        version = _VERSION * 2 + self._has_fts
        (found,) = database.execute("PRAGMA user_version").fetchone()
        if found == version:
            return
        database.execute("BEGIN IMMEDIATE")
        (found,) = database.execute("PRAGMA user_version").fetchone()
        if found != version:
            _drop_all(database)
            for statement in (_TABLES + (_WORDS if self._has_fts else _PLAIN_WORDS)).split(";\n"):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {version}")
        database.execute("COMMIT")

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
    return IndexRow(name, conversation, stamp, None if known == _FOUND else title, messages)


def _found_row(database: sqlite3.Connection, words: Sequence[str], file: int) -> IndexRow:
    """A file that a search has found, with its snippet."""
    *columns, rowid = database.execute(
        f"SELECT {_COLUMNS}, words_id FROM files WHERE id = ?", (file,)
    ).fetchone()
    (body,) = database.execute("SELECT body FROM words WHERE rowid = ?", (rowid,)).fetchone()
    return _row(*columns)._replace(snippet=snippet(words, body))


def _put(
    database: sqlite3.Connection,
    name: str,
    conversation: str,
    stamp: Stamp,
    known: int,
    title: str,
    messages: int,
) -> int:
    """Add or change a file's row; its id."""
    (file,) = database.execute(
        "INSERT INTO files (name, conversation, mtime, size, inode, known, title, messages)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " conversation = excluded.conversation, mtime = excluded.mtime, size = excluded.size,"
        " inode = excluded.inode, known = excluded.known, title = excluded.title,"
        " messages = excluded.messages RETURNING id",
        (name, conversation, *stamp, known, title, messages),
    ).fetchone()
    return int(file)


def _put_words(database: sqlite3.Connection, file: int, summary: Summary) -> None:
    """Store what can be searched, and the pictures, which a file without messages may have too.

    The newest has the highest number, as `search` relies on.
    """
    _remove_words(database, file)
    database.executemany(
        "INSERT INTO pictures VALUES (?, ?)", [(file, name) for name in summary.pictures]
    )
    if not summary.messages:
        return
    (last,) = database.execute("SELECT max(words_id) FROM files").fetchone()
    number = (last or 0) + 1
    database.execute(
        "INSERT INTO words (rowid, title, body) VALUES (?, ?, ?)",
        (number, separated(summary.title), separated(summary.text)),
    )
    database.execute("UPDATE files SET words_id = ? WHERE id = ?", (number, file))


def _remove_words(database: sqlite3.Connection, file: int) -> None:
    (number,) = database.execute("SELECT words_id FROM files WHERE id = ?", (file,)).fetchone()
    if number is not None:
        database.execute("DELETE FROM words WHERE rowid = ?", (number,))
        database.execute("UPDATE files SET words_id = NULL WHERE id = ?", (file,))
    database.execute("DELETE FROM pictures WHERE file = ?", (file,))


def _remove(database: sqlite3.Connection, name: str) -> None:
    found = database.execute("SELECT id FROM files WHERE name = ?", (name,)).fetchone()
    if found is not None:
        _remove_words(database, found[0])
        database.execute("DELETE FROM files WHERE id = ?", found)


def _has_fts(database: sqlite3.Connection) -> bool:
    (found,) = database.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()
    return bool(found)


def _drop_all(database: sqlite3.Connection) -> None:
    """Remove the tables of another version."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    database.execute("DROP TABLE IF EXISTS words")
    for (name,) in tables:
        if name != "sqlite_sequence":
            database.execute(f'DROP TABLE IF EXISTS "{name}"')
