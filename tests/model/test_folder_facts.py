"""What a small model is told about the files in its folder."""

import sqlite3
import zipfile
from pathlib import Path

import pytest

from oi_daemon.model.local.folder_facts import LONGEST_LINE, MOST_FILES, folder_facts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, apart from the tests' home."""
    empty = tmp_path / "folder"
    empty.mkdir()
    return empty


def test_an_empty_or_missing_folder_says_nothing(folder: Path) -> None:
    assert folder_facts(str(folder), "") == ""
    assert folder_facts(str(folder / "nowhere"), "") == ""


def test_the_beginning_of_the_files_that_the_question_names_is_shown(folder: Path) -> None:
    (folder / "a.csv").write_text("name;age\nBo;5\nAl;6\nCy;7\n")
    (folder / "b.csv").write_text("other\n")
    assert folder_facts(str(folder), "Who is oldest in A.csv?") == (
        "Files in the current folder:\na.csv:\n    name;age\n    Bo;5\n    Al;6\nb.csv"
    )


def test_databases_archives_and_others_are_described(folder: Path) -> None:
    with sqlite3.connect(folder / "a.db") as database:
        database.execute('CREATE TABLE "my orders" (id INTEGER, total REAL)')
    database.close()
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.writestr("x.txt", "x")
    (folder / "c.bin").write_bytes(b"\0\1")
    (folder / "d.txt").write_text("")
    assert folder_facts(str(folder), "").splitlines()[1:] == [
        "a.db (SQLite: my orders(id, total))",
        "b.zip (zip archive of x.txt)",
        "c.bin (binary)",
        "d.txt (empty)",
    ]


def test_what_is_broken_is_only_named(folder: Path) -> None:
    (folder / "a.db").write_bytes(b"SQLite format 3\0broken" * 100)
    (folder / "b.zip").write_bytes(b"PK\x03\x04broken")
    (folder / "c.txt").symlink_to("nowhere")
    assert folder_facts(str(folder), "").splitlines()[1:] == ["a.db", "b.zip", "c.txt"]


def test_long_lines_and_many_files_are_cut(folder: Path) -> None:
    for n in range(MOST_FILES + 5):
        (folder / f"{n:02}.txt").write_text("x" * 5000)
    facts = folder_facts(str(folder), "")
    assert facts.endswith("and 5 more")
    assert "x" * (LONGEST_LINE + 1) not in facts
