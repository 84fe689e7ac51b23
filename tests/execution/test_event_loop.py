"""Python blocks run on one event loop, as in a notebook: its tasks go on from block to block."""

import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from tests.execution.runs import Running, lines, output, run, text
from tests.execution.test_standby import KEPT
from tests.patience import until

COMMON = """\
import asyncio, contextlib, sys
async def double(x):
    await asyncio.sleep(0.001)
    return 2 * x
async def count(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i
async def work(queue, done):
    while True:
        x = await queue.get()
        done.append(await double(x))
        queue.task_done()
@contextlib.asynccontextmanager
async def opened():
    print('opened')
    yield 'it'
    print('closed')
"""


@dataclass(frozen=True)
class Pattern:
    """A common use of asyncio in notebooks."""

    name: str
    blocks: tuple[str, ...]
    """Blocks that run after `COMMON`."""
    last: str
    """What the last block writes."""


PATTERNS = [
    Pattern("await", ("await double(4)",), "8\n"),
    Pattern("a task, awaited at once", ("t = asyncio.create_task(double(4))\nawait t",), "8\n"),
    Pattern("a task, awaited later", ("t = asyncio.create_task(double(4));", "await t"), "8\n"),
    Pattern("gather", ("await asyncio.gather(double(1), double(2))",), "[2, 4]\n"),
    Pattern(
        "queue and workers",
        (
            "q, done = asyncio.Queue(), []\n"
            "workers = [asyncio.create_task(work(q, done)) for _ in range(3)]",
            "for x in range(5): q.put_nowait(x)\nawait q.join()\nprint(sorted(done))",
            "for w in workers: w.cancel()\n"
            "results = await asyncio.gather(*workers, return_exceptions=True)\n"
            "print([type(r).__name__ for r in results])",
        ),
        f"{['CancelledError'] * 3}\n",
    ),
    Pattern("async for", ("async for i in count(3): print(i)",), "0\n1\n2\n"),
    Pattern(
        "an async generator, across blocks",
        ("g = count(3)\nawait g.__anext__()", "[i async for i in g]"),
        "[1, 2]\n",
    ),
    Pattern("async with", ("async with opened() as o: print(o)",), "opened\nit\nclosed\n"),
    Pattern(
        "a context, across blocks",
        (
            "stack = contextlib.AsyncExitStack()\nawait stack.enter_async_context(opened())",
            "await stack.aclose()",
        ),
        "closed\n",
    ),
    Pattern(
        "a time limit",
        (
            "try: await asyncio.wait_for(asyncio.sleep(60), 0.01)\n"
            "except asyncio.TimeoutError: print('late')",
        ),
        "late\n",
    ),
    Pattern(
        "as completed",
        (
            "for t in asyncio.as_completed([asyncio.sleep(.05, 'b'), asyncio.sleep(0, 'a')]):\n"
            "    print(await t)",
        ),
        "a\nb\n",
    ),
    Pattern(
        "a subprocess",
        (
            "from asyncio.subprocess import PIPE\n"
            "p = await asyncio.create_subprocess_exec('echo', 'hi', stdout=PIPE)",
            "(await p.communicate())[0], p.returncode",
        ),
        "(b'hi\\n', 0)\n",
    ),
    Pattern(
        "a thread",
        ("await asyncio.get_running_loop().run_in_executor(None, lambda: 2 + 2)",),
        "4\n",
    ),
    Pattern(
        "a server and its client, in three blocks",
        (
            "async def answer(reader, writer):\n"
            "    writer.write((await reader.readline()).upper())\n"
            "    writer.close()\n"
            "server = await asyncio.start_server(answer, '127.0.0.1', 0)\n"
            "host = server.sockets[0].getsockname()",
            "reader, writer = await asyncio.open_connection(*host)\nwriter.write(b'hi\\n')",
            "print(await reader.read())\nserver.close()",
        ),
        "b'HI\\n'\n",
    ),
    Pattern(
        "an event that a later block sets",
        (
            "e = asyncio.Event()\n"
            "async def wait():\n    await e.wait()\n    return 'set'\n"
            "t = asyncio.ensure_future(wait())",
            "e.set()",
            "await t",
        ),
        "'set'\n",
    ),
    Pattern(
        "a script's own run",
        (
            "try: loop = asyncio.get_running_loop()\nexcept RuntimeError: loop = None\n"
            "if loop and loop.is_running(): t = asyncio.create_task(double(4))\n"
            "else: print(asyncio.run(double(4)))",
            "asyncio.run(double(4)), asyncio.get_event_loop().run_until_complete(double(5))",
        ),
        "(8, 10)\n",
    ),
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=[pattern.name for pattern in PATTERNS])
async def test_a_pattern_of_notebooks(interpreters: Interpreters, pattern: Pattern) -> None:
    await run(interpreters, COMMON)
    written = [await output(interpreters, block) for block in pattern.blocks]
    assert written[-1] == pattern.last
    assert "Traceback" not in "".join(written)


