"""An interrupt stops any code soon, keeps its variables, and hits no other block."""

import asyncio
import random
from pathlib import Path

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from tests.execution.runs import Running, lines, output, run, text
from tests.patience import until

WAITS = {
    "busy": "while True: pass",
    "sleep": "import time; time.sleep(60)",
    "await": "import asyncio; await asyncio.sleep(60)",
    "busy coroutine": "async def f():\n    while True: pass\nawait f()",
    "child": "import subprocess; subprocess.run(['sleep', '60'])",
    "shell": "import os\nos.system('sleep 60')\nprint('went on')",
    "command": "!sleep 60\nprint('went on')",
    "thread": "import threading; t = threading.Event(); t.wait()",
    "print": "while True: print('x' * 100)",
    "echo": "class C:\n    def __repr__(self):\n        while True: pass\nC()",
    "input": "input()",
}
IN_A_CHILD = {"child", "shell", "command"}


@pytest.mark.parametrize("wait", WAITS)
async def test_it_stops_and_says_so_as_python_does(interpreters: Interpreters, wait: str) -> None:
    worker = int(await output(interpreters, "x = 5\nimport os\nos.getpid()"))
    block = Running(interpreters, WAITS[wait])
    await block.begun()
    if wait in IN_A_CHILD:
        await until(lambda: sleeps(worker))
    interpreters.interrupt()
    told = text(await block.end())
    assert told.endswith("KeyboardInterrupt\n")
    assert "went on" not in told
    assert "python_worker" not in told
    assert await output(interpreters, "x") == "5\n"


def sleeps(worker: int) -> bool:
    """Whether it has a child that sleeps."""
    children = psutil.Process(worker).children(recursive=True)
    return any(child.name() == "sleep" for child in children)


async def test_50_interrupts_at_random_moments(interpreters: Interpreters) -> None:
    """No late one hits the next block, whose output is its own only."""
    await run(interpreters, "x = 5\nimport time")
    chance = random.Random(1)
    for _ in range(50):
        code = chance.choice(["while True: pass", "while True: print(1)", "time.sleep(.002)", "1"])
        block = Running(interpreters, code)
        await asyncio.sleep(chance.random() * 0.005)
        interpreters.interrupt()
        await block.end()
        assert await output(interpreters, "print(x)") == "5\n"


async def test_code_that_catches_the_interrupt_goes_on(interpreters: Interpreters) -> None:
    code = "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('tidied up')"
    block = Running(interpreters, code)
    await until(lambda: 2 in lines(block.chunks))
    interpreters.interrupt()
    assert text(await block.end()) == "tidied up\n"


async def test_code_that_refuses_is_killed(interpreters: Interpreters) -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "print('refuses')\n"
        "while True: pass"
    )
    block = Running(interpreters, code)
    await block.seen("refuses")
    interpreters.interrupt()
    told = text(await block.end())
    assert "did not stop when it was interrupted, and was killed" in told
    assert await output(interpreters, "print(1)") == "1\n"


async def test_an_interrupt_before_the_first_line_is_not_lost(interpreters: Interpreters) -> None:
    """While the interpreter still starts."""
    block = Running(interpreters, "while True: pass")
    await asyncio.sleep(0)
    interpreters.interrupt()
    assert text(await block.end()).endswith("KeyboardInterrupt\n")
    assert lines(block.chunks) == [1]


def module(workplace: Workplace, name: str, code: str) -> None:
    Path(workplace.cwd, f"{name}.py").write_text(code)


async def test_an_import_is_not_left_half_done(
    interpreters: Interpreters, workplace: Workplace
) -> None:
    module(workplace, "slow", "import time\nprint('imports')\ntime.sleep(.3)\nx = 5")
    block = Running(interpreters, "import slow\nwhile True: pass")
    await block.seen("imports")
    interpreters.interrupt()
    assert text(await block.end()).endswith("KeyboardInterrupt\n")
    assert await output(interpreters, "slow.x") == "5\n"


async def test_an_import_that_does_not_end_is_interrupted(
    interpreters: Interpreters, workplace: Workplace
) -> None:
    module(workplace, "endless", "print('imports')\nwhile True: pass")
    await run(interpreters, "x = 5")
    block = Running(interpreters, "import endless")
    await block.seen("imports")
    interpreters.interrupt()
    assert text(await block.end()).endswith("KeyboardInterrupt\n")
    assert await output(interpreters, "x") == "5\n"


async def test_a_cancelled_consumer_stops_the_code(interpreters: Interpreters) -> None:
    await run(interpreters, "x = 5")
    for _ in range(5):
        block = Running(interpreters, "while True: pass")
        await block.begun()
        await block.leave()
        assert await output(interpreters, "x") == "5\n"


async def test_the_event_loop_is_whole_after_an_interrupt(interpreters: Interpreters) -> None:
    code = (
        "import asyncio\n"
        "async def f():\n"
        "    try:\n"
        "        await asyncio.sleep(60)\n"
        "    finally:\n"
        "        print('tidied up')\n"
        "await f()"
    )
    block = Running(interpreters, code)
    await until(lambda: 4 in lines(block.chunks))
    interpreters.interrupt()
    assert text(await block.end()).startswith("tidied up\n")
    assert await output(interpreters, "await asyncio.sleep(0, 3)") == "3\n"
