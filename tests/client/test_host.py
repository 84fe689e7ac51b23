"""A daemon on another machine, behind an SSH server on loopback; and in a container: stand-ins."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oi_daemon import Interpreter, InvalidError
from oi_daemon.errors import ConnectionLostError, NoDaemonError
from oi_daemon.messages.shapes import ChunkDict
from oi_daemon.shared.host import daemon_command, install_command
from tests.client.programs import code
from tests.fakes.openai_server import ThreadedServer, text
from tests.fakes.sshd import Box, other_machine
from tests.wire_client import COMMAND, WireClient, eventually

BIN = str(Path(COMMAND).parent)
LOOP = "import os, time\nwhile not os.path.exists(go):\n    time.sleep(0.01)\n"


@pytest.fixture
def box(server: ThreadedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """Another machine with oi-daemon, a model and a key."""
    there = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "OI_SHARED_IDLE": "0.5",
        "OPENAI_API_KEY": "sk-of-the-box-0123456789",
        "OI_API_BASE": server.url,
    }
    with other_machine(there) as machine:
        monkeypatch.setenv("PATH", f"{machine.programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-this-machine-0123456789")
        yield machine


def joined(chunks: list[ChunkDict]) -> str:
    """The output in these chunks."""
    return "".join(chunk.get("output", "") for chunk in chunks)


def test_code_runs_there_and_nothing_is_left_when_it_is_closed(
    box: Box, server: ThreadedServer
) -> None:
    """The model is asked from there, with the key of that machine; none is sent."""
    server.enqueue(code("import os\nprint(os.environ['BOX'])"), text("Done."))
    with Interpreter(host="box", auto_run=True) as it:
        messages = it.chat("Where?", display=False)
        assert messages[1].get("output") == str(box.home)
        assert it.execute("python", "x = 1; os.getcwd()")[0].get("status") is None
    keys = {request.headers["authorization"] for request in server.requests}
    assert keys == {"Bearer sk-of-the-box-0123456789"}
    eventually(lambda: not box.processes(), "all of it has ended there")


def test_a_lost_connection_costs_a_running_block_nothing(
    box: Box, server: ThreadedServer, tmp_path: Path
) -> None:
    """All output comes, once; variables are there; and the turn goes on with its approvals."""
    go = tmp_path / "go"
    block = f"go = {str(go)!r}\nprint('begun')\n{LOOP}print('whole')\ny = 7"
    server.enqueue(code(block), code("print(y)"), text("Done."))
    chunks: list[ChunkDict] = []
    with Interpreter(host="box") as it:
        for chunk in it.chat("Do it", stream=True, display=False):
            chunks.append(chunk)
            if chunk.get("output") == "begun\n":
                box.cut()
            if "notice" in chunk:
                go.touch()
        assert joined(chunks) == "begun\nwhole\n7\n"
        notices = [chunk["notice"]["kind"] for chunk in chunks if "notice" in chunk]
        assert notices == ["connection"]
        assert [message.get("output") for message in it.messages[1:3]] == ["begun\nwhole", "7"]
        assert it.last_turn.get("status") == "done"
        assert it.execute("python", "y")[0].get("output") == "7"
    assert sum("executing" in chunk for chunk in chunks) == 2
    eventually(lambda: not box.processes(), "all of it has ended there")


def test_a_block_that_ended_meanwhile_is_told_to_its_end(
    box: Box, server: ThreadedServer, tmp_path: Path
) -> None:
    """Also if its output was rewritten since, and if the connection is lost twice."""
    go, done = tmp_path / "go", tmp_path / "done"
    block = (
        f"go = {str(go)!r}\nprint('10 %', end='', flush=True)\n{LOOP}"
        f"print('\\r100 %', flush=True)\nopen({str(done)!r}, 'w').close()"
    )
    server.enqueue(code(block), text("Ready."))
    chunks: list[ChunkDict] = []
    with Interpreter(host="box") as it:
        for chunk in it.chat("Do it", stream=True, display=False):
            chunks.append(chunk)
            if chunk.get("output") == "10 %":
                box.cut()
            if "notice" in chunk:
                go.touch()
                eventually(done.exists, "the block has ended")
                eventually(lambda: len(server.requests) == 2, "the model was asked again")
        assert it.messages[1].get("output") == "100 %"
        assert it.messages[-1].get("message") == "Ready."
    assert joined(chunks).replace("\r", "").endswith("100 %\n")
    assert "".join(chunk.get("message", "") for chunk in chunks) == "Ready."


def test_a_question_is_answered_over_the_next_connection(box: Box, server: ThreadedServer) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    chunks: list[ChunkDict] = []
    with Interpreter(host="box") as it:
        for chunk in it.chat("Do it", stream=True, display=False):
            chunks.append(chunk)
            if "executing" in chunk:
                box.cut()
                it.approve("run")
        assert it.messages[1].get("output") == "42"
    assert sum("executing" in chunk for chunk in chunks) == 1


def test_between_two_calls_it_is_connected_again_with_all_variables(box: Box) -> None:
    with Interpreter(host="box") as it:
        it.execute("python", "x = 5")
        box.cut()
        eventually(lambda: not it._is_running, "ssh has noticed")
        assert it.execute("python", "x")[0].get("output") == "5"
        assert len(it.messages) == 2


def test_with_shared_it_stays_there_for_the_next_client(box: Box) -> None:
    with Interpreter(host="box", shared=True, conversation="c") as it:
        it.execute("python", "x = 5")
    with Interpreter(host="box", conversation="c") as it:
        assert it.execute("python", "x")[0].get("output") == "5"
    eventually(lambda: not box.processes(), "all of it has ended there")


def test_a_program_that_ends_without_close_leaves_nothing(box: Box) -> None:
    program = (
        "from oi_daemon import Interpreter\nInterpreter(host='box').execute('python', 'x = 1')"
    )
    subprocess.run([sys.executable, "-c", program], timeout=100, check=True)
    eventually(lambda: not box.processes(), "all of it has ended there")


def test_keys_are_sent_only_if_the_user_says_so(box: Box, server: ThreadedServer) -> None:
    with (
        Interpreter(host="box", api_key="sk-mine-0123456789") as it,
        pytest.raises(InvalidError, match="api_key may hold a key, so it is not sent to box"),
    ):
        it.execute("python", "1")
    server.enqueue(text("Hi."))
    with Interpreter(host="box", send_keys=True) as it:
        it.chat("Hello", display=False)
    assert server.requests[-1].headers["authorization"] == "Bearer sk-of-this-machine-0123456789"


def test_what_is_wrong_is_said_in_words(box: Box, capfd: pytest.CaptureFixture[str]) -> None:
    """A name that does not exist, a folder that is not there, no daemon, another version."""
    with (
        Interpreter(host="no-such-box") as it,
        pytest.raises(ConnectionLostError, match="no-such-box cannot be reached"),
    ):
        it.execute("python", "1")
    with Interpreter(host="box", cwd="/no/such/folder") as it:
        assert "'/no/such/folder' does not exist" in str(it.execute("python", "1"))
    (box.home / ".local" / "bin").mkdir(parents=True)
    mine = daemon_command("box", "0.0.1")
    subprocess.run([*mine[:-1], mine[-1]], stdin=subprocess.DEVNULL, timeout=100, check=False)
    assert "and 0.0.1 at your own place" in capfd.readouterr().err


def test_a_place_without_a_daemon_is_said(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, "docker", 'shift 3; HOME=$HOME PATH=/usr/bin:/bin exec "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with (
        Interpreter(host="docker:web") as it,
        pytest.raises(NoDaemonError, match="There is no oi-daemon at docker:web"),
    ):
        it.execute("python", "1")


@pytest.mark.parametrize(
    ("host", "command"),
    [
        ("docker:web", ["docker", "exec", "-i", "web"]),
        ("podman:web", ["podman", "exec", "-i", "web"]),
        ("kubectl:deploy/web", ["kubectl", "exec", "-i", "deploy/web", "--"]),
    ],
)
def test_containers_are_entered_by_their_own_program(
    host: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tested with stand-ins, which run here what they are to run there."""
    asked = tmp_path / "asked"
    count = len(command) - 1
    stand_in(tmp_path, command[0], f'echo "$0 $*" > {asked}\nshift {count}\nexec "$@"')
    path = f"{tmp_path}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("OI_SHARED_IDLE", "0.5")
    with Interpreter(host=host) as it:
        assert it.execute("python", "6 * 7")[0].get("output") == "42"
    assert f"/{' '.join(command)} sh -c" in asked.read_text()