TICKS = """\
import asyncio, ctypes, os
n = 0
async def tick():
    global n
    while True:
        n += 1
        {}
        await asyncio.sleep(0.01)
ticks = asyncio.create_task(tick())
"""


async def test_a_task_that_is_started_runs_until_it_waits(interpreters: Interpreters) -> None:
    await run(interpreters, TICKS.format("print(n)"))
    assert int(await output(interpreters, "n")) >= 1


async def test_tasks_go_on_between_blocks(interpreters: Interpreters) -> None:
    await run(interpreters, TICKS.format("if n == 5: open('five', 'w').close()"))
    await until(Path(interpreters._workplace.cwd, "five").exists)
    await run(interpreters, "ticks.cancel()")
    assert await output(interpreters, "await asyncio.sleep(0)\nticks.cancelled()") == "True\n"


async def test_what_tasks_write_between_blocks_begins_the_next(interpreters: Interpreters) -> None:
    await run(interpreters, TICKS.format("print(n)\n        if n == 3: open('3', 'w').close()"))
    await until(Path(interpreters._workplace.cwd, "3").exists)
    told = await output(interpreters, "ticks.cancel()\nprint('end')")
    assert told.startswith("2\n3\n")
    assert told.endswith("\nend\n")
    assert await output(interpreters, "print('alone')") == "alone\n"


async def test_a_task_that_exits_ends_neither_block_nor_process(interpreters: Interpreters) -> None:
    code = "import asyncio\nasync def leave():\n    await asyncio.sleep(0.01)\n    raise {}\n"
    for error in ("SystemExit", "KeyboardInterrupt", "ValueError"):
        await run(interpreters, f"{code.format(error)}t = asyncio.create_task(leave())")
        while await output(interpreters, "t.done()") == "False\n":
            pass
        assert await output(interpreters, "type(t.exception())") == f"<class '{error}'>\n"


async def test_a_variable_of_the_context_stays(interpreters: Interpreters) -> None:
    code = "import asyncio, contextvars\nv = contextvars.ContextVar('v')\nv.set(1)\n"
    await run(interpreters, f"{code}async def f(): return v.get()\nawait f()")
    await run(interpreters, "v.set(2)")
    assert await output(interpreters, "print(v.get(), await f())") == "2 2\n"


async def test_run_can_be_followed_by_a_task_in_one_statement(interpreters: Interpreters) -> None:
    await run(interpreters, COMMON)
    code = "for x in range(2): print(asyncio.run(double(x))); t = asyncio.create_task(double(x))"
    assert await output(interpreters, code) == "0\n2\n"
    assert await output(interpreters, "await t") == "2\n"


async def test_a_block_may_run_a_loop_of_its_own(interpreters: Interpreters) -> None:
    code = (
        "loop = asyncio.new_event_loop()\n"
        "asyncio.set_event_loop(loop)\n"
        "t = asyncio.ensure_future(double(4))\n"
        "print(loop.run_until_complete(t))\n"
        "loop.close()"
    )
    await run(interpreters, COMMON)
    assert await output(interpreters, code) == "8\n"
    assert await output(interpreters, "t = asyncio.create_task(double(4))\nawait t") == "8\n"


