"""The worker's frames are in nothing that shows stacks."""

import pytest

from oi_daemon.execution.interpreters import Interpreters
from tests.execution.runs import output, run

SHOWN = {
    "a traceback": "import os, traceback\n"
    "try: os.kill(0, 99999)\nexcept OSError: traceback.print_exc()",
    "the stack": "import traceback\ntraceback.print_stack()",
    "walk_stack": "import traceback\n"
    "print([f.f_code.co_filename for f, _ in traceback.walk_stack(None)])",
    "walk_tb": "import os, traceback\n"
    "try: os.kill(0, 99999)\n"
    "except OSError as e: print([f for f, _ in traceback.walk_tb(e.__traceback__)])",
    "inspect": "import inspect\nprint(inspect.stack())",
    "faulthandler": "import faulthandler, sys\nfaulthandler.dump_traceback(file=sys.stdout)",
    "faulthandler, by a descriptor": "import faulthandler\nfaulthandler.dump_traceback(file=2)",
    "a warning of its caller": "import warnings\nwarnings.warn('w', stacklevel=2)",
    "a logged exception": "import logging, os\n"
    "try: os.kill(0, 99999)\nexcept OSError: logging.exception('e')",
    "an exception group": "import os\n"
    "try: os.kill(0, 99999)\n"
    "except OSError as e: raise (ExceptionGroup if hasattr(__builtins__, 'ExceptionGroup')"
    " else lambda _, errors: errors[0])('g', [e])",
    "a thread": "import os, threading\n"
    "t = threading.Thread(target=lambda: os.kill(0, 99999))\nt.start()\nt.join()",
    "an object that is deleted": "import os\n"
    "class C:\n    def __del__(self): os.kill(0, 99999)\nc = C()\ndel c",
    "a tracer": "import sys\n"
    "seen = []\n"
    "def tracer(frame, event, argument): seen.append(frame.f_code.co_filename)\n"
    "sys.settrace(tracer)\n"
    "print(1)\n"
    "assert sys.gettrace() is tracer\n"
    "sys.settrace(None)\n"
    "print(seen)",
    "a profiler": "import sys, threading\n"
    "seen = []\n"
    "def profiler(frame, event, argument): seen.append(frame.f_code.co_filename)\n"
    "sys.setprofile(profiler)\n"
    "print(1)\n"
    "sys.setprofile(None)\n"
    "print(seen)",
}


@pytest.mark.parametrize("way", SHOWN)
async def test_the_worker_is_in_no_stack(interpreters: Interpreters, way: str) -> None:
    told = await output(interpreters, SHOWN[way])
    assert told
    assert "python_worker" not in told
    assert "runpy" not in told


async def test_blocks_are_named_and_their_lines_shown(interpreters: Interpreters) -> None:
    for way in ("a traceback", "the stack", "a thread", "an object that is deleted"):
        told = await output(interpreters, SHOWN[way])
        assert 'File "<block ' in told
        assert "os.kill(0, 99999)" in told or "print_stack()" in told


async def test_a_warning_beyond_the_stack_is_as_in_a_script(interpreters: Interpreters) -> None:
    told = await output(interpreters, SHOWN["a warning of its caller"])
    assert told == "sys:1: UserWarning: w\n"


DEBUGGED = """\
def f(x):
    y = x + 1
    return y
x = 1
breakpoint()
z = f(x)
import asyncio
async def g():
    await asyncio.sleep(0)
    return 3
await g()
print('end')
"""


async def debugged(interpreters: Interpreters, *commands: str) -> list[str]:
    """The places at which pdb stops, by block and line, and what else is written."""
    told = await output(interpreters, DEBUGGED, answers=commands)
    assert "python_worker" not in told
    lines = told.splitlines()
    return [line.rpartition("/")[2] for line in lines if line[:3] != "-> "]


async def test_pdb_steps_through_a_block_as_through_a_script(interpreters: Interpreters) -> None:
    places = await debugged(interpreters, *["n"] * 10)
    modules = dict.fromkeys(place for place in places if place.endswith("<module>()"))
    assert list(modules)[-5:] == [f"block_1.py({line})<module>()" for line in (6, 7, 8, 11, 12)]
    assert "block_1.py(9)g()" in places
    assert places[-1] == "end"


async def test_pdb_shows_where_the_block_is(interpreters: Interpreters) -> None:
    places = await debugged(interpreters, "b 2", "c", "w", "u", "p x", "c")
    assert "block_1.py(6)<module>()" in places
    assert "block_1.py(2)f()" in places
    assert "1" in places
    assert places[-1] == "end"


async def test_pdb_ends_with_its_block(interpreters: Interpreters) -> None:
    await run(interpreters, "x = 1\nbreakpoint()\nx = 2", answers=["n", "n"])
    assert await output(interpreters, "print(x)\nx = 3\nprint(x)") == "2\n3\n"


async def test_pdb_after_a_failure(interpreters: Interpreters) -> None:
    await run(interpreters, "def f(x):\n    return 1 / x\nf(0)")
    told = await output(interpreters, "import pdb\npdb.pm()", answers=["p x + 1", "w", "q"])
    assert "1\n" in told
    assert "block_1.py(3)<module>()" in told
    assert "python_worker" not in told
