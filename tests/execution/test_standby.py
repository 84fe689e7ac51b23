"""Python's variables survive whatever ends its process."""

import asyncio
import re
import sys
from collections.abc import Collection
from typing import Any, cast

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.process import guard
from oi_daemon.execution.python_worker.harmless import harmless
from oi_daemon.execution.python_worker.standby import Standby
from tests.execution.runs import Running, lines, output, run, text
from tests.execution.test_guard import alive, start, workers
from tests.patience import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="standbys exist on Linux only")

KEPT = "Its variables are as they were before this block.]\n"
LOST = "Its variables are lost. The next block starts a fresh one.]\n"

CRASHES = {
    "SIGSEGV": "x = 0\nctypes.string_at(0)",
    "SIGABRT": "x = 0\nos.abort()",
    "exit code 3": "x = 0\nos._exit(3)",
    "SIGKILL": "x = 0\nos.kill(os.getpid(), 9)",
    "exit code 7": "x = 0\nctypes.CDLL(None).exit(7)",
}


@pytest.fixture
async def begun(interpreters: Interpreters) -> Interpreters:
    """One that has run a block already."""
    await run(interpreters, "import ctypes, os, signal, sys\nx = 5")
    return interpreters


async def process(interpreters: Interpreters) -> int:
    return int(await output(interpreters, "os.getpid()"))


async def with_standby(interpreters: Interpreters) -> psutil.Process:
    """Its process, once it has a standby from the last block's end."""
    worker = psutil.Process(await process(interpreters))
    stream = interpreters._processes["python"]._stream  # type: ignore[attr-defined]
    await until(lambda: stream.has_current_standby)
    return worker


async def test_20_crashes_in_a_row(begun: Interpreters) -> None:
    """Each is told with how and where; each next block has the variables; no memory is lost."""
    before = 0
    for _ in range(4):
        for how, code in CRASHES.items():
            chunks = await run(begun, code)
            assert how in text(chunks)
            assert text(chunks).endswith(f" at line 2. {KEPT}")
            assert lines(chunks)[-1] == 2
            assert await output(begun, "x") == "5\n"
        before = before or psutil.Process().memory_info().rss
        assert len(psutil.Process().children()) <= 4
    assert psutil.Process().memory_info().rss - before < 1 << 20


async def test_one_crash_right_after_another(begun: Interpreters) -> None:
    for how, code in CRASHES.items():
        assert how in await output(begun, code)
    assert await output(begun, "x") == "5\n"


async def test_a_crash_of_the_first_block_has_nothing_to_keep(interpreters: Interpreters) -> None:
    assert (await output(interpreters, "import os\nos._exit(3)")).endswith(LOST)
    assert await output(interpreters, "print(1)") == "1\n"


async def test_killed_between_blocks(begun: Interpreters) -> None:
    killed = await with_standby(begun)
    killed.kill()
    await until(lambda: not psutil.pid_exists(killed.pid))
    assert await output(begun, "x") == (
        "[Python was killed (SIGKILL; perhaps memory ran out) since the last block."
        " Its variables are kept.]\n5\n"
    )


async def test_killed_right_after_a_block_that_was_worth_no_standby(begun: Interpreters) -> None:
    """What it changed may be lost, which is said; what was before it is not."""
    worker = await with_standby(begun)
    assert await output(begun, "x = 6\nx") == "6\n"
    worker.kill()
    await until(lambda: not psutil.pid_exists(worker.pid))
    told = await output(begun, "x")
    assert re.search(r"(kept\.]\n6|as they were a few blocks before\.]\n5)\n$", told)


async def test_a_short_block_that_ends_the_process_after_all(begun: Interpreters) -> None:
    await run(begun, "class Deadly:\n    def __add__(self, other): os._exit(3)\ndeadly = Deadly()")
    assert (await output(begun, "x = 6\ndeadly + 1")).endswith(KEPT)
    assert await output(begun, "x") == "5\n"


@pytest.mark.parametrize("code", ["pass", "x = 1", "x += 1 + y", "print(f'{x}', 'y')", "x, [y]"])
def test_blocks_that_are_worth_no_standby(code: str) -> None:
    assert harmless(code)


@pytest.mark.parametrize(
    "code",
    ["f()", "import x", "x.y", "x[0]", "2 ** x", "print(f())", "x = lambda: 1", "'\\d'", "(", "\0"],
)
def test_all_others_are(code: str) -> None:
    assert not harmless(code)