async def test_asyncio_may_be_imported_in_the_statement_that_uses_it(
    interpreters: Interpreters,
) -> None:
    code = "if True:\n    import asyncio\n    t = asyncio.create_task(asyncio.sleep(0, 5))"
    assert await output(interpreters, f"{code}\nawait t") == "5\n"


async def test_without_asynchronous_code_no_loop_runs(interpreters: Interpreters) -> None:
    """Libraries that refuse to work where a loop runs, such as Django's, work."""
    code = (
        "l = __import__('a' + 'syncio')\ntry: l.get_running_loop()\nexcept RuntimeError: print(0)"
    )
    assert await output(interpreters, code) == "0\n"


async def test_threads_and_forks_have_no_loop(interpreters: Interpreters) -> None:
    code = (
        "import asyncio, os, threading\n"
        "def f():\n"
        "    try: asyncio.get_running_loop()\n"
        "    except RuntimeError: print(asyncio.run(asyncio.sleep(0, 'none')))\n"
        "t = threading.Thread(target=f)\nt.start()\nt.join()\n"
        "if os.fork() == 0:\n"
        "    f()\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "asyncio.get_running_loop().is_closed()"
    )
    assert await output(interpreters, code) == "none\nnone\nFalse\n"


async def test_an_interrupt_leaves_other_tasks(interpreters: Interpreters) -> None:
    await run(interpreters, TICKS.format(""))
    block = Running(interpreters, "await asyncio.sleep(60)")
    await block.begun()
    interpreters.interrupt()
    assert text(await block.end()).endswith("KeyboardInterrupt\n")
    assert await output(interpreters, "await asyncio.sleep(0.05)\nticks.done()") == "False\n"


async def test_a_busy_task_can_be_interrupted(interpreters: Interpreters) -> None:
    code = "import asyncio\nx = 5\nasync def spin():\n    while True: pass\n"
    block = Running(interpreters, f"{code}t = asyncio.create_task(spin())")
    await until(lambda: 4 in lines(block.chunks))
    interpreters.interrupt()
    assert text(await block.end()).endswith("KeyboardInterrupt\n")
    assert await output(interpreters, "x") == "5\n"


linux = pytest.mark.skipif(sys.platform != "linux", reason="standbys exist on Linux only")


@linux
async def test_tasks_go_on_after_a_crash(interpreters: Interpreters) -> None:
    await run(interpreters, TICKS.format(""))
    for _ in range(2):
        assert (await output(interpreters, "os._exit(3)")).endswith(KEPT)
        code = "before = n\nawait asyncio.sleep(0.05)\nn > before, ticks.done()"
        assert await output(interpreters, code) == "(True, False)\n"


@linux
async def test_what_tasks_did_before_a_block_survives_its_crash(interpreters: Interpreters) -> None:
    """The standby is renewed before the block."""
    await run(interpreters, TICKS.format("if n == 50: open('fifty', 'w').close()"))
    await until(Path(interpreters._workplace.cwd, "fifty").exists)
    told = await output(interpreters, "print(n)\nos._exit(3)")
    assert told.endswith(KEPT)
    assert int(await output(interpreters, "n")) >= int(told.partition("\n")[0]) >= 50


@linux
async def test_a_crash_between_blocks_may_lose_what_tasks_did(interpreters: Interpreters) -> None:
    """And that is said."""
    await run(interpreters, "import os")
    code = (
        "import asyncio\n"
        "async def late():\n"
        "    await asyncio.sleep(0.5)\n"
        "    os.kill(os.getpid(), 9)\n"
        "t = asyncio.create_task(late())\n"
        "os.getpid()"
    )
    worker = int(await output(interpreters, code))
    await until(lambda: not psutil.pid_exists(worker))
    assert "as they were a few blocks before" in await output(interpreters, "t.cancel()")
