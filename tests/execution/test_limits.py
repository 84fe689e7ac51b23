"""A block that takes too long or too much is stopped, and the output says which setting did so."""

import asyncio
import re
import sys

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.messages import InputRequest
from tests.execution.runs import Running, output, run, text

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is seen on Linux only")
STOPPED = "[Stopped after 0.3 s: that is all that `max_seconds` allows a block.]"
TAKEN = r"\d+ MB of memory were taken, and `max_memory` allows 200"
HOG = "hog = b'1' * 300_000_000\nwhile True: pass"


@pytest.mark.parametrize(
    ("language", "code", "then"),
    [("python", "while True: pass", "print('next')"), ("shell", "sleep 60", "echo next")],
)
async def test_a_block_that_takes_too_long_is_interrupted(
    interpreters: Interpreters, language: str, code: str, then: str
) -> None:
    await run(interpreters, "x=5", language=language)
    interpreters._workplace.limits.seconds = 0.3
    assert STOPPED in await output(interpreters, code, language=language)
    assert await output(interpreters, then, language=language) == "next\n"


async def test_code_that_heeds_no_interrupt_is_killed_after_its_time(
    interpreters: Interpreters,
) -> None:
    await run(interpreters, "import signal")
    interpreters._workplace.limits.seconds = 0.8
    code = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    told = await output(interpreters, code)
    assert told.startswith("[Stopped after 0.8 s")
    assert "did not stop when it was interrupted, and was killed at line 2." in told


async def test_the_time_does_not_run_while_a_person_is_asked(interpreters: Interpreters) -> None:
    await run(interpreters, "x = 5")
    interpreters._workplace.limits.seconds = 0.8
    chunks = interpreters.run("python", "input()\nwhile True: pass")
    async for chunk in chunks:
        if isinstance(chunk, InputRequest):
            await asyncio.sleep(1)
            assert await interpreters.answer(chunk.input, "late")
            break
    rest = [chunk async for chunk in chunks]
    assert text(rest).startswith("[Stopped after 0.8 s")


async def test_a_limit_can_be_set_while_a_block_runs(interpreters: Interpreters) -> None:
    block = Running(interpreters, "while True: pass")
    await block.begun()
    interpreters._workplace.limits.seconds = 0.3
    assert STOPPED in text(await block.end())


@ON_LINUX
async def test_python_that_takes_too_much_is_killed_and_keeps_its_variables(
    interpreters: Interpreters,
) -> None:
    await run(interpreters, "x = 5")
    interpreters._workplace.limits.memory = 200
    told = await output(interpreters, HOG)
    assert re.search(f"Python was killed at line [12]: {TAKEN}. Its variables are as they", told)
    assert await output(interpreters, "x") == "5\n"


@ON_LINUX
@pytest.mark.parametrize(
    ("language", "hog", "then"),
    [
        ("javascript", "const hog = Buffer.alloc(300e6, 1); for (;;);", "console.log('next')"),
        ("r", "hog <- rep(1, 4e7)\nrepeat {}", "cat('next\\n')"),
    ],
)
async def test_other_languages_begin_anew(
    interpreters: Interpreters, language: str, hog: str, then: str
) -> None:
    interpreters._workplace.limits.memory = 200
    told = await output(interpreters, hog, language=language)
    assert re.search(f"was killed.*: {TAKEN}. Its variables are lost", told)
    assert await output(interpreters, then, language=language) == "next\n"


@ON_LINUX
async def test_a_child_that_takes_too_much_is_killed_alone(interpreters: Interpreters) -> None:
    """The shell that has started it goes on."""
    await run(interpreters, "x=5", language="shell")
    interpreters._workplace.limits.memory = 200
    told = await output(interpreters, f'python -c "{HOG}"\necho $?', language="shell")
    assert re.search(f"python.* was killed: {TAKEN}.]", told)
    assert told.endswith("137\n")
    assert await output(interpreters, "echo $x", language="shell") == "5\n"


@ON_LINUX
async def test_memory_that_is_reserved_and_not_taken_does_not_count(
    interpreters: Interpreters,
) -> None:
    interpreters._workplace.limits.memory = 200
    block = Running(
        interpreters, "import mmap, time\nx = mmap.mmap(-1, 1 << 30)\ntime.sleep(0.5)\nlen(x)"
    )
    assert text(await block.end()) == "1073741824\n"
