"""One second after the daemon, its guards and its workers were killed, nothing lives.

OI_TEST_DEATHS is in how many rounds: few as a rule, 200 to be sure.
"""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.execution.test_guard import alive, start, workers
from tests.patience import until
from tests.processes import command_line

COUNT = int(os.environ.get("OI_TEST_DEATHS", "12"))
SEED = int(os.environ.get("OI_TEST_SEED", "1"))
pytestmark = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="without it, a guard is replaced only when it is used"
)

PYTHON = """\
import subprocess
subprocess.Popen(["sleep", "100"])
subprocess.Popen(["setsid", "sleep", "100"])
print("started", flush=True)
while True: pass
"""
C_CALL = """\
import ctypes, subprocess
subprocess.Popen(["sleep", "100"])
print("started", flush=True)
ctypes.PyDLL(None).sleep(100)
"""
SHELL = "sleep 100 &\nsetsid sleep 100 &\necho started\nwhile :; do :; done"
R = 'system("sleep 100 &")\ncat("started\\n")\nrepeat {}'
JAVASCRIPT = """\
require("child_process").spawn("sleep", ["100"], { stdio: "ignore" })
console.log("started")
for (;;) {}
"""
BLOCKS = [
    ("python", "import os", PYTHON),
    ("python", "import os", "os._exit(1)", PYTHON),
    ("python", C_CALL),
    ("shell", SHELL),
    ("javascript", JAVASCRIPT),
    ("r", R),
]
PARTS = ("guard", "workers", "daemon")
ORDERS = list(itertools.permutations(PARTS))
KILLS_ALL = """\
import os, signal, subprocess
daemon = os.getppid()
for process in map(int, filter(str.isdigit, os.listdir("/proc"))):
    try:
        line = open(f"/proc/{process}/cmdline", "rb").read().split(b"\\0")
    except OSError:
        continue
    if b"oi-guard" in line and int(open(f"/proc/{process}/stat").read().split()[3]) == daemon:
        guard = process
subprocess.Popen(["sleep", "100"])
subprocess.Popen(["setsid", "sleep", "100"])
print("started", flush=True)
while not os.path.exists("FILE"): pass
for process in ORDER:
    os.kill(process, signal.SIGKILL)
while True: pass
"""


def guard_of(daemon: int) -> int:
    """The guard that is the daemon's child."""
    guard = living_guard_of(daemon)
    assert guard is not None
    return guard


@pytest.mark.timeout(max(300, COUNT * 10))
async def test_killed_in_every_order() -> None:
    chance = random.Random(SEED)
    for number in range(COUNT):
        order = ORDERS[number % len(ORDERS)]
        language, *blocks = BLOCKS[(number // len(ORDERS)) % len(BLOCKS)]
        host = start(language, *blocks)
        left = workers(host.pid)
        parts = {"guard": {guard_of(host.pid)}, "daemon": {host.pid}}
        parts["workers"] = left - parts["guard"] - children_of_code(left)
        for part in order:
            for process in parts[part]:
                with suppress(ProcessLookupError):  # what has been killed may have ended it
                    os.kill(process, signal.SIGKILL)
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.05)))
        await gone_in_a_second(host, left, f"{language}, {order}")


def children_of_code(processes: set[int]) -> set[int]:
    """Those that the code has started; nobody kills them but ourselves."""
    return {process for process in processes if psutil.Process(process).name() == "sleep"}


@pytest.mark.timeout(max(300, COUNT * 10))
@pytest.mark.parametrize("order", ["guard, daemon", "daemon, guard", "guard, daemon, os.getpid()"])
async def test_killed_by_the_code_itself(order: str, tmp_path: Path) -> None:
    for number in range(max(1, COUNT // 12)):
        file = tmp_path / str(number)
        code = KILLS_ALL.replace("ORDER", f"({order})").replace("FILE", str(file))
        host = start("python", "pass", code)
        left = workers(host.pid)
        file.touch()
        await gone_in_a_second(host, left, order)


async def gone_in_a_second(host: subprocess.Popen[bytes], left: set[int], what: str) -> None:
    begin = time.monotonic()
    host.wait()
    await until(lambda: not alive(left))
    host.communicate()
    assert time.monotonic() - begin < 1 + 0.2 * os.getloadavg()[0], what


async def test_both_guards_are_replaced_before_the_daemon_dies() -> None:
    host = start("python", PYTHON)
    first = guard_of(host.pid)
    cookie = command_line(psutil.Process(first))[-1]
    for process in psutil.process_iter():
        if command_line(process)[-1:] == [cookie]:
            process.kill()
    await until(lambda: living_guard_of(host.pid) not in (None, first))
    left = workers(host.pid)
    host.kill()
    await gone_in_a_second(host, left, "both guards")


def living_guard_of(daemon: int) -> int | None:
    children = psutil.Process(daemon).children()
    return next((child.pid for child in children if "oi-guard" in command_line(child)), None)
