"""Nothing is left behind, however the daemon dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.process.guard import COOKIE, Guard, guard
from tests.execution.runs import output
from tests.patience import until
from tests.processes import command_line
from tests.wire_client import WireClient, eventually

ROOT = Path(__file__).parents[2]

PYTHON = """\
import subprocess, time
subprocess.Popen(["sleep", "100"])
subprocess.Popen(["sh", "-c", "sleep 100; true"])
subprocess.Popen(["setsid", "sleep", "100"])
subprocess.Popen(["sh", "-c", "setsid sh -c 'sleep 100; true' &"])
subprocess.Popen(["sh", "-c", "trap '' INT TERM HUP; sleep 100; true"])
print("started", flush=True)
time.sleep(100)
"""
SHELL = """\
sleep 100 &
setsid sleep 100 &
nohup sleep 100 >/dev/null 2>&1 &
(setsid sh -c 'sleep 100; true' &)
echo started
sleep 100
"""
R = """\
system("sleep 100 &")
system("setsid sleep 100 &")
system("(setsid sh -c 'sleep 100; true' &)")
cat("started\\n")
system("sleep 100; true")
"""
JAVASCRIPT = """\
const { spawn } = require("child_process")
for (const detached of [false, true]) {
  spawn("sleep", ["100"], { detached, stdio: "ignore" })
  spawn("sh", ["-c", "sleep 100; true"], { detached, stdio: "ignore" })
}
console.log("started")
for (;;) {}
"""
C_CALL = """\
import ctypes, subprocess
for _ in range(5): subprocess.Popen(["setsid", "sleep", "100"])
print("started", flush=True)
ctypes.PyDLL(None).sleep(100)
"""
BUSY = {
    "python": PYTHON,
    "python in a C call": C_CALL,
    "shell": SHELL,
    "javascript": JAVASCRIPT,
    "r": R,
}


def start(language: str, *blocks: str, sandbox: str = "") -> subprocess.Popen[bytes]:
    """A host whose last block has said that it has started everything."""
    host = subprocess.Popen(
        [sys.executable, "-m", "tests.execution.host", language, *blocks],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "HOST_SANDBOX": sandbox},
    )
    assert host.stdout is not None
    while host.stdout.readline() != b"started\n":
        assert host.poll() is None
    return host


def workers(host: int) -> set[int]:
    """All that carries this host's mark, and the host's children."""
    children = psutil.Process(host).children(recursive=True)
    cookie = next(line[-1] for c in children if "oi-guard" in (line := command_line(c)))
    marked = {p for p in psutil.pids() if cookie_of(p).startswith(cookie)}
    return marked | {child.pid for child in children}


def cookie_of(process: int) -> str:
    try:
        environ = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    found = [entry for entry in environ if entry.startswith(f"{COOKIE}=".encode())]
    return found[0].decode().partition("=")[2] if found else ""


def alive(processes: set[int]) -> set[int]:
    return {process for process in processes if _lives(process)}


def _lives(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_nothing_outlives_the_daemon(busy: str, how: signal.Signals) -> None:
    """Its workers, their children, and those that have left their group."""
    host = start(busy.split()[0], BUSY[busy])
    await until(lambda: len(workers(host.pid)) >= 7)
    left = workers(host.pid)
    host.send_signal(how)
    await until(lambda: not alive(left))
    host.communicate()


async def test_temporary_folders_go_with_a_daemon_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    host = start("r", "cat('started\\n')\nSys.sleep(100)")
    assert list(folder.iterdir())
    host.kill()
    await until(lambda: not list(folder.iterdir()))
    host.communicate()


async def test_closing_ends_what_has_left_its_group(interpreters: Interpreters) -> None:
    code = "import subprocess\nprint(subprocess.Popen(['setsid', 'sleep', '100']).pid)"
    process = int(await output(interpreters, code))
    await interpreters.close()
    await until(lambda: not alive({process}))


def sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "100"], start_new_session=True)


@pytest.mark.parametrize("number", [0, 1])
async def test_a_guard_that_was_killed_is_replaced_at_once(number: int) -> None:
    guards = Guard()
    sleeper = sleeping()
    guards.add(sleeper.pid)
    assert guards.problems == []
    first = guards._shells[number].pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: guards._shells[number].pid != first)
    assert "was killed from outside (once)" in guards.problems[0]
    os.kill(guards._shells[1 - number].pid, signal.SIGKILL)
    await until(lambda: guards.deaths == 2)
    guards.close()
    assert sleeper.wait() == -signal.SIGKILL


def test_without_an_event_loop_it_is_replaced_when_it_is_needed() -> None:
    guards = Guard()
    sleeper = subprocess.Popen(["sleep", "100"], start_new_session=True)
    guards.add(sleeper.pid)
    for shell in guards._shells:
        os.kill(shell.pid, signal.SIGKILL)
    while alive({shell.pid for shell in guards._shells}):
        pass
    guards.remove(0)
    assert guards.deaths == 2
    guards.close()
    assert sleeper.wait() == -signal.SIGKILL


def test_groups_that_it_does_not_know_cost_a_guard_nothing() -> None:
    guards = Guard()
    sleeper = sleeping()
    guards.add(sleeper.pid)
    for _ in range(40):
        guards.remove(1)
    guards.close()
    assert sleeper.wait() == -signal.SIGKILL


def test_there_is_one_guard() -> None:
    assert guard() is guard()


def test_status_tells_of_a_guard_that_was_killed() -> None:
    with WireClient() as client:
        client.result("oi/execute", {"language": "python", "code": "1"})
        children = psutil.Process(client.process.pid).children()
        next(child for child in children if "oi-guard" in command_line(child)).kill()
        told = "was killed from outside"
        eventually(
            lambda: any(told in line for line in client.result("oi/status")["problems"]), told
        )
