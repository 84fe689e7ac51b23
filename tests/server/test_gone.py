"""However the client goes, the code that ran for it ends with it."""

import subprocess
from collections.abc import Callable

import psutil
import pytest

from oi_daemon.protocol.framing import Framing
from tests.talk import wait_for_chunk
from tests.wire_client import COMMAND, INSTALLED, WireClient, eventually

CODE = "import subprocess; subprocess.Popen(['sleep', '600'])\nprint('now')\nwhile True: pass"


def closes_its_end(client: WireClient, parent: subprocess.Popen[bytes]) -> None:
    assert client.process.stdout
    client.process.stdout.close()


def is_killed(client: WireClient, parent: subprocess.Popen[bytes]) -> None:
    parent.kill()
    parent.wait()


def says_exit(client: WireClient, parent: subprocess.Popen[bytes]) -> None:
    client.notify("exit")


def sends_sigterm(client: WireClient, parent: subprocess.Popen[bytes]) -> None:
    client.process.terminate()


def sends_sigkill(client: WireClient, parent: subprocess.Popen[bytes]) -> None:
    client.process.kill()


@pytest.mark.parametrize(
    "goes", [closes_its_end, is_killed, says_exit, sends_sigterm, sends_sigkill]
)
def test_nothing_is_left_behind(
    goes: Callable[[WireClient, subprocess.Popen[bytes]], None],
) -> None:
    with (
        subprocess.Popen(["cat"], stdin=subprocess.PIPE) as parent,
        WireClient(INSTALLED, Framing.HEADERS) as client,
    ):
        client.result("initialize", {"processId": parent.pid, "capabilities": {}})
        client.send("oi/execute", {"language": "python", "code": CODE})
        wait_for_chunk(client, "output")
        started = psutil.Process(client.process.pid).children(recursive=True)
        assert "sleep" in [process.name() for process in started]
        goes(client, parent)
        assert client.exit_code() != 0
        eventually(lambda: not any(map(lives, started)), "all of its processes ended")


def test_a_reader_of_one_line_is_enough() -> None:
    """As `oi-daemon --stdio | head -1` is."""
    code = (
        '{"jsonrpc":"2.0","id":1,"method":"oi/execute","params":{"language":"python","code":"%s"}}'
    )
    command = f"printf '%s' '{code % 'while True: print(1)'}' | {COMMAND} --stdio | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert '"executing"' in done.stdout
    assert done.stderr == ""


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
