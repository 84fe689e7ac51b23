"""A file that cannot be read now is not a broken one: nothing is forked, dropped or removed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from oi_daemon import files
from oi_daemon.errors import OIError
from oi_daemon.history import History
from oi_daemon.messages import AssistantMessage, CodeMessage, Message
from tests.history.conversations import (
    CONVERSATION,
    another,
    asked,
    change_time,
    names,
    saved,
    stored,
)
from tests.history.turns import PICTURE

ERRORS = pytest.mark.parametrize(
    "error", [errno.EMFILE, errno.EIO, errno.EACCES], ids=errno.errorcode.get
)
PICTURED: list[Message] = [*CONVERSATION, CodeMessage("python", "plot()", "", (PICTURE,))]


class Unreadable:
    """The real `os`, which cannot open files of some ending to read them."""

    def __init__(self, ending: str, error: int) -> None:
        self._ending = ending
        self._error = error

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(self._ending) and not flags & os.O_CREAT:
            raise OSError(self._error, os.strerror(self._error), str(path))
        return os.open(path, flags, mode)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


@contextmanager
def unreadable(ending: str, error: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "os", Unreadable(ending, error))
        yield


def left_by_a_killed_process(folder: Path, messages: list[Message]) -> None:
    """Save a conversation and then a message more, which stays in the journal."""
    killed = another(folder)
    killed.save("a", messages)
    killed.save("a", [*messages, AssistantMessage("more")], merge="later")
    descriptor = killed._files["a"]._journal._descriptor  # the system closes it, and the lock goes
    assert descriptor is not None
    copy = os.dup(descriptor)
    os.close(descriptor)
    os.close(copy)
    killed._files["a"]._journal._descriptor = None
    killed._files.clear()


@ERRORS
@pytest.mark.parametrize("ending", [".json", ".png"])
def test_what_a_killed_process_left_waits_until_its_file_can_be_read(
    folder: Path, error: int, ending: str
) -> None:
    left_by_a_killed_process(folder, PICTURED)
    with unreadable(ending, error):
        other = another(folder)
        other.save("b", asked("b"))  # brings in what was left, where it can
    expected = [*PICTURED, AssistantMessage("more")]
    assert len([*folder.glob("*.json")]) == 2

    assert another(folder).load("a") == expected
    later = another(folder)
    later.save("c", asked("c"))
    assert later.load("a") == expected
    assert len([*folder.glob("*.json")]) == 3


@ERRORS
@pytest.mark.parametrize("ending", [".json", ".png"])
def test_to_load_it_fails_and_says_why(
    history: History, folder: Path, error: int, ending: str
) -> None:
    history.save("a", PICTURED)
    with unreadable(ending, error), pytest.raises(OIError, match=os.strerror(error)):
        another(folder).load("a")
    assert another(folder).load("a") == PICTURED


@ERRORS
def test_a_save_beside_another_program_s_fails_and_forks_nothing(
    history: History, folder: Path, error: int
) -> None:
    path = saved(history, "a", CONVERSATION)
    path.write_bytes(path.read_bytes() + b"\n")  # the same messages, in another layout
    more = [*CONVERSATION, AssistantMessage("more")]
    with unreadable(".json", error), pytest.raises(OIError, match=os.strerror(error)):
        history.save("a", more)
    history.save("a", more)
    assert stored(path) == more
    assert names(folder) == [path.name]


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES], ids=errno.errorcode.get)
def test_the_list_passes_it_over_until_it_can_be_read(
    history: History, folder: Path, error: int
) -> None:
    history.save("a", asked("first"))
    path = saved(history, "b", asked("second"))
    history.close()
    change_time(path, 2_000_000_000)  # so that the index has to read it again
    later = another(folder)
    with unreadable(path.name, error):
        for query in (None, "first", "second"):
            found = [entry.conversation for entry in later.list(query=query).entries]
            assert found == ([] if query == "second" else ["a"])
    again = another(folder)
    assert [entry.conversation for entry in again.list().entries] == ["b", "a"]
    assert [entry.conversation for entry in again.list(query="second").entries] == ["b"]


def test_a_list_without_free_descriptors_fails_and_forgets_nothing(
    history: History, folder: Path
) -> None:
    change_time(saved(history, "a", asked("first")), 1)
    history.close()
    later = another(folder)
    with unreadable(".json", errno.EMFILE), pytest.raises(OIError, match="Too many open files"):
        later.list()
    assert [entry.conversation for entry in later.list().entries] == ["a"]


@ERRORS
def test_its_pictures_are_not_removed(history: History, folder: Path, error: int) -> None:
    path = saved(history, "a", PICTURED)
    history.close()
    change_time(path, 1)
    later = another(folder)
    with unreadable(path.name, error), pytest.raises(OIError):
        later.sweep_pictures()
    assert another(folder).load("a") == PICTURED
