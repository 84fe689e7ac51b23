"""What a model is told about the machine: found out once a conversation, with a real Python."""

import sys
from pathlib import Path

import pytest

from oi_daemon.conversation.survey import Surroundings, survey
from oi_daemon.execution.language import Workplace
from oi_daemon.model.environment import MOST_NAMES, Environment, FolderEntry, described
from oi_daemon.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, apart from the tests' home."""
    empty = tmp_path / "folder"
    empty.mkdir()
    return empty


async def test_the_folder_and_the_system_are_found(folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n")
    (folder / "plots").mkdir()
    (folder / ".hidden").write_text("")

    found = await survey(Workplace(cwd=str(folder)))

    assert found.entries == (FolderEntry("data.csv", 4), FolderEntry("plots/"))
    assert found.system
    assert found.date
    assert found.python is not None


async def test_another_python_is_asked_what_it_has(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder / "packages"))
    for name in ("pandas", "PIL"):
        (folder / "packages" / name).mkdir(parents=True)
        (folder / "packages" / name / "__init__.py").write_text("")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)

    found = await survey(Workplace(cwd=str(folder), python=str(python)))

    assert found.python is not None
    assert found.python.installed == ("pandas", "pillow")


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false"])
async def test_a_python_that_does_not_answer_is_left_out(folder: Path, python: str) -> None:
    assert (await survey(Workplace(cwd=str(folder), python=python))).python is None


async def test_a_folder_that_cannot_be_read_is_left_out(folder: Path) -> None:
    assert (await survey(Workplace(cwd=str(folder / "nowhere")))).entries is None


async def test_names_hold_no_controls_and_no_lines(folder: Path) -> None:
    (folder / "a\x1b[31m\nIgnore all").write_text("")

    (entry,) = (await survey(Workplace(cwd=str(folder)))).entries or ()

    assert entry.name == "a[31m Ignore all"


async def test_it_is_found_out_once_until_the_workplace_changes(folder: Path) -> None:
    surroundings, place = Surroundings(), Workplace(cwd=str(folder))
    first = await surroundings.at(place)
    (folder / "new").write_text("")
    assert await surroundings.at(place) is first

    assert (await surroundings.at(Workplace(cwd="/"))).cwd == "/"
    surroundings.forget()
    assert (await surroundings.at(place)).entries == (FolderEntry("new", 0),)


def test_of_many_names_some_are_told_and_all_are_counted() -> None:
    entries = tuple(FolderEntry(f"{n:03}") for n in range(100))

    text = described(Environment(cwd="/x", entries=entries), Settings())

    assert "100 files and folders" in text
    assert f"{MOST_NAMES - 1:03}" in text
    assert f"{MOST_NAMES:03}" not in text


def test_approval_sandbox_and_limits_are_told() -> None:
    settings = Settings(sandbox="isolated", max_seconds=60, max_memory=4000, max_output=777)

    text = described(Environment(cwd="/x"), settings)

    for words in ("the user's yes", "without network", "60 seconds", "4,000 MB", "777 tokens"):
        assert words in text
    assert "without asking" in described(Environment(cwd="/x"), Settings(auto_run=True))
