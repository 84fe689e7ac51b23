"""What a small model is told about the files in its folder, because it does not look by itself."""

import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from oi_daemon.messages.text import without_controls

MOST_FILES = 12
"""Most files that are listed."""
MOST_SHOWN = 4
"""Most files of which the beginning is shown; if the question names files, only those are."""
LINES = 3
"""Lines of a file that are shown."""
LONGEST_LINE = 100
"""Characters of a line that are shown."""
HEAD = 2_000
"""Bytes that are read from the beginning of a file."""
SEEN = 200
"""Most files and folders that are looked at."""


def folder_facts(cwd: str, question: str) -> str:
    """Return the names of the folder's files, and how some of them begin; empty if there are none.

    Takes the disk's time, so call it off the loop. What cannot be read is left out.

    Args:
        question: the person's words. Files that they name are shown first.
    """
    try:
        entries = sorted(islice(_visible(Path(cwd)), SEEN), key=lambda path: path.name)
    except OSError:
        return ""
    named = [path for path in entries if path.name.lower() in question.lower()]
    listed = [*named, *(path for path in entries if path not in named)][:MOST_FILES]
    shown = (named or listed)[:MOST_SHOWN]
    if not listed:
        return ""
    lines = [_described(path) if path in shown else _name(path) for path in listed]
    more = len(entries) - len(listed)
    return "\n".join(
        ["Files in the current folder:", *lines, *([f"and {more} more"] if more else [])]
    )


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not path.name.startswith("."))


def _name(path: Path) -> str:
    name = without_controls(path.name)
    try:
        return f"{name}/" if path.is_dir() else name
    except OSError:
        return name


def _described(path: Path) -> str:
    """Return a file's name and what it holds."""
    try:
        if not path.is_file():
            return _name(path)
        with path.open("rb") as file:
            head = file.read(HEAD)
        return f"{_name(path)}{_content(path, head)}"
    except (OSError, sqlite3.Error, zipfile.BadZipFile):
        return _name(path)


def _content(path: Path, head: bytes) -> str:
    if head.startswith(b"SQLite format 3"):
        return f" (SQLite: {', '.join(_tables(path))})"
    if head.startswith(b"PK\x03\x04") and path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return f" (zip archive of {', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
    if not head:
        return " (empty)"
    if b"\0" in head:
        return " (binary)"
    lines = head.decode("utf-8", "replace").splitlines()
    begins = [without_controls(line)[:LONGEST_LINE] for line in lines[:LINES]]
    return "".join([":", *(f"\n    {line}" for line in begins)])


def _tables(path: Path) -> Sequence[str]:
    """Return the tables of a database with their columns, as in "orders(id, total)"."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 8"
        names = [name for (name,) in database.execute(query)]
        quoted = [name.replace('"', '""') for name in names]
        columns = [database.execute(f'PRAGMA table_info("{name}")').fetchall() for name in quoted]
    return [
        f"{name}({', '.join(column[1] for column in of[:12])})"
        for name, of in zip(names, columns, strict=True)
    ]
