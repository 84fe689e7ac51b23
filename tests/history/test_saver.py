"""Saving off the event loop: what a turn waits for, what is tried again, what a person is told."""

import asyncio
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from oi_daemon import files
from oi_daemon.history import History, Merge, Saver, conversation_file, saver
from oi_daemon.messages import Message
from tests.history.conversations import CONVERSATION, another, asked, stored
from tests.patience import until


class Disk:
    """The real one; its flushes fail while `broken` is set, and wait while `hangs` is."""

    def __init__(self) -> None:
        self.broken: str | None = None
        self.renames = True
        """Whether files can be replaced; journals can be written all the same."""
        self.goes_on = Event()
        self.goes_on.set()
        self.flushes = 0

    def hang(self) -> None:
        self.goes_on.clear()

    def fsync(self, descriptor: int) -> None:
        self.flushes += 1
        self.goes_on.wait()
        if self.broken:
            raise OSError(errno.ENOSPC, self.broken)

    def rename(self, source: Path, target: Path) -> None:
        if not self.renames:
            raise OSError(errno.ENOSPC, "Full")
        source.rename(target)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    replacement = Disk()
    monkeypatch.setattr(files, "os", replacement)
    yield replacement
    replacement.goes_on.set()


@pytest.fixture
def quick_saver(monkeypatch: pytest.MonkeyPatch) -> Saver:
    """A saver that tries again at once, and has little patience."""
    monkeypatch.setattr(saver, "_FIRST_DELAY", 0.01)
    monkeypatch.setattr(saver, "_INTERRUPTED_PATIENCE", 0.01)
    return Saver("a")


async def save(
    quick_saver: Saver, history: History, messages: Sequence[Message], merge: Merge = "now"
) -> None:
    saving = quick_saver.start(history, messages, None, merge)
    if saving is not None:
        await quick_saver.wait(saving)


async def test_a_save_is_on_the_disk_when_it_has_been_waited_for(
    quick_saver: Saver, history: History, folder: Path
) -> None:
    await save(quick_saver, history, CONVERSATION)
    assert another(folder).load("a") == CONVERSATION
    assert (quick_saver.problem, quick_saver.take_notices()) == (None, [])


async def test_what_is_saved_is_not_saved_again(
    quick_saver: Saver, history: History, disk: Disk
) -> None:
    await save(quick_saver, history, CONVERSATION)
    flushes = disk.flushes
    await save(quick_saver, history, CONVERSATION)
    await save(quick_saver, history, CONVERSATION, merge="later")
    assert disk.flushes == flushes


async def test_nothing_is_written_for_a_conversation_without_messages(
    quick_saver: Saver, history: History, folder: Path
) -> None:
    await save(quick_saver, history, [])
    assert files.state(folder) is None


async def test_a_failure_is_told_once_and_tried_again_until_it_succeeds(
    quick_saver: Saver, history: History, folder: Path, disk: Disk
) -> None:
    disk.broken = "No space left on device"
    await save(quick_saver, history, CONVERSATION)

    assert quick_saver.problem
    assert disk.broken in quick_saver.problem
    assert quick_saver.take_notices() == [quick_saver.problem]
    await until(lambda: disk.flushes > 3)
    assert quick_saver.take_notices() == []
    disk.broken = None
    await until(lambda: quick_saver.problem is None)
    assert quick_saver.take_notices() == ["The conversation is saved again."]
    assert another(folder).load("a") == CONVERSATION


