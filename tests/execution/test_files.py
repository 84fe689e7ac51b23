"""A real file stands behind each Python block, for tools and for processes that start anew."""

import asyncio
import json
import os
from ast import literal_eval
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.messages import InputRequest
from tests.execution.runs import Running, output, run, text
from tests.patience import PATIENCE, until

own_packages = pytest.mark.skipif(
    "WORKER_PYTHON" in os.environ, reason="another Python has none of the tests' packages"
)

DEFINITIONS = """\
import concurrent.futures, dataclasses, math, multiprocessing
FACTOR = 2
@dataclasses.dataclass
class Point:
    x: int
origin = Point(1)
table = {'a': [origin]}
square = lambda x: x * x
def point(x, add=FACTOR):
    return Point(square(x) * FACTOR + origin.x + len(table) + int(math.sqrt(add * 2)))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
async def test_processes_have_what_blocks_define(interpreters: Interpreters, method: str) -> None:
    """Functions, classes, imports and the values that they use, of several blocks."""
    await run(interpreters, DEFINITIONS)
    await run(interpreters, "def of(p): return p.x + point(1).x")
    code = (
        f"with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "    print(pool.map(point, [1, 2]), pool.map(of, [Point(3)]))"
    )
    assert await output(interpreters, code) == "[Point(x=6), Point(x=12)] [9]\n"
    await run(interpreters, "FACTOR = 3\ndef late(x): return x * FACTOR")
    code = f"with multiprocessing.get_context('{method}').Pool(1) as pool: pool.map(late, [5])"
    assert await output(interpreters, code.replace("pool.map", "print(pool.map") + ")") == "[15]\n"


async def test_blocks_are_not_run_again_in_processes(interpreters: Interpreters) -> None:
    await run(interpreters, f"{DEFINITIONS}print('once')\nopen('runs', 'a').write('x')")
    code = (
        "def child(queue): queue.put(origin)\n"
        "context = multiprocessing.get_context('spawn')\n"
        "queue = context.Queue()\n"
        "process = context.Process(target=child, args=(queue,))\n"
        "process.start()\n"
        "print(queue.get())\n"
        "process.join()"
    )
    assert await output(interpreters, code) == "Point(x=1)\n"
    assert await output(interpreters, "print(open('runs').read())") == "x\n"


async def test_what_a_process_cannot_have_is_named(interpreters: Interpreters) -> None:
    """Nothing hangs."""
    code = (
        f"{DEFINITIONS}lock = multiprocessing.Lock()\n"
        "def locked(x): return lock, x\n"
        "context = multiprocessing.get_context('spawn')\n"
        "with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:\n"
        "    print(pool.submit(locked, 1).exception())"
    )
    assert await output(interpreters, code) == "name 'lock' is not defined\n"


async def test_a_process_that_fails_shows_the_line(interpreters: Interpreters) -> None:
    code = (
        "import multiprocessing\n"
        "def fail():\n"
        "    return 1 / 0\n"
        "process = multiprocessing.get_context('spawn').Process(target=fail)\n"
        "process.start()\n"
        "process.join()"
    )
    told = await output(interpreters, code)
    assert "    return 1 / 0\n" in told
    assert told.endswith("ZeroDivisionError: division by zero\n")


async def path_of(interpreters: Interpreters, function: str) -> Path:
    """The path of the block that has defined a function."""
    return Path(literal_eval(await output(interpreters, f"{function}.__code__.co_filename")))


async def test_a_file_has_the_block_and_is_removed_at_the_end(interpreters: Interpreters) -> None:
    code = "def f():\n    return 'né'"
    await run(interpreters, code)
    path = await path_of(interpreters, "f")
    assert path.read_text(encoding="utf-8") == f"{code}\n"
    assert path.stat().st_mode & 0o077 == 0
    await interpreters.close()
    assert not path.parent.exists()


async def test_short_blocks_that_define_nothing_have_no_file(interpreters: Interpreters) -> None:
    await run(interpreters, "def f(): pass")
    folder = (await path_of(interpreters, "f")).parent
    assert [path.name for path in folder.iterdir()] == ["block_1.py"]


async def test_a_removed_folder_is_no_obstacle(interpreters: Interpreters) -> None:
    await run(interpreters, "def f(): pass")
    folder = (await path_of(interpreters, "f")).parent
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    told = await output(interpreters, "def g():\n    1 / 0\ng()")
    assert 'File "<block 3>", line 2, in g\n    1 / 0\n' in told


async def test_the_source_of_functions_and_classes_of_any_block(interpreters: Interpreters) -> None:
    block = "import inspect\nclass C:\n    x = {}\ndef f():\n    return {}\n"
    await run(interpreters, block.format(1, 1))
    await run(interpreters, "class D:\n    class Inner:\n        y = 3\n")
    await run(interpreters, "x = 1")
    assert await output(interpreters, "print(inspect.getsource(C), inspect.getsource(f))") == (
        "class C:\n    x = 1\n def f():\n    return 1\n\n"
    )
    assert await output(interpreters, "print(inspect.getsource(D.Inner))") == (
        "    class Inner:\n        y = 3\n\n"
    )
    await run(interpreters, block.format(2, 2))
    assert "x = 2" in await output(interpreters, "print(inspect.getsource(C))")


async def test_main_has_no_file(interpreters: Interpreters) -> None:
    """As at Python's prompt: what code puts beside its file would be deleted at the end."""
    assert "NameError" in await output(interpreters, "__file__")


