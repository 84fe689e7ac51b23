"""The daemon that all clients of a user share, by its installed command: from start to end."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from oi_daemon import __version__
from oi_daemon.protocol.framing import Framing
from oi_daemon.shared import address, door
from tests.fakes.openai_server import ThreadedServer, text
from tests.server.shared import (
    SHARED,
    client,
    is_alive,
    pid,
    ran,
    socket_path,
    status,
    stopped_at_the_end,
    wait_for_end,
)
from tests.talk import KEY, code, ready, wait_for, wait_for_approval
from tests.wire_client import WireClient, eventually, request

CONVERSATION = "shared"
HERE = {"conversation": CONVERSATION}


@pytest.fixture(autouse=True)
def daemon() -> Iterator[None]:
    with stopped_at_the_end():
        yield


def block(source: str, language: str = "python") -> dict[str, str]:
    return {**HERE, "language": language, "code": source}


def output(it: WireClient, source: str, language: str = "python") -> str:
    messages = it.result("oi/execute", block(source, language))["messages"]
    return str(messages[0]["output"])


def next_input(it: WireClient, last: str) -> str:
    """The id of the input that waits after this one."""
    return str(wait_for(it, lambda params: params.get("input", last) != last)["input"])


# One daemon, whoever comes


def test_variables_outlive_their_client() -> None:
    with client() as first:
        output(first, "x = 21")
        first.process.kill()
    with client() as second:
        assert output(second, "x * 2") == "42"


def test_both_framings_and_a_line_from_a_shell() -> None:
    with WireClient(SHARED, Framing.HEADERS) as editor:
        editor.result("initialize", {"processId": os.getpid(), "capabilities": {}})
        editor.result("shutdown")
        editor.notify("exit")
        assert editor.exit_code() == 0
    line = json.dumps(request(1, "oi/execute", block("1 + 1"))).encode()
    done = subprocess.run(SHARED, input=line, capture_output=True, timeout=100, check=False)
    assert b'"output":"2"' in done.stdout
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_and_a_terminal_are_inputs_too(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    asked.write_bytes(b'{"jsonrpc":"2.0","id":1,"method":"oi/status"}\n')
    with asked.open() as file:
        done = subprocess.run(SHARED, stdin=file, capture_output=True, timeout=100, check=False)
    assert b'"uptime"' in done.stdout
    ours, theirs = os.openpty()
    with subprocess.Popen(SHARED, stdin=theirs, stdout=subprocess.PIPE) as typed:
        os.close(theirs)
        os.write(ours, b'{"jsonrpc":"2.0","id":1,"method":"oi/status"}\n')
        assert typed.stdout
        assert b'"uptime"' in typed.stdout.readline()
        os.close(ours)
        assert typed.wait(100) == 0


def test_those_who_start_at_once_have_one_daemon() -> None:
    for _ in range(5):
        with client() as first, client() as second, client() as third:
            pids = {each.result("oi/status")["pid"] for each in (first, second, third)}
            assert len(pids) == 1
        ran("stop", "--yes")
        wait_for_end(pids.pop())


def test_a_socket_that_was_left_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    path = socket_path()
    path.parent.mkdir(mode=0o700, parents=True)
    monkeypatch.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path.name)
    with client() as it:
        assert it.result("oi/status")["pid"] == pid()


def test_a_client_that_met_a_daemon_at_its_end_is_served_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = socket_path()
    path.parent.mkdir(mode=0o700, parents=True)
    monkeypatch.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as ending:
        ending.bind(path.name)
        ending.listen()
        with client() as it:
            connection, _ = ending.accept()
            ending.close()
            connection.close()
            assert it.result("oi/status")["pid"] == pid()


def test_one_whose_socket_was_removed_ends_and_leaves_the_next_one_s_alone() -> None:
    with client() as first:
        left = first.result("oi/status")["pid"]
        socket_path().unlink()
        with client() as second:
            following = second.result("oi/status")["pid"]
            assert following != left
            first.hang_up()
            wait_for_end(left)
            assert pid() == following


def test_a_client_in_another_home_has_another_daemon(tmp_path: Path) -> None:
    other = address.Address({**os.environ, "HOME": str(tmp_path)}, __version__)
    assert other.name != socket_path().name


# Whose environment, folder and key


def test_code_has_the_folder_and_environment_of_the_client_that_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client({"COLOUR": "blue", "OPENAI_API_KEY": KEY}) as first:
        assert output(first, "import os; print(os.environ['COLOUR'])") == "blue"
        assert output(first, "print(os.getcwd())") == str(Path.cwd())
        assert output(first, "print('OPENAI_API_KEY' in os.environ)") == "False"
        assert output(first, "echo $COLOUR", "shell") == "blue"
        assert first.result("oi/settings/get", HERE)["api_key"] is True
    monkeypatch.chdir(tmp_path)
    with client({"COLOUR": "red"}) as second:
        shown = "import os; print(os.getcwd(), os.environ.get('COLOUR'))"
        mine = {"language": "python", "code": shown}
        assert second.result("oi/execute", mine)["messages"][0]["output"] == f"{tmp_path} red"
        assert second.result("oi/settings/get")["api_key"] is False
        assert output(second, "print(os.environ['COLOUR'])") == "blue"


def test_no_key_is_in_the_daemon_s_own_environment_or_files(home: Path) -> None:
    with client({"OPENAI_API_KEY": KEY, "COLOUR": "blue"}) as first:
        first.result("oi/status")
        daemon = psutil.Process(pid())
        assert not {"OPENAI_API_KEY", "COLOUR"} & daemon.environ().keys()
        assert KEY not in " ".join(daemon.cmdline())
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in found for found in texts)


# Losing a client


def test_an_approval_waits_for_the_next_client(server: ThreadedServer, tmp_path: Path) -> None:
    made = tmp_path / "made"
    server.enqueue(code(f"open({str(made)!r}, 'w').close()"), text("Done."))
    with client() as first:
        ready(first, server.url, CONVERSATION)
        first.send("oi/stream", {**HERE, "message": "Go"})
        approval = wait_for_approval(first)
        first.process.kill()
        first.hang_up()
    with client() as second:
        attached = second.result("oi/attach", HERE)
        assert attached["state"] == "approval"
        assert not made.exists()
        answer = {**HERE, "approval": attached["turn"]["approval"]["id"], "decision": "run"}
        assert answer["approval"] == approval
        assert second.result("oi/approve", answer) == {"accepted": True}
        wait_for(second, lambda params: params["chunk"].get("event", {}).get("kind") == "ended")
    assert made.exists()


def test_a_block_runs_on_and_the_next_client_gets_all_of_it() -> None:
    with client() as first:
        first.send("oi/execute", block("for i in range(3): print(i, input())"))
        wait_for(first, lambda params: params.get("input"))
        first.process.kill()
        first.hang_up()
    with client() as second:
        waiting = second.result("oi/attach", HERE)["turn"]["input"]["id"]
        for number in range(3):
            second.result("oi/input", {**HERE, "input": waiting, "value": "x"})
            if number < 2:
                waiting = next_input(second, waiting)
        wait_for(second, lambda params: params["chunk"].get("event", {}).get("kind") == "ended")
        [message] = second.result("oi/history/get", HERE)["messages"]
        assert [line for line in message["output"].split("\n") if line] == ["0 x", "1 x", "2 x"]


def test_a_client_that_is_stopped_holds_up_nobody() -> None:
    with client() as stopped, client() as other:
        stopped.result("oi/attach", HERE)
        os.kill(stopped.process.pid, signal.SIGSTOP)
        assert output(other, "print('x' * 5_000_000); 1").endswith("1")
        os.kill(stopped.process.pid, signal.SIGCONT)


# The end of the daemon


def test_each_client_hears_at_once_that_the_daemon_was_killed() -> None:
    with client() as first, client() as second:
        first.result("oi/status")
        second.result("oi/status")
        killed = pid()
        os.kill(killed, signal.SIGKILL)
        for each in (first, second):
            assert each.exit_code() == 1
            [line] = each.stderr().splitlines()
            assert "ended unexpectedly" in line
    with client() as third:
        assert third.result("oi/status")["pid"] != killed


def test_a_daemon_that_was_suspended_goes_on() -> None:
    with client() as it:
        it.result("oi/status")
        suspended = pid()
        os.kill(suspended, signal.SIGSTOP)
        asked = it.send("oi/execute", block("1 + 1"))
        os.kill(suspended, signal.SIGCONT)
        assert it.answer(asked)["result"]["status"] == "done"


def test_it_ends_when_nobody_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OI_SHARED_IDLE", "0.2")
    with client() as it:
        it.result("oi/status")
        ended = pid()
    wait_for_end(ended)
    assert not socket_path().exists()


def test_it_stays_while_interpreters_hold_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OI_SHARED_IDLE", "0.2")
    with client() as it:
        output(it, "x = 1")
        kept = pid()
    with client() as again:
        assert output(again, "x") == "1"
        assert again.result("oi/status")["pid"] == kept
        again.result("oi/history/reset", HERE)
    wait_for_end(kept)


def test_an_older_build_ends_when_it_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with client() as it:
        output(it, "x = 1")
        old = pid()
        newer = address.Address(os.environ, "9.9.9")
        assert newer.older() == [socket_path().name]
        monkeypatch.chdir(socket_path().parent)
        door.request(socket_path().name, "retire")
        assert is_alive(old)
        assert status() is not None
    wait_for_end(old)


def test_status_and_stop() -> None:
    assert ran("status").stdout == "No shared daemon runs.\n"
    with client() as it:
        output(it, "x = 1")
        running = pid()
        shown = ran("status").stdout
        assert f"process {running}" in shown
        assert f"stdio (process {it.process.pid})" in shown
        assert f"{CONVERSATION}: idle, holds variables" in shown
        refused = ran("stop")
        assert refused.returncode == 1
        assert "--yes" in refused.stdout
        assert ran("stop", "--yes").stdout == f"Stopped the shared daemon {running}.\n"
        assert it.exit_code() == 1
    wait_for_end(running)


def test_private_is_a_daemon_of_one_s_own() -> None:
    with WireClient((*SHARED, "--private")) as it:
        assert it.result("oi/status")["pid"] == it.process.pid
    assert status() is None


# Who may not


def test_code_in_a_sandbox_cannot_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its socket it would get out of the sandbox."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with client() as it:
        it.result("oi/settings/set", {**HERE, "settings": {"sandbox": "write-protect"}})
        source = (
            "import socket, os\n"
            f"os.chdir({str(socket_path().parent)!r})\n"
            "s = socket.socket(socket.AF_UNIX)\n"
            f"s.connect({socket_path().name!r})\n"
            "print(s.recv(1000))\n"
        )
        assert "refused Code in a sandbox" in output(it, source)
        it.result("oi/settings/set", {**HERE, "settings": {"sandbox": "isolated"}})
        assert "Network is unreachable" in output(it, source)
        listing = f"import os; os.listdir({str(socket_path().parent)!r})"
        assert "Permission denied" in output(it, listing)


def test_code_that_it_runs_cannot_be_its_client() -> None:
    with client() as it:
        command = " ".join(SHARED)
        shown = output(it, f"echo '{{}}' | HOME={os.environ['HOME']} {command} 2>&1", "shell")
        assert "cannot be its client" in shown


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become another user")
def test_another_user_is_refused() -> None:
    with client() as it:
        it.result("oi/status")
        for folder in socket_path().parents:  # even if every folder could be passed
            if folder != Path("/"):
                folder.chmod(0o711)
        socket_path().chmod(0o777)
        source = (
            "import os, socket, sys\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\n"
            "os.chdir(sys.argv[1])\ns.connect(sys.argv[2])\nprint(s.recv(1000))"
        )
        command = [sys.executable, "-c", source, str(socket_path().parent), socket_path().name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        socket_path().parent.chmod(0o700)
        assert "another user" in done.stdout, done.stderr


def test_a_folder_that_others_may_use_is_refused() -> None:
    folder = socket_path().parent
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    with client() as it:
        assert it.exit_code() == 1
        assert "nobody else may" in it.stderr()
    folder.chmod(0o700)


def test_its_files_are_the_user_s_alone() -> None:
    with client() as it:
        it.result("oi/status")
        folder = socket_path().parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_the_door_is_thin() -> None:
    with client() as it:
        it.result("oi/status")
        assert psutil.Process(it.process.pid).memory_info().rss < 15 << 20
    eventually(lambda: not psutil.pid_exists(it.process.pid), "the door is gone")
