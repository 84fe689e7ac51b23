"""A loss of power, at every system call: what was acknowledged is there, and every file loads."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from oi_daemon import files
from oi_daemon.history import History, conversation_file, document
from tests.fakes.disk import ModelDisk
from tests.history.conversations import another, close_all
from tests.history.turns import CONVERSATION, DELETED, play_story, states


def nothing() -> bool:
    return False


def everything() -> bool:
    return True


def some(seed: int) -> Callable[[], bool]:
    chance = random.Random(seed)
    return lambda: chance.random() < 0.5


@pytest.mark.parametrize("large", [conversation_file.LARGE, 600, 0])
def test_what_was_acknowledged_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    """Whatever else of what was written survives: nothing, all, or any part of it.

    A conversation is `large` early, so that its JSON file is replaced at another time.
    """
    monkeypatch.setattr(conversation_file, "LARGE", large)
    told = calls = 0

    def lose_power() -> None:
        nonlocal calls
        calls += 1
        monkeypatch.setattr(files, "os", os)
        for number, chance in enumerate([nothing, everything, some(calls)]):
            left = tmp_path / f"{calls}-{number}"
            disk.survivors(chance, left)
            check(left / "conversations", told, recovered=calls % 4 == 0)
        monkeypatch.setattr(files, "os", disk)

    def acknowledge(number: int) -> None:
        nonlocal told
        told = number

    root = tmp_path / "disk"
    disk = ModelDisk(root, lose_power)
    monkeypatch.setattr(files, "os", disk)
    history = History(root / "conversations")
    play_story(history, acknowledge)
    history.merge(CONVERSATION)
    history.close()

    assert calls > 60


def test_a_conversation_that_was_deleted_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "disk"
    disk = ModelDisk(root, lambda: None)
    monkeypatch.setattr(files, "os", disk)
    history = History(root / "conversations")
    play_story(history, lambda number: None)
    DELETED.run(history)
    monkeypatch.setattr(files, "os", os)
    disk.survivors(nothing, tmp_path / "left")

    assert another(tmp_path / "left/conversations").load(CONVERSATION) is None


def check(folder: Path, told: int, *, recovered: bool) -> None:
    """What a new process finds is what was acknowledged last, or what was being saved then.

    Args:
        recovered: find it also after what is in the journal was brought into the JSON file.
    """
    for path in folder.glob("*.json"):
        document.read(path)
    for _ in range(1 + recovered):
        found = History(folder).load(CONVERSATION)
        assert (None if found is None else tuple(found)) in [*states(told)]
        if recovered:
            another(folder).list()
            close_all()
