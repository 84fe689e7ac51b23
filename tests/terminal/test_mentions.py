"""Files that a message names, and the completion of their paths."""

from pathlib import Path

import pytest

from oi_daemon.terminal.mentions import mentioned_files, path_completions
from tests.fakes.openai_server import ThreadedServer, text
from tests.terminal.conftest import Open
from tests.terminal.terminal import COMMAND

PNG = bytes.fromhex("89504e470d0a1a0a") + b"\0" * 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a few files."""
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    (folder / "data").mkdir()
    for name in ("data/a.csv", "data/b.csv", "my notes.txt", "pic.png", ".hidden", "it's"):
        (folder / name).write_bytes(PNG if name.endswith(".png") else b"1,2\n")
    return folder


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("Sum @data/a.csv", ["data/a.csv"]),
        ("Compare @data/a.csv, and (@data/b.csv).", ["data/a.csv", "data/b.csv"]),
        ("@data/a.csv @data/a.csv", ["data/a.csv"]),
        ('Read @"my notes.txt".', ["my notes.txt"]),
        ('Read @"my notes.txt" now', ["my notes.txt"]),
        ("Read @my\\ notes.txt", ["my notes.txt"]),
        ("Write to me@example.com", []),
        ("@nobody is there, and @data is a folder", []),
        ("data/a.csv is not marked", []),
        ("pic.png is not a whole path", []),
        ("~/pic.png", []),
        ("@", []),
        ("@\0 @~nobody/x", []),
    ],
)
def test_files_that_are_mentioned(folder: Path, message: str, names: list[str]) -> None:
    assert mentioned_files(message) == [Path(name) for name in names]


@pytest.mark.parametrize("form", ["{}", "'{}'", '"{}"', "file://{}", "See {}."])
def test_the_whole_path_of_a_picture_is_enough(folder: Path, form: str) -> None:
    """As terminals paste a file that is dropped on them."""
    picture = folder / "pic.png"
    assert mentioned_files(form.format(picture)) == [picture]
    assert mentioned_files(form.format(folder / "my notes.txt")) == []


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("da", ["data/"]),
        ("data/", ["data/a.csv", "data/b.csv"]),
        ("my\\ n", ["my\\ notes.txt"]),
        ("it", ["it\\'s"]),
        (".h", [".hidden"]),
        ("", ["data/", "it\\'s", "my\\ notes.txt", "pic.png"]),
        ("nowhere/", []),
        ("~nobody/", []),
    ],
)
def test_paths_are_completed(folder: Path, typed: str, completed: list[str]) -> None:
    assert [written for written, _ in path_completions(typed)] == completed


def test_a_file_is_completed_and_goes_with_the_message_and_a_picture_as_such(
    terminal: Open, folder: Path, server: ThreadedServer
) -> None:
    server.enqueue(text("Three."), text("A dot."))
    it = terminal("-m", "gpt-4o")
    it.wait_for_prompt()
    it.type("Sum @da\t")
    it.wait_for("> Sum @data/")
    it.type("a\t")
    it.wait_for("> Sum @data/a.csv")
    it.say("")
    it.wait_for("Three.")
    assert "with data/a.csv" in it.lines
    assert "1,2" in server.bodies[-1]["messages"][-1]["content"]
    it.wait_for_prompt()
    it.say("What is @pic.png?")
    it.wait_for("A dot.")
    assert "data:image/png;base64," in str(server.bodies[-1]["messages"][-1]["content"])


def test_data_in_a_pipe_mentions_no_file_and_runs_no_command(
    terminal: Open, folder: Path, server: ThreadedServer
) -> None:
    (folder / "pic.txt").write_text("secret")
    server.enqueue(text("Read."), text("Seen."))
    line = f"echo '@pic.txt' | {COMMAND} go; echo '!touch made' | {COMMAND}"
    it = terminal("-c", line, command="/bin/sh")
    it.wait_for("Seen.")
    assert "secret" not in str(server.bodies)
    assert not (folder / "made").exists()