@pytest.mark.parametrize("large", [1 << 20, 10], ids=["small", "large"])
async def test_a_file_that_cannot_be_written_is_told_once_while_the_journal_takes_all(
    quick_saver: Saver,
    history: History,
    folder: Path,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    large: int,
) -> None:
    monkeypatch.setattr(conversation_file, "LARGE", large)
    monkeypatch.setattr(saver, "_MERGE_AFTER", 0.001)
    await save(quick_saver, history, CONVERSATION[:1])
    disk.renames = False
    told = []
    for count in range(1, 8):
        messages = [*CONVERSATION, *asked("more" * count)]
        await save(quick_saver, history, messages, merge="later")
        told += quick_saver.take_notices()
        await save(quick_saver, history, messages)
        await until(lambda: quick_saver.problem is not None)
        told += quick_saver.take_notices()
        assert another(folder).load("a") == messages
    [notice] = told
    assert "saved beside the conversation's file, but not in it" in notice

    disk.renames = True
    await until(lambda: quick_saver.problem is None)
    assert quick_saver.take_notices() == ["The conversation is saved again."]
    path = history.path_of("a")
    assert path is not None
    assert stored(path) == messages


async def test_the_next_message_saves_what_failed_before(
    quick_saver: Saver, history: History, folder: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver, "_FIRST_DELAY", 1000)
    disk.broken = "Full"
    await save(Saver("b"), history, asked("b"))
    await save(quick_saver := Saver("a"), history, CONVERSATION[:1])
    disk.broken = None
    await save(quick_saver, history, CONVERSATION)
    assert quick_saver.problem is None
    assert another(folder).load("a") == CONVERSATION


async def test_at_the_end_there_is_a_last_try(
    history: History, folder: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver, "_FIRST_DELAY", 1000)
    quick_saver = Saver("a")
    disk.broken = "Full"
    await save(quick_saver, history, CONVERSATION)
    disk.broken = None
    await quick_saver.close()
    assert another(folder).load("a") == CONVERSATION


async def test_a_disk_that_hangs_holds_up_neither_the_loop_nor_a_turn_for_long(
    quick_saver: Saver, history: History, folder: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver, "_PATIENCE", 0.01)
    disk.hang()
    for count in range(1, 4):
        await save(quick_saver, history, CONVERSATION[:count], merge="later")
    assert quick_saver.problem
    assert "does not answer" in quick_saver.problem
    assert quick_saver.take_notices() == [quick_saver.problem]

    disk.goes_on.set()
    await until(lambda: quick_saver.problem is None)
    assert another(folder).load("a") == CONVERSATION


async def test_an_interrupted_turn_does_not_wait_for_the_disk(
    quick_saver: Saver, history: History, disk: Disk
) -> None:
    disk.hang()
    saving = asyncio.create_task(save(quick_saver, history, CONVERSATION))
    await until(lambda: disk.flushes == 1)
    quick_saver.interrupt()
    await asyncio.wait_for(saving, 5)


async def test_a_large_conversation_is_merged_when_it_is_at_rest(
    quick_saver: Saver, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_file, "LARGE", 10)
    monkeypatch.setattr(saver, "_MERGE_AFTER", 0.01)
    await save(quick_saver, history, CONVERSATION[:1])
    path = history.path_of("a")
    assert path is not None
    await save(quick_saver, history, CONVERSATION)
    await until(lambda: stored(path) == CONVERSATION)


async def test_blocks_in_quick_succession_are_kept_at_once_and_merged_at_rest(
    quick_saver: Saver, history: History, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver, "_MERGE_AFTER", 1000)
    await save(quick_saver, history, CONVERSATION[:1])
    path = history.path_of("a")
    assert path is not None
    for count in range(2, len(CONVERSATION)):
        await save(quick_saver, history, CONVERSATION[:count], "soon")
        assert another(folder).load("a") == CONVERSATION[:count]
    assert stored(path) == CONVERSATION[:1]

    monkeypatch.setattr(saver, "_MERGE_AFTER", 0.01)
    await save(quick_saver, history, CONVERSATION, "soon")
    await until(lambda: stored(path) == CONVERSATION)


async def test_without_history_what_failed_is_given_up(
    quick_saver: Saver, history: History, disk: Disk
) -> None:
    disk.broken = "Full"
    await save(quick_saver, history, CONVERSATION)
    quick_saver.give_up()
    assert quick_saver.problem is None
    flushes = disk.flushes
    await quick_saver.close()
    assert disk.flushes == flushes
