"""The tables of the index: what they hold, and how a file's rows are added and removed."""

import sqlite3

from oi_daemon.history.document import Stamp
from oi_daemon.history.summary import Summary
from oi_daemon.history.words import holds_all, separated

_VERSION = 1
"""Version of the tables. Raise it when they change: an index of another version is made anew."""

FOUND, TITLED, READ = range(3)
"""How much is known of a file: only its state; also its title and length; also its words."""

UNREADABLE = -1
"""Stored as the size of a file that could not be read, so that it is looked at again."""

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
"""Table of the words for a SQLite without FTS5, in which each search reads all texts."""


def prepare(database: sqlite3.Connection) -> bool:
    """Set up a connection, and make the tables if they are missing or of another version.

    Returns whether SQLite has FTS5, its full-text search.
    """
    has_fts = _has_fts(database)
    database.create_function("holds_all", 2, lambda words, text: holds_all(words.split("\0"), text))
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    version = _VERSION * 2 + has_fts
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found == version:
        return has_fts
    database.execute("BEGIN IMMEDIATE")
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found != version:
        _drop_all(database)
        for statement in (_TABLES + (_WORDS if has_fts else _PLAIN_WORDS)).split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {version}")
    database.execute("COMMIT")
    return has_fts


def put_row(
    database: sqlite3.Connection,
    name: str,
    conversation: str,
    stamp: Stamp,
    known: int,
    title: str,
    messages: int,
) -> int:
    """Add or change a file's row, and return its id."""
    (file,) = database.execute(
        "INSERT INTO files (name, conversation, mtime, size, inode, known, title, messages)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " conversation = excluded.conversation, mtime = excluded.mtime, size = excluded.size,"
        " inode = excluded.inode, known = excluded.known, title = excluded.title,"
        " messages = excluded.messages RETURNING id",
        (name, conversation, *stamp, known, title, messages),
    ).fetchone()
    return int(file)


def put_words(database: sqlite3.Connection, file: int, summary: Summary) -> None:
    """Store what can be searched, and the pictures, which a file without messages may have too.

    The file stored last gets the highest number, because `search` reads the newest first.
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
    """Remove what can be searched of a file, and its pictures."""
    (number,) = database.execute("SELECT words_id FROM files WHERE id = ?", (file,)).fetchone()
    if number is not None:
        database.execute("DELETE FROM words WHERE rowid = ?", (number,))
        database.execute("UPDATE files SET words_id = NULL WHERE id = ?", (file,))
    database.execute("DELETE FROM pictures WHERE file = ?", (file,))


def remove_row(database: sqlite3.Connection, name: str) -> None:
    """Remove a file's row, with its words and pictures. Does nothing if there is none."""
    found = database.execute("SELECT id FROM files WHERE name = ?", (name,)).fetchone()
    if found is not None:
        _remove_words(database, found[0])
        database.execute("DELETE FROM files WHERE id = ?", found)


def _has_fts(database: sqlite3.Connection) -> bool:
    """Return whether this SQLite has FTS5, its full-text search."""
    (found,) = database.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()
    return bool(found)


def _drop_all(database: sqlite3.Connection) -> None:
    """Remove the tables of another version."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    database.execute("DROP TABLE IF EXISTS words")
    for (name,) in tables:
        if name != "sqlite_sequence":
            database.execute(f'DROP TABLE IF EXISTS "{name}"')
