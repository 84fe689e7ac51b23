"""What code has done to files, in the library and by magic commands."""

from pathlib import Path

import pytest

from oi_daemon.client.interpreter import Interpreter
from oi_daemon.errors import InvalidError
from oi_daemon.terminal.magic import run_magic

CODE = """
import os
open("a.txt", "w").write("one\\nTWO\\n")
os.remove("b.txt")
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo\n")
    (folder / "b.txt").write_text("b")
    return folder


def test_the_library_shows_and_undoes_them(work: Path) -> None:
    with Interpreter(cwd=str(work), keep_files=True) as interpreter:
        interpreter.execute("python", CODE)
        (block,) = interpreter.file_changes()
        assert [file["change"] for file in block["files"]] == ["changed", "deleted"]
        (diff,) = interpreter.file_diffs("a.txt")
        assert (diff["before"], diff["after"]) == ("one\ntwo\n", "one\nTWO\n")
        assert interpreter.undo_files("b.txt")["refused"] == []
        assert sorted(path.name for path in work.iterdir()) == ["a.txt", "b.txt"]
        assert (work / "a.txt").read_text() == "one\nTWO\n"
        interpreter.undo_files(redo=True)
        assert not (work / "b.txt").exists()
        interpreter.undo_files()
        assert (work / "a.txt").read_text() == "one\ntwo\n"


def test_magic_commands_show_and_undo_them(work: Path) -> None:
    with Interpreter(cwd=str(work), keep_files=True) as interpreter:
        assert run_magic(interpreter, "%files") == "Code has changed no files yet."
        interpreter.execute("python", CODE)
        shown = run_magic(interpreter, "%files")
        assert "-two\n+TWO" in shown
        assert "   1  python: a.txt (changed), b.txt (deleted)" in shown
        assert "b.txt" in run_magic(interpreter, "%files 1")
        assert "a.txt (changed)" in run_magic(interpreter, "%undo files")
        assert (work / "b.txt").exists()
        assert "b.txt (deleted)" in run_magic(interpreter, "%redo")
        assert not (work / "b.txt").exists()
        run_magic(interpreter, "%undo files b.txt")
        assert (work / "b.txt").exists()
        with pytest.raises(InvalidError, match="nothing or `files`"):
            run_magic(interpreter, "%undo everything")