async def test_code_that_holds_on_in_c_is_stopped_without_loss(begun: Interpreters) -> None:
    code = "x = 0\nsignal.pthread_sigmask(signal.SIG_BLOCK, {2})\nprint('deaf')\nsum(range(10**15))"
    block = Running(begun, code)
    await block.seen("deaf")
    begun.interrupt()
    told = text(await block.end())
    assert "did not stop when it was interrupted, and was killed" in told
    assert told.endswith(KEPT)
    assert await output(begun, "x") == "5\n"


async def test_memory_runs_out(begun: Interpreters) -> None:
    """As far as a test dares: malloc fails where C code does not check."""
    code = "import resource\nresource.setrlimit(resource.RLIMIT_DATA, (1 << 26, 1 << 26))\n"
    await run(begun, f"{code}ctypes.memset(ctypes.CDLL(None).malloc(1 << 40), 1, 1)")
    assert await output(begun, "x, len(bytearray(1 << 27))") == "(5, 134217728)\n"


async def test_all_that_was_open_works_on(begun: Interpreters) -> None:
    """Input, displays, subprocesses, the event loop and interrupts, after two crashes."""
    await run(begun, "import asyncio, subprocess\nawait asyncio.sleep(0)\nlock = asyncio.Lock()")
    for _ in range(2):
        await run(begun, "input()\nos._exit(1)", answers=["lost"])
    assert await output(begun, "input()", answers=["asked"]) == "'asked'\n"
    assert await output(begun, "await asyncio.sleep(0.01)\nasync with lock: print(1)") == "1\n"
    assert await output(begun, "subprocess.run(['echo', 'child']).returncode") == "child\n0\n"
    block = Running(begun, "import time\nprint('sleeps')\ntime.sleep(60)")
    await block.seen("sleeps")
    begun.interrupt()
    assert text(await block.end()).endswith("KeyboardInterrupt\n")


async def test_random_numbers_go_on(begun: Interpreters) -> None:
    await run(begun, "import random\nrandom.seed(1)")
    await run(begun, "random.random()\nos._exit(1)")
    assert await output(begun, "random.random() == random.Random(1).random()") == "True\n"


@pytest.mark.parametrize(
    "code",
    [
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
        "pipe = os.pipe()",
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))",
        "import select\npoll = select.epoll()",
    ],
)
async def test_what_a_standby_would_break_has_none(begun: Interpreters, code: str) -> None:
    """Fork copies no other thread, and keeps open what this process closes."""
    await run(begun, code)
    assert (await output(begun, "os._exit(3)")).endswith(LOST)


async def test_a_closed_pipe_is_seen_by_its_other_end(begun: Interpreters) -> None:
    code = "import subprocess\ncat = subprocess.Popen('cat', stdin=subprocess.PIPE)"
    await run(begun, code)
    assert await output(begun, "cat.stdin.close()\ncat.wait()") == "0\n"
    assert (await output(begun, "os._exit(3)")).endswith(KEPT)


async def test_a_pipe_from_a_child_that_has_ended_is_no_obstacle(begun: Interpreters) -> None:
    code = "import subprocess\necho = subprocess.Popen(['echo', 'x'], stdout=subprocess.PIPE)"
    assert await output(begun, f"{code}\necho.stdout.read(), echo.wait()") == "(b'x\\n', 0)\n"
    assert (await output(begun, "os._exit(3)")).endswith(KEPT)


async def test_an_open_file_is_no_obstacle(begun: Interpreters) -> None:
    await run(begun, "file = open('text', 'w+')\nfile.write('kept')\nNone")
    assert (await output(begun, "os._exit(3)")).endswith(KEPT)
    assert await output(begun, "file.flush(), file.seek(0), file.read()") == "(None, 0, 'kept')\n"


async def test_without_a_descriptor_left_there_is_no_standby(begun: Interpreters) -> None:
    """And the process goes on."""
    code = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (20, 4096))\nfiles = []\n"
    code += "try:\n    while True: files.append(open('file', 'w'))\nexcept OSError: print('full')"
    assert await output(begun, code) == "full\n"
    assert await output(begun, "abs(x)") == "5\n"
    await run(begun, "files.clear()")
    assert (await output(begun, "os._exit(3)")).endswith(KEPT)


async def test_it_can_be_turned_off(begun: Interpreters) -> None:
    begun._workplace.limits.standby_memory = 0
    await run(begun, "x = 6")
    assert (await output(begun, "os._exit(3)")).endswith(LOST)


async def test_a_large_process_has_no_standby(begun: Interpreters) -> None:
    begun._workplace.limits.standby_memory = 50
    await run(begun, "y = b'1' * 60_000_000")
    assert (await output(begun, "os._exit(3)")).endswith(LOST)


