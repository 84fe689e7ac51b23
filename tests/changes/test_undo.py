"""What code has done to files is undone byte for byte, and redone."""

import os
import random
import stat
from pathlib import Path

import pytest

from oi_daemon.changes import tree, words
from oi_daemon.changes.undoing import Wanted
from tests.changes.folders import change, fill, picture, seeds
from tests.changes.keepers import ALL, REDO, block, keeper, run_killed, undo_all


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a filled folder `work`."""
    (tmp_path / "work").mkdir()
    fill(tmp_path / "work")
    return tmp_path


@pytest.fixture(params=["told", "compared"])
def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the system tells of changes, and without."""
    if request.param == "compared":
        monkeypatch.setattr(tree, "watches", lambda: None)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("seed", [*seeds(3)])
def test_random_changes_are_undone_and_redone_byte_for_byte(folder: Path, seed: int) -> None:
    work, kept = folder / "work", keeper(folder)
    before = picture(work)
    for number in range(6):
        block(kept, folder, seed * 100 + number)
    after = picture(work)
    undo_all(kept)
    assert picture(work) == before
    undo_all(kept, REDO)
    assert picture(work) == after
    undo_all(kept)
    assert picture(work) == before
    kept.close()


@pytest.mark.parametrize("seed", [*seeds(3)])
def test_what_a_killed_block_has_changed_is_undone(folder: Path, seed: int) -> None:
    before = picture(folder / "work")
    assert run_killed(folder, seed, at=0)
    kept = keeper(folder)
    assert [record.is_cut_off for record in kept.records()] == [True]
    undo_all(kept)
    assert picture(folder / "work") == before
    kept.close()


@pytest.mark.parametrize("seed", [*seeds(4)])
def test_an_undo_in_which_the_process_was_killed_is_finished(folder: Path, seed: int) -> None:
    """At the next start, before anything is asked of it."""
    before = picture(folder / "work")
    assert run_killed(folder, seed, at=random.Random(seed).randrange(1, 10))
    kept = keeper(folder)
    kept.prepare()
    assert picture(folder / "work") == before
    undo_all(kept, REDO)
    undo_all(kept)
    assert picture(folder / "work") == before
    kept.close()


def test_a_file_that_was_changed_since_stays_and_is_named(folder: Path) -> None:
    work, kept = folder / "work", keeper(folder)
    before = (work / "f2.txt").read_bytes()
    kept.before(1, "python")
    (work / "f3.txt").write_text("by code")
    (work / "f2.txt").write_text("by code")
    kept.after()
    (work / "f3.txt").write_text("by a person")
    undone = kept.undo(ALL)
    assert undone.refused == {str(work / "f3.txt"): "it was changed since"}
    assert (work / "f3.txt").read_text() == "by a person"
    assert (work / "f2.txt").read_bytes() == before
    kept.close()


def test_one_path_of_the_latest_block_is_undone(folder: Path) -> None:
    work, kept = folder / "work", keeper(folder)
    for number in (1, 2):
        kept.before(number, "python")
        (work / "f1.txt").write_text(f"block {number}")
        (work / f"new {number}").mkdir()
        (work / f"new {number}" / "file").write_text("new")
        kept.after()
    kept.undo(Wanted(path=str(work / "f1.txt")))
    assert (work / "f1.txt").read_text() == "block 1"
    assert (work / "new 2").exists()
    kept.undo(Wanted(path=str(work / "new 1")))
    assert not (work / "new 1").exists()
    kept.undo(Wanted(block=1))
    assert (work / "new 2" / "file").read_text() == "new"
    kept.close()


def test_what_was_not_kept_is_told_with_the_reason(folder: Path) -> None:
    work, kept = folder / "work", keeper(folder, largest=1 << 20)
    kept.before(1, "python")
    (work / "large.bin").write_bytes(b"new")
    record = kept.after()
    assert record
    assert "large.bin (it is larger than keep_files_largest)" in words.notice(
        record, words.visible(record, str(work))
    )
    undone = kept.undo(ALL)
    assert undone.refused == {str(work / "large.bin"): "it is larger than keep_files_largest"}
    kept.close()