def stand_in(folder: Path, name: str, script: str) -> None:
    """Put a program of this name into the folder."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(stat.S_IRWXU)


@pytest.mark.parametrize("host", ["-oProxyCommand=x", "docker:-v", "a b", "", "a\0b"])
def test_a_host_that_would_be_an_option_is_refused(host: str) -> None:
    if host == "":
        assert Interpreter(host=host).host is None
        return
    with pytest.raises(InvalidError, match="host"):
        Interpreter(host=host)


def test_installing_there_makes_a_private_environment(tmp_path: Path, box: Box) -> None:
    """With the Python of that place; here a stand-in, which writes what it is asked to do."""
    asked = tmp_path / "asked"
    folder = box.home / ".local/share/oi-daemon/env/bin"
    script = (
        f'echo "$*" >> {asked}\n[ "$2" != venv ] || (mkdir -p "$3/bin" && cp "$0" "$3/bin/python")'
    )
    stand_in(box.home, "python3", script)
    command = install_command("box", "1.2.3")
    command[-1] = f"PATH={box.home}:$PATH {command[-1]}"
    subprocess.run(command, timeout=100, check=True)
    assert folder.is_dir()
    lines = asked.read_text().splitlines()
    assert lines[1] == f"-m venv {box.home}/.local/share/oi-daemon/env"
    assert lines[2].endswith("oi-daemon[jupyter]==1.2.3")


def test_an_editor_reaches_it_by_arguments_alone(box: Box) -> None:
    """Its process's id means nothing there, so it is not watched, and is no problem."""
    with WireClient((COMMAND, "--stdio", "--host", "box")) as client:
        client.result("initialize", {"processId": 2**22 - 1, "capabilities": {}, "rootUri": None})
        done = client.result("oi/execute", {"language": "python", "code": "print(1)"})
        assert done["messages"][0]["output"] == "1"
        assert client.result("oi/status")["problems"] == []