async def test_waiting_for_any_child_does_not_find_the_standby(begun: Interpreters) -> None:
    code = "try: print(os.{})\nexcept ChildProcessError: print('none')"
    for call in ("wait()", "waitpid(-1, 0)", "waitid(os.P_ALL, 0, os.WEXITED)"):
        assert await output(begun, code.format(call)) == "none\n"
    code = "child = os.fork()\nif not child: os._exit(9)\nprint(os.wait() == (child, 9 << 8))"
    assert await output(begun, code) == "True\n"


async def test_a_fork_of_the_code_is_its_own(begun: Interpreters) -> None:
    """It is no standby, and ends with the process that has crashed."""
    code = (
        "import time\nchild = os.fork()\nif not child: time.sleep(100)\nprint(child)\nos._exit(3)"
    )
    told = await output(begun, code)
    child = int(told.partition("\n")[0])
    assert told.endswith(KEPT)
    await until(lambda: not alive({child}))


@pytest.mark.parametrize("size", [1, 1 << 21])
async def test_a_block_that_was_not_taken_is_not_run(begun: Interpreters, size: int) -> None:
    """Whatever of it is still on its way to the process that dies."""
    worker = await with_standby(begun)
    worker.suspend()
    block = Running(begun, f"x = 6 #{'.' * size}")
    await asyncio.sleep(0)
    worker.kill()
    assert text(await block.end()).endswith(KEPT)
    assert await output(begun, "x") == "5\n"


async def test_a_standby_that_is_dead_too(begun: Interpreters) -> None:
    worker = await with_standby(begun)
    for each in (*worker.children(), worker):
        each.kill()
    await until(lambda: not psutil.pid_exists(worker.pid))
    told = await output(begun, "print(1)")
    assert told.endswith("Its variables are lost. This is a fresh one.]\n1\n")


async def test_resetting_ends_the_standby_and_its_children(begun: Interpreters) -> None:
    await run(begun, "os._exit(1)")
    worker = await with_standby(begun)
    left = {worker.pid, worker.ppid(), worker.children()[0].pid}
    await begun.close()
    await until(lambda: not alive(left))


async def test_nothing_outlives_the_daemon_after_a_crash() -> None:
    """Nor do the standbys, while C code runs."""
    waits = "print('started')\nctypes.PyDLL(None).sleep(100)"
    host = start("python", "import ctypes, os", "os._exit(1)", "x = 5", waits)
    left = workers(host.pid)
    assert len(left) >= 4
    host.kill()
    await until(lambda: not alive(left))
    host.communicate()


async def test_resetting_while_a_standby_wakes(begun: Interpreters) -> None:
    """It ends as well."""
    worker = await with_standby(begun)
    left = {worker.pid, worker.children()[0].pid}
    worker.kill()
    await until(lambda: not psutil.pid_exists(worker.pid))
    await begun.close()
    await until(lambda: not alive(left))


async def test_one_that_is_forked_while_all_are_killed_does_not_take_over(
    begun: Interpreters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killing finds the processes that there are; the report of a new one is read afterwards."""
    await with_standby(begun)
    active = begun._processes["python"]._stream._process.active  # type: ignore[attr-defined]
    standby = active._standby

    def kill_others(group: int, cookie: str, spared: Collection[int] = ()) -> None:
        monkeypatch.undo()
        guard.kill(group, cookie, (*spared, standby))
        active.on_standby(standby, 9)

    monkeypatch.setattr("oi_daemon.execution.process.standby.kill", kill_others)
    await begun.close()
    assert not alive({active.pid, standby})


async def test_a_fork_that_takes_long_is_not_made_around_each_short_block(
    begun: Interpreters,
) -> None:
    """What it had changed since may be lost, which is said."""
    code = "import gc\nfor each in gc.get_objects():\n    if type(each).__name__ == 'Standby':"
    await run(begun, f"{code} each._cost = 1000.0")
    told = await output(begun, "x = int('6')\nx")
    assert told == "6\n"
    told = await output(begun, "os._exit(3)") + await output(begun, "x")
    assert re.search(r"(before this block\.]\n6|as they were a few blocks before\.]\n5)\n$", told)


def test_when_a_fork_pays() -> None:
    standby = Standby(cast("Any", None), set)
    assert standby.pays(risky=True)
    assert not standby.pays(risky=False)

    standby._cost = 0.04
    standby.count(pause=0.001, work=0.03)
    assert not standby.pays(risky=True)
    standby.count(pause=0.001, work=0.03)
    assert standby.pays(risky=True)

    standby._work = 0.0
    standby.count(pause=0.05, work=0.001)
    assert standby.pays(risky=False)