def test_permissions_of_a_file_that_was_not_kept_go_back(folder: Path) -> None:
    large, kept = folder / "work/large.bin", keeper(folder, largest=1)
    before = stat.S_IMODE(large.stat().st_mode)
    kept.before(1, "python")
    large.chmod(0o600)
    kept.after()
    assert kept.undo(ALL).refused == {}
    assert stat.S_IMODE(large.stat().st_mode) == before
    kept.close()


def test_room_is_made_of_what_nothing_needs_any_more(folder: Path) -> None:
    """A conversation that rewrites its own files for ever does not fill the store for ever."""
    kept = keeper(folder, size=20 << 20)
    for number in range(12):
        kept.before(number, "python")
        path = folder / "work" / f"large {number}"
        path.write_bytes(random.Random(number).randbytes(3 << 20))
        kept.after()
        kept.before(number, "python")
        assert kept.after() is None
        path.unlink()
    kept.before(99, "python")
    (folder / "work/large.bin").unlink()
    record = kept.after()
    assert record
    assert [each.lost for each in record.changes] == [None]
    kept.close()


def test_what_git_ignores_and_tools_can_rebuild_is_left_alone(folder: Path) -> None:
    work = folder / "work"
    (work / ".git").mkdir()
    (work / ".gitignore").write_text("*.log\nout/\n!keep.log\n")
    (work / "node_modules").mkdir()
    kept = keeper(folder, ignore="*.tmp, !node_modules")
    kept.before(1, "python")
    for name in ("a.log", "keep.log", "b.tmp", ".git/index", "node_modules/x", "plain"):
        (work / name).write_text("new")
    (work / "out").mkdir()
    (work / "out/deep").write_text("new")
    record = kept.after()
    assert record
    assert [each.path for each in words.visible(record, str(work))] == ["keep.log", "plain"]
    kept.close()


def test_a_folder_with_others_files_stays(folder: Path) -> None:
    work, kept = folder / "work", keeper(folder)
    kept.before(1, "python")
    (work / "made").mkdir()
    kept.after()
    (work / "made/mine").write_text("a person's")
    assert kept.undo(ALL).refused == {str(work / "made"): "it holds other files"}
    assert (work / "made/mine").exists()
    kept.close()


def test_only_the_user_can_read_what_is_kept(folder: Path) -> None:
    kept = keeper(folder)
    block(kept, folder, 1)
    for path in [folder / "kept", *(folder / "kept").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    kept.close()


def test_closed_it_keeps_only_what_an_undo_needs(folder: Path) -> None:
    work, kept = folder / "work", keeper(folder)
    before = picture(work)
    kept.before(1, "python")
    (work / "f3.txt").unlink()
    kept.after()
    kept.close()
    assert sum(path.stat().st_size for path in (folder / "kept").rglob("*")) < 30_000
    again = keeper(folder)
    undo_all(again)
    assert picture(work) == before
    again.close(delete=True)
    assert not (folder / "kept").exists()


def test_without_a_change_nothing_stays(folder: Path) -> None:
    kept = keeper(folder)
    kept.before(1, "python")
    assert kept.after() is None
    kept.close()
    assert not (folder / "kept").exists()


def test_a_second_process_keeps_nothing(folder: Path) -> None:
    first, second = keeper(folder), keeper(folder)
    first.prepare()
    second.before(1, "python")
    assert second.after() is None
    assert second.problem
    first.close()


def test_two_conversations_in_one_folder_both_see_a_change(folder: Path) -> None:
    first, second = keeper(folder), keeper(folder, store="other")
    for number in range(3):
        for kept in (first, second):
            kept.before(number, "python")
        (folder / "work/f3.txt").write_text(f"block {number}")
        seen = [kept.after() for kept in (first, second)]
        assert [len(record.changes) for record in seen if record] == [1, 1]
    for kept in (first, second):
        kept.close()


def test_more_events_than_the_system_keeps_lose_nothing(folder: Path) -> None:
    work, kept = folder / "work", keeper(folder)
    before = picture(work)
    kept.before(1, "python")
    for _ in range(9000):
        for name in ("f1.txt", "f2.txt"):
            os.utime(work / name)
    (work / "f4.txt").write_text("after the flood")
    change(work, random.Random(7), 20)
    kept.after()
    undo_all(kept)
    assert picture(work) == before
    kept.close()
