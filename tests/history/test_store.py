"""Saving, loading and ending conversations."""

import json
import os
import re
from pathlib import Path

import pytest

from oi_daemon.errors import InvalidError, OIError
from oi_daemon.history import History, conversation_file
from oi_daemon.messages import CodeMessage, Message, UserMessage, dump
from tests.history.conversations import (
    CONVERSATION,
    another,
    asked,
    change_time,
    names,
    saved,
    stored,
)


def test_a_file_holds_a_list_in_the_stored_shape(history: History) -> None:
    path = saved(history, "a", CONVERSATION)
    assert json.loads(path.read_text("utf-8")) == [dump(message) for message in CONVERSATION]


def test_a_conversation_is_read_back(history: History, folder: Path) -> None:
    history.save("a", CONVERSATION)
    assert history.load("a") == another(folder).load("a") == CONVERSATION


def test_a_conversation_that_is_not_there(history: History) -> None:
    assert history.load("a") is None
    assert history.path_of("a") is None
    assert history.delete("a") is False


def test_files_and_folders_are_private(history: History, folder: Path) -> None:
    path = saved(history, "a", CONVERSATION)
    for place, mode in [(path, 0o600), (folder, 0o700), (folder.parent, 0o700)]:
        assert place.stat().st_mode & 0o777 == mode


def test_a_folder_of_the_users_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    another(tmp_path).save("a", CONVERSATION)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_nothing_is_made_before_the_first_save(history: History, folder: Path) -> None:
    history.list()
    history.load("a")
    history.save("a", [])
    assert not folder.parent.exists()


def test_a_conversation_that_was_emptied_is_kept_empty(history: History) -> None:
    history.save("a", CONVERSATION)
    history.save("a", [])
    assert history.load("a") == []


def test_a_save_leaves_one_file(history: History, folder: Path) -> None:
    for count in range(1, 4):
        history.save("a", CONVERSATION[:count])
    assert len(names(folder)) == 1


def test_a_failed_save_leaves_the_file_and_nothing_else(
    history: History, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.save("a", CONVERSATION)
    before = names(folder)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OIError, match=r"No space left on device.* conversation_history_path"):
        history.save("a", [])
    monkeypatch.undo()

    assert names(folder) == before
    assert history.load("a") == CONVERSATION


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    history = another(tmp_path / "file")
    with pytest.raises(OIError, match="conversation_history_path"):
        history.save("a", CONVERSATION)
    with pytest.raises(OIError, match="conversation_history_path"):
        history.list()


def test_text_of_every_kind_is_kept(history: History) -> None:
    odd: list[Message] = [
        UserMessage("é漢🙂\x00\u2028\ud83d"),
        CodeMessage("r", '"\\\r\n', "\x1b[1m", ({},)),
    ]
    history.save("a", odd)
    assert history.load("a") == odd


def test_what_killed_writers_left_is_swept_up(history: History, folder: Path) -> None:
    drafts = folder / ".journal"
    drafts.mkdir(parents=True)
    old, fresh = drafts / ".0123.tmp", drafts / ".4567.tmp"
    for left in (old, fresh):
        left.write_text("[{")
    change_time(old, 1)

    path = saved(history, "a", CONVERSATION)

    assert (old.exists(), fresh.exists()) == (False, True)
    assert names(folder) == [path.name]
    assert [entry.conversation for entry in history.list().entries] == ["a"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"{}", b"\xff\xfe\x00", b'[{"role": "user"}]', b"[" * 100_000, b"[7]"],
)
def test_a_broken_file_is_named_and_never_overwritten(
    history: History, folder: Path, content: bytes
) -> None:
    path = saved(history, "a", CONVERSATION)
    path.write_bytes(content)
    later = another(folder)

    with pytest.raises(InvalidError, match=re.escape(str(path))):
        later.load("a")
    assert later.list().entries == []
    assert saved(later, "a", asked("go on")) != path
    assert path.read_bytes() == content
    assert later.load("a") == asked("go on")


def test_what_is_no_conversation_is_passed_over(history: History, folder: Path) -> None:
    history.save("a", CONVERSATION)
    (folder / "folder.json").mkdir()
    (folder / "notes.txt").write_text("[]")
    (folder / "dangling.json").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.json")
    (folder / os.fsdecode(b"latin-\xe9.json")).write_text("[]")

    assert [entry.conversation for entry in history.list().entries] == ["a"]


def test_a_deleted_conversation_is_gone(history: History, folder: Path) -> None:
    history.save("a", CONVERSATION)
    assert history.delete("a") is True
    assert names(folder) == []
    assert history.load("a") is None


def test_set_aside_a_conversation_begins_anew_and_the_old_one_stays(history: History) -> None:
    history.save("a", CONVERSATION)
    history.set_aside("a")
    assert history.load("a") is None

    history.save("a", asked("anew"))

    assert history.load("a") == asked("anew")
    [other] = [e for e in history.list().entries if e.conversation != "a"]
    assert history.load(other.conversation) == CONVERSATION


def test_a_name_that_the_user_chose_is_for_what_comes_after_a_reset(history: History) -> None:
    history.save("a", CONVERSATION, filename="mine.json")
    history.set_aside("a")
    history.save("a", asked("anew"), filename="mine.json")

    assert stored(history.folder / "mine.json") == asked("anew")
    assert history.load("a") == asked("anew")
    [other] = [e for e in history.list().entries if e.conversation != "a"]
    assert history.load(other.conversation) == CONVERSATION


def test_what_waits_in_the_journal_is_listed_and_found(history: History) -> None:
    history.save("a", CONVERSATION[:1])
    history.save("a", [*CONVERSATION[:1], *asked("zebra")], merge="soon")
    [entry] = history.list(query="zebra").entries
    assert entry.conversation == "a"
    assert not history.needs_merge("a")


def test_not_many_messages_wait_in_the_journal(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_file, "MOST_WAITING", 3)
    waited = []
    for count in range(1, 10):
        history.save("a", asked("more") * count, merge="soon")
        waited.append(history.needs_merge("a"))
    assert waited == [False, True, True, True, False, True, True, True, False]


def test_nothing_can_be_set_aside(history: History, folder: Path) -> None:
    history.set_aside("a")
    assert not folder.exists()


def test_journals_and_the_index_are_private(history: History, home: Path) -> None:
    history.save("a", CONVERSATION[:1], merge="later")
    history.save("a", CONVERSATION, merge="later")
    history.list()
    files = [path for path in home.parent.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".json", ".jsonl", ".sqlite3"}
    assert [path for path in files if path.stat().st_mode & 0o077] == []
