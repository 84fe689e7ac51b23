"""What blocks do to files, over the wire and over the death of the daemon."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.wire_client import WireClient, eventually

TALK = {"conversation": "talk"}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The working folder, with two files."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "old.txt").write_text("one\ntwo\n")
    (folder / "gone.bin").write_bytes(b"\0\1")
    return folder


def in_folder(client: WireClient, work: Path, **settings: Any) -> None:
    params = {**TALK, "settings": {"cwd": str(work), "keep_files": True, **settings}}
    client.result("oi/settings/set", params)


def run(client: WireClient, code: str) -> list[dict[str, Any]]:
    """Run a block: the notices that came."""
    client.notifications.clear()
    client.result("oi/execute", {**TALK, "language": "python", "code": code})
    chunks = [each["params"]["chunk"] for each in client.notifications]
    return [chunk["notice"] for chunk in chunks if "notice" in chunk]


def reads_chunk(client: WireClient, kind: str) -> None:
    """Read until a chunk of this kind comes."""
    while kind not in client.read_one()["params"]["chunk"]:
        pass


CHANGES = """
import os, pathlib
pathlib.Path("old.txt").write_text("one\\nTWO\\n")
pathlib.Path("new").mkdir()
pathlib.Path("new/file").write_text("new")
os.remove("gone.bin")
"""


def test_a_notice_tells_what_a_block_has_changed(work: Path) -> None:
    with WireClient() as client:
        in_folder(client, work)
        assert run(client, "1 + 1") == []
        (notice,) = run(client, CHANGES)
        assert notice["kind"] == "files"
        assert "2 created, 1 changed, 1 deleted" in notice["message"]
        assert notice["files"] == [
            {"path": "gone.bin", "change": "deleted", "size": 2},
            {"path": "new", "change": "created", "size": 0},
            {"path": "new/file", "change": "created", "size": 3},
            {"path": "old.txt", "change": "changed", "size": 8},
        ]


def test_changes_are_listed_shown_undone_and_redone(work: Path) -> None:
    with WireClient() as client:
        in_folder(client, work)
        run(client, CHANGES)
        (block,) = client.result("oi/files/list", TALK)["blocks"]
        assert (block["language"], len(block["files"])) == ("python", 4)
        (diff,) = client.result("oi/files/diff", {**TALK, "path": "old.txt"})["files"]
        assert (diff["before"], diff["after"]) == ("one\ntwo\n", "one\nTWO\n")
        assert "-two\n+TWO\n" in diff["diff"]
        undone = client.result("oi/files/undo", TALK)
        assert (undone["refused"], len(undone["files"])) == ([], 4)
        assert sorted(path.name for path in work.iterdir()) == ["gone.bin", "old.txt"]
        assert (work / "old.txt").read_text() == "one\ntwo\n"
        assert client.result("oi/files/undo", TALK)["block"] is None
        client.result("oi/files/undo", {**TALK, "redo": True})
        assert (work / "new/file").read_text() == "new"
        client.result("oi/files/undo", {**TALK, "block": block["block"], "path": "new"})
        assert not (work / "new").exists()
        assert not (work / "gone.bin").exists()


def test_a_link_to_the_working_folder_is_as_good_as_the_folder(work: Path) -> None:
    link = work.with_name("link")
    link.symlink_to(work)
    with WireClient() as client:
        in_folder(client, link)
        (notice,) = run(client, CHANGES)
        assert [file["path"] for file in notice["files"]] == [
            *("gone.bin", "new", "new/file", "old.txt")
        ]
        client.result("oi/files/undo", {**TALK, "path": str(link / "gone.bin")})
        assert (work / "gone.bin").read_bytes() == b"\0\1"


def test_they_are_there_after_a_restart(work: Path) -> None:
    for is_first in (True, False):
        with WireClient() as client:
            in_folder(client, work)
            if is_first:
                run(client, CHANGES)
            else:
                assert client.result("oi/files/undo", TALK)["refused"] == []
            client.close_input()
            client.exit_code()
    assert (work / "gone.bin").read_bytes() == b"\0\1"


def test_what_a_block_has_changed_when_the_daemon_is_killed_comes_back(work: Path) -> None:
    with WireClient() as client:
        in_folder(client, work)
        code = f"{CHANGES}\nimport time\ntime.sleep(600)"
        client.send("oi/execute", {**TALK, "language": "python", "code": code})
        eventually(lambda: not (work / "gone.bin").exists(), "the block has run")
        os.kill(client.process.pid, signal.SIGKILL)
        client.process.wait()
    with WireClient() as client:
        in_folder(client, work)
        (block,) = client.result("oi/files/list", TALK)["blocks"]
        assert block["cut_off"]
        assert client.result("oi/files/undo", {**TALK, "block": 1})["refused"] == []
    assert sorted(path.name for path in work.iterdir()) == ["gone.bin", "old.txt"]


def test_all_that_is_kept_is_deleted_with_the_conversation(work: Path, home: Path) -> None:
    with WireClient() as client:
        in_folder(client, work)
        run(client, CHANGES)
        assert [*home.rglob("files/*/contents")]
        client.result("oi/history/delete", TALK)
        assert [*home.rglob("files/*")] == []


def test_without_a_history_nothing_stays(work: Path, home: Path) -> None:
    with WireClient() as client:
        in_folder(client, work, conversation_history=False)
        run(client, CHANGES)
        client.close_input()
        client.exit_code()
    assert [*home.rglob("files/*")] == []


def test_without_a_history_nothing_stays_of_a_killed_daemon_either(work: Path, home: Path) -> None:
    with WireClient() as client:
        in_folder(client, work, conversation_history=False)
        run(client, CHANGES)
        os.kill(client.process.pid, signal.SIGKILL)
        client.process.wait()
    assert [*home.rglob("files/*")]
    with WireClient() as client:
        client.result("oi/execute", {"language": "python", "code": "1"})
        eventually(lambda: not [*home.rglob("files/*")], "the next daemon has removed it")


def test_turned_off_it_keeps_nothing_and_says_so(work: Path, home: Path) -> None:
    with WireClient() as client:
        in_folder(client, work, keep_files=False)
        assert run(client, CHANGES) == []
        assert "keep_files is off" in client.result("oi/files/list", TALK)["problem"]
        assert "keep_files is off" in client.call("oi/files/undo", TALK)["error"]["message"]
        assert [*home.rglob("files/*")] == []


def test_files_are_not_undone_while_a_block_runs(work: Path) -> None:
    with WireClient() as client:
        in_folder(client, work)
        running = client.send(
            "oi/execute", {**TALK, "language": "python", "code": "import time\ntime.sleep(600)"}
        )
        reads_chunk(client, "active_line")
        error = client.call("oi/files/undo", TALK)["error"]
        assert error["data"]["kind"] == "busy"
        client.result("oi/interrupt", TALK)
        client.answer(running)


def test_an_interrupt_while_files_are_copied_stops_the_block(work: Path) -> None:
    (work / "large").write_bytes(os.urandom(60 << 20))
    with WireClient() as client:
        in_folder(client, work, keep_files_wait=60)
        running = client.send(
            "oi/execute", {**TALK, "language": "python", "code": "open('ran', 'w').close()"}
        )
        client.result("oi/interrupt", TALK)
        assert client.answer(running)["result"]["status"] == "interrupted"
        assert not (work / "ran").exists()


def test_what_a_block_in_the_background_changes_is_undone(work: Path) -> None:
    with WireClient() as client:
        in_folder(client, work)
        code = "import time, pathlib\ntime.sleep(0.5)\npathlib.Path('late').write_text('x')"
        params = {**TALK, "language": "python", "code": code, "background": True}
        client.result("oi/execute", params)
        eventually(
            lambda: client.result("oi/files/list", TALK)["blocks"], "the block has changed files"
        )
        client.result("oi/files/undo", TALK)
        assert not (work / "late").exists()
