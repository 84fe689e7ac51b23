"""A fault at every system call of a save: what was acknowledged is there, and all is told."""

import errno
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from oi_daemon import files
from oi_daemon.errors import OIError
from oi_daemon.history import History, document
from tests.fakes.disk import FaultyDisk, fail_at
from tests.history.turns import CONVERSATION, STORY, Step, states

ROOT = Path(__file__).parents[2]

ERRORS = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EMFILE]

MANY = 60
"""Less system calls than a story has."""


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_a_call_that_fails_once_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """The save that fails says so, and nothing of before is missing; the next try succeeds."""
    for number in count(1):
        folder = tmp_path / str(number)
        disk = FaultyDisk(fail_at(number, error))
        history = History(folder)
        for told, step in enumerate(STORY):
            monkeypatch.setattr(files, "os", disk)
            failure = attempt(step, history)
            monkeypatch.setattr(files, "os", os)
            if failure is not None:
                assert os.strerror(error) in failure
                assert found(folder) in [*states(told)]
                step.run(history)
        monkeypatch.setattr(files, "os", os)
        assert found(folder) == STORY[-1].messages
        assert len([*folder.glob("*.json")]) == 1
        if disk.calls < number:
            break
    assert number > MANY


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_disk_that_fails_from_then_on_loses_nothing_and_serves_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    for number in count(1):
        folder = tmp_path / str(number)
        disk = FaultyDisk(fail_at(number, error, forever=True))
        monkeypatch.setattr(files, "os", disk)
        history, told = History(folder), 0
        while told < len(STORY) and attempt(STORY[told], history) is None:
            told += 1
        monkeypatch.setattr(files, "os", os)
        assert found(folder) in [*states(told)]
        for step in STORY[told:]:
            step.run(history)
        assert found(folder) == STORY[-1].messages
        if disk.calls < number:
            break
    assert number > MANY


def test_a_process_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """A real process is killed at each system call; another one finds what was acknowledged."""
    command = [sys.executable, "-m", "tests.history.killed"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdin
        assert killed.stdout
        for number in count(1):
            folder = tmp_path / str(number)
            killed.stdin.write(f"{number} {folder}\n")
            killed.stdin.flush()
            told, ended = killed.stdout.readline().split()
            assert found(folder) in [*states(int(told))]
            History(folder).list()
            assert found(folder) in [*states(int(told))]
            if ended == "ended":
                break
    assert number > MANY


def attempt(step: Step, history: History) -> str | None:
    """Run a step; what the failure says, None if there was none."""
    try:
        step.run(history)
    except OIError as error:
        return str(error)
    return None


def found(folder: Path) -> tuple[object, ...] | None:
    """What another process finds; every file must load."""
    for path in folder.glob("*.json"):
        document.read(path)
    messages = History(folder).load(CONVERSATION)
    return None if messages is None else tuple(messages)