@own_packages
async def test_coverage_measures_blocks_and_nothing_of_the_worker(
    interpreters: Interpreters,
) -> None:
    await run(interpreters, "import coverage\nc = coverage.Coverage(data_file=None)\nc.start()")
    await run(interpreters, "def f(x):\n    if x:\n        return 1\n    return 2\nprint(f(1))")
    code = "c.stop()\nimport sys\nn = c.report(file=sys.stdout, show_missing=True)"
    told = await output(interpreters, code)
    assert "block_2.py" in told
    assert "80%   4\n" in told
    assert "python_worker" not in told


class Debugger:
    """A client of the debug adapter protocol."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def close(self) -> None:
        self._writer.close()

    async def request(self, command: str, *, answered: str = "", **arguments: object) -> Any:
        """Send a request, and return the body of its response, or of an event that answers it."""
        message = {"seq": 1, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return await self.event(answered) if answered else await self._message("command", command)

    async def event(self, name: str) -> Any:
        return await self._message("event", name)

    async def _message(self, key: str, value: str) -> Any:
        """Wait for a message with this key and value, and return its body."""
        async with asyncio.timeout(PATIENCE):
            while True:
                head = await self._reader.readuntil(b"\r\n\r\n")
                size = int(head.split(b"Content-Length:")[1].split(b"\r")[0])
                message = json.loads(await self._reader.readexactly(size))
                if message.get(key) == value:
                    return message.get("body")

    async def frames(self, thread: int) -> list[tuple[str, int]]:
        """The names and lines of the frames of a thread that has stopped."""
        stack = await self.request("stackTrace", threadId=thread)
        return [(frame["name"], frame["line"]) for frame in stack["stackFrames"]]


@own_packages
async def test_debugpy_stops_at_a_breakpoint_and_sees_no_worker(interpreters: Interpreters) -> None:
    await run(interpreters, "def f(x):\n    y = x + 1\n    return y")
    path = await path_of(interpreters, "f")
    listen = "import debugpy\nprint('port', debugpy.listen(('127.0.0.1', 0))[1])"
    port = int((await output(interpreters, listen)).split()[-1])
    debugger = Debugger(*await asyncio.open_connection("127.0.0.1", port))
    await debugger.request("initialize", adapterID="test")
    await debugger.request("attach", answered="initialized", justMyCode=False)
    source, breakpoints = {"path": str(path)}, [{"line": 2}]
    await debugger.request("setBreakpoints", source=source, breakpoints=breakpoints)
    await debugger.request("configurationDone")
    block = Running(interpreters, "a = f(3)\nprint(a)\nb = 2")
    thread = (await debugger.event("stopped"))["threadId"]
    assert await debugger.frames(thread) == [("f", 2), ("<module>", 1)]
    await debugger.request("next", answered="stopped", threadId=thread)
    assert (await debugger.frames(thread))[0] == ("f", 3)
    await debugger.request("continue", threadId=thread)
    assert text(await block.end()) == "4\n"
    debugger.close()


async def test_an_interrupt_ends_pdb_and_its_block(interpreters: Interpreters) -> None:
    for code in ("x = 5\nbreakpoint()\nprint('on')", "breakpoint()\nwhile True: pass"):
        block = Running(interpreters, code)
        await until(lambda block=block: bool(requests(block)))  # type: ignore[misc]
        if "while" in code:
            (request,) = requests(block)
            assert await interpreters.answer(request.input, "c")
        interpreters.interrupt()
        told = text(await block.end())
        assert told.endswith("KeyboardInterrupt\n")
        assert "python_worker" not in told
        assert await output(interpreters, "x") == "5\n"


def requests(block: Running) -> list[InputRequest]:
    """What the block has asked for."""
    return [chunk for chunk in block.chunks if isinstance(chunk, InputRequest)]
