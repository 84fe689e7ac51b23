"""Python blocks behave as at Python's own prompt."""

import ast
from pathlib import Path

import pytest

import oi_daemon.execution
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.messages import ActiveLine, EndOfExecution, Output
from tests.execution.runs import lines, lines_of_outputs, output, result, run

WORKER = Path(oi_daemon.execution.__file__).parent / "python_worker"


async def test_the_documentation_s_example(interpreters: Interpreters) -> None:
    assert await run(interpreters, "34 / 24") == [
        ActiveLine(1),
        Output("1.4166666666666667\n"),
        ActiveLine(None),
        EndOfExecution(),
    ]


async def test_2000_statements_are_each_active_once_in_order(interpreters: Interpreters) -> None:
    code = "\n".join(f"x{i} = {i}" for i in range(2000))
    assert lines(await run(interpreters, code)) == list(range(1, 2001))


async def test_statements_of_several_lines_are_active_at_their_first(
    interpreters: Interpreters,
) -> None:
    code = "@staticmethod\ndef f(\n):\n    pass\n\nx = (1,\n 2)\nif x:\n    pass\n"
    assert lines(await run(interpreters, code)) == [1, 6, 8]


LINES_IN_FORCE = """\
import sys
def f(n):
    print("f")
    return [
        print("c") for _ in range(n)
    ]
g = lambda: print("g")
class C:
    def __repr__(self):
        sys.stderr.write("r\\n")
        return "C"
for i in range(100):
    print("l")
    f(2)
    g()
    if i % 2: print("o", file=sys.stderr)
    else:
        sys.stdout.write("e\\n")
    str(C())
    [*map(lambda x: print("m"),
          [1])]
"""
WORDS = {"f": 3, "c": 5, "g": 7, "r": 10, "l": 13, "o": 16, "e": 18, "m": 20}


async def test_the_line_in_force_at_every_output(interpreters: Interpreters) -> None:
    """From loops, functions, comprehensions, lambdas, methods and to stderr."""
    told = lines_of_outputs(await run(interpreters, LINES_IN_FORCE))
    assert len(told) == 800
    assert all(line == WORDS[word] for line, word in told)


async def test_a_function_of_an_earlier_block_runs_at_the_line_that_calls_it(
    interpreters: Interpreters,
) -> None:
    await run(interpreters, "\n\n\ndef f():\n    print('f')")
    assert lines_of_outputs(await run(interpreters, "\nf()")) == [(2, "f")]


async def test_what_a_library_prints_stands_at_the_line_that_calls_it(
    interpreters: Interpreters,
) -> None:
    code = "import pprint, logging\npprint.pprint([1])\nlogging.warning('w')"
    told = lines_of_outputs(await run(interpreters, code))
    assert told == [(2, "[1]"), (3, "WARNING:root:w")]


async def test_a_long_line_inside_a_loop_becomes_active_by_itself(
    interpreters: Interpreters,
) -> None:
    code = "import time\nfor _ in range(1):\n    x = 1\n    time.sleep(.2)\n"
    assert lines(await run(interpreters, code)) == [1, 2, 4]


async def test_a_line_that_awaits_becomes_active_by_itself(interpreters: Interpreters) -> None:
    code = (
        "import asyncio\n"
        "async def f():\n"
        "    await asyncio.sleep(.2)\n"
        "for _ in range(1):\n"
        "    await f()\n"
        "    await asyncio.sleep(.2)\n"
    )
    active = lines(await run(interpreters, code))
    assert active.index(3) < active.index(6)


async def test_a_child_s_output_stands_at_the_line_that_starts_it(
    interpreters: Interpreters,
) -> None:
    code = (
        "import os, subprocess\n"
        "for _ in range(3):\n"
        "    print('p')\n"
        "    os.system('echo s')\n"
        "    subprocess.run(['echo', 'r'])\n"
    )
    told = lines_of_outputs(await run(interpreters, code))
    assert told == [(3, "p"), (4, "s"), (5, "r")] * 3


ORDER = """\
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None)
for i in range(60):
    print("a")
    libc.puts(b"b")
    print("c", end="\\n", file=sys.stderr)
    os.write(1, b"d\\n")
    sys.stdout.buffer.write(b"e\\n")
subprocess.run("echo f; echo g >&2", shell=True)
if os.fork() == 0:
    print("h")
    os._exit(0)
os.wait()
print("i")
"""


async def test_print_c_and_children_write_in_their_true_order(interpreters: Interpreters) -> None:
    assert await output(interpreters, ORDER) == "a\nb\nc\nd\ne\n" * 60 + "f\ng\nh\ni\n"


@pytest.mark.parametrize(
    "written",
    ["print('a', end='')", "print(' a\\n\\n  b')", "print('>>> x')", "print('\\x1eE1\\x1f')"],
)
async def test_odd_outputs_are_whole(interpreters: Interpreters, written: str) -> None:
    told = {"print('a', end='')": "a", "print(' a\\n\\n  b')": " a\n\n  b\n"}
    told |= {"print('>>> x')": ">>> x\n", "print('\\x1eE1\\x1f')": "\x1eE1\x1f\n"}
    assert await output(interpreters, written) == told[written]


async def test_half_a_line_shows_at_once(interpreters: Interpreters) -> None:
    code = "import time\nprint('half', end='')\ntime.sleep(60)"
    async for chunk in interpreters.run("python", code):
        if chunk == Output("half"):
            interpreters.interrupt()
            break
    else:
        pytest.fail("the half line did not show")


@pytest.mark.parametrize(
    ("code", "echo"),
    [
        ("1 + 1", "2\n"),
        ("1 + 1;", ""),
        ("'é';  # silent", ""),
        ("1; 2", "2\n"),
        ("'a;'", "'a;'\n"),
        ("x = 1", ""),
        ("None", ""),
        ("1\n2", "2\n"),
        ("'\ud83d\ude00'", "'😀'\n"),
        ("(lambda a: a * 2)(4)", "8\n"),
        ("'yes' if 2 > 1 else 'no'", "'yes'\n"),
        ("_ = 3\n_", "3\n"),
        ("chr(0xd800)", "'\\ud800'\n"),
        ("print(chr(0xd800))", "\\ud800\n"),
        ("for i in range(2): i", ""),
    ],
)
async def test_the_last_expression_is_echoed(
    interpreters: Interpreters, code: str, echo: str
) -> None:
    code = code.encode("utf-16", "surrogatepass").decode("utf-16")
    assert await output(interpreters, code) == echo


async def test_the_last_value_is_kept_as_underscore(interpreters: Interpreters) -> None:
    await run(interpreters, "41")
    assert await output(interpreters, "_ + 1") == "42\n"


async def test_an_error_names_the_right_line_and_shows_it(interpreters: Interpreters) -> None:
    told = await output(interpreters, "def f():\n    return 1 / 0\n\nf()")
    assert 'File "<block 1>", line 4, in <module>\n    f()\n' in told
    assert 'File "<block 1>", line 2, in f\n    return 1 / 0\n' in told
    assert told.endswith("ZeroDivisionError: division by zero\n")
    assert "python_worker" not in told


async def test_an_error_in_a_function_of_an_earlier_block_shows_its_source(
    interpreters: Interpreters,
) -> None:
    await run(interpreters, "def f():\n    raise OSError('x')")
    told = await output(interpreters, "f()")
    assert "    raise OSError('x')\n" in told


async def test_the_worker_s_own_frames_are_hidden(interpreters: Interpreters) -> None:
    for code in ("print(1, file=3)", "sys.stdout.write(3)", "input(1, 2)", "raise KeyError('k')"):
        assert "python_worker" not in await output(interpreters, f"import sys\n{code}")


async def test_an_error_keeps_its_causes(interpreters: Interpreters) -> None:
    code = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('v') from e"
    told = await output(interpreters, code)
    assert "ZeroDivisionError" in told
    assert "direct cause" in told
    assert told.endswith("ValueError: v\n")


async def test_a_syntax_error_comes_before_anything_runs(interpreters: Interpreters) -> None:
    for broken in ("x = = 1", "return 1", "def f(:", "    x", "x = '"):
        told = await output(interpreters, f"print('ran')\n{broken}")
        assert "line 2" in told
        assert "Error: " in told
        assert "ran\n" not in told
        assert "Traceback" not in told


async def test_an_exception_that_cannot_be_shown(interpreters: Interpreters) -> None:
    code = "class E(Exception):\n    def __str__(self): raise self\nraise E"
    assert "E" in await output(interpreters, code)
    assert await output(interpreters, "1") == "1\n"


async def test_a_deep_recursion_is_an_error(interpreters: Interpreters) -> None:
    told = await output(interpreters, "def f(): f()\nf()")
    assert "RecursionError" in told
    assert len(told) < 5000


async def test_the_user_s_excepthook_is_used(interpreters: Interpreters) -> None:
    await run(interpreters, "import sys\nsys.excepthook = lambda *e: print('hook', e[1])")
    assert await output(interpreters, "1 / 0") == "hook division by zero\n"
    await run(interpreters, "sys.excepthook = lambda *e: 1 / 0")
    assert "ZeroDivisionError" in await output(interpreters, "raise OSError")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys\nsys.exit()", ""),
        ("import sys\nsys.exit(0)", ""),
        ("import sys\nsys.exit(3)", "SystemExit: 3\n"),
        ("import sys\nsys.exit('no')", "no\n"),
        ("exit()", ""),
        ("quit(2)", "SystemExit: 2\n"),
        ("raise SystemExit", ""),
    ],
)
async def test_exit_ends_the_block_and_not_the_interpreter(
    interpreters: Interpreters, code: str, told: str
) -> None:
    await run(interpreters, "x = 1")
    assert await output(interpreters, f"{code}\nprint('on')") == told
    assert await output(interpreters, "print(x)") == "1\n"
    assert await output(interpreters, "input()", answers=["still asks"]) == "'still asks'\n"


async def test_closed_or_replaced_streams_do_not_end_the_output(interpreters: Interpreters) -> None:
    await run(interpreters, "import sys, os\nsys.stdout.close()\nsys.stderr.close()\nos.close(1)")
    assert await output(interpreters, "print(1)\nos.system('echo 2')") == "1\n2\n0\n"
    await run(interpreters, "sys.stderr = None")
    assert "ZeroDivisionError" in await output(interpreters, "1 / 0")


async def test_await_at_the_top(interpreters: Interpreters) -> None:
    code = "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 7\nawait f()"
    assert await output(interpreters, code) == "7\n"
    assert await output(interpreters, "task = await asyncio.sleep(0, 1)\ntask") == "1\n"
    code = "async for x in g(): print(x)"
    assert await output(interpreters, f"async def g():\n    yield 1\n{code}") == "1\n"
    assert await output(interpreters, "asyncio.run(f())") == "7\n"
    assert await output(interpreters, "await f()") == "7\n"


async def test_a_future_import_holds(interpreters: Interpreters) -> None:
    await run(interpreters, "from __future__ import annotations\ndef f(x: nowhere): pass")
    assert await output(interpreters, "def g(x: nowhere): pass\ng.__annotations__") == (
        "{'x': 'nowhere'}\n"
    )


async def test_a_future_import_stands_where_python_has_it(interpreters: Interpreters) -> None:
    late = "x = 1\nfrom __future__ import annotations"
    assert "must occur at the beginning of the file" in await output(interpreters, late)
    broken = "from __future__ import annotations\nreturn"
    assert "SyntaxError" in await output(interpreters, broken)
    told = await output(interpreters, "def g(x: int): pass\ng.__annotations__")
    assert told == "{'x': <class 'int'>}\n"
    code = "'''doc'''\n# comment\nfrom __future__ import annotations\nprint('ran')"
    assert await output(interpreters, code) == "ran\n"


async def test_a_string_statement_does_not_become_the_module_s_documentation(
    interpreters: Interpreters,
) -> None:
    chunks = await run(interpreters, "'''doc'''\nx = 1\n'more'\nprint(__doc__)")
    assert lines_of_outputs(chunks) == [(4, "None")]
    assert lines(chunks) == [1, 2, 3, 4]
    assert await output(interpreters, "'last'") == "'last'\n"


async def test_a_byte_order_mark_is_no_error(interpreters: Interpreters) -> None:
    assert lines_of_outputs(await run(interpreters, "\ufeffx = 1\nprint(x)")) == [(2, "1")]


async def test_main_is_the_user_s(interpreters: Interpreters) -> None:
    code = (
        "import dataclasses, pickle, sys\n"
        "@dataclasses.dataclass\n"
        "class P:\n"
        "    x: int\n"
        "if __name__ == '__main__':\n"
        "    print(pickle.loads(pickle.dumps(P(3))), sys.argv, sys.path[0] == '')\n"
    )
    assert await output(interpreters, code) == "P(x=3) [''] True\n"


async def test_modules_in_the_folder_can_be_imported(interpreters: Interpreters) -> None:
    code = "open('mine.py', 'w').write('x = 3')\nimport mine\nmine.x"
    assert await output(interpreters, code) == "3\n"


async def test_source_can_be_inspected(interpreters: Interpreters) -> None:
    await run(interpreters, "def f():\n    return 1\n")
    assert await output(interpreters, "import inspect\nprint(inspect.getsource(f))") == (
        "def f():\n    return 1\n\n"
    )


@pytest.mark.parametrize("module", ["json", "traceback"])
async def test_a_module_of_the_folder_with_a_known_name_does_not_end_the_worker(
    interpreters: Interpreters, workplace: Workplace, module: str
) -> None:
    """What an error needs is not taken from the user's folder."""
    (Path(workplace.cwd) / f"{module}.py").write_text("x = 1\n")
    ended = result(await run(interpreters, "1 / 0"))
    assert ended.error is not None
    assert (ended.status, ended.error.name) == ("error", "ZeroDivisionError")


@pytest.mark.parametrize("text", ["\\ud800 é \\0 \\n", 'a \\"b\\" \\\\'])
async def test_any_text_of_an_error_arrives(interpreters: Interpreters, text: str) -> None:
    ended = result(await run(interpreters, f'raise ValueError("{text}")'))
    assert ended.error is not None
    assert ended.error.message == eval(f'"{text}"').replace("\ud800", "?")


async def test_a_warning_shows_its_line(interpreters: Interpreters) -> None:
    told = await output(interpreters, "import warnings\nwarnings.warn('careful')")
    assert told == "<block 1>:2: UserWarning: careful\n  warnings.warn('careful')\n"


async def test_a_forked_copy_ends_with_its_block(interpreters: Interpreters) -> None:
    code = "import os\npid = os.fork()\nif pid: os.wait()\nprint('parent' if pid else 'child')"
    assert await output(interpreters, code) == "child\nparent\n"
    assert await output(interpreters, "print('once')") == "once\n"


async def test_a_forked_copy_that_fails_says_so_and_ends(interpreters: Interpreters) -> None:
    code = "import os\npid = os.fork()\nif pid == 0: raise OSError('x')\nos.waitpid(pid, 0)[1] >> 8"
    told = await output(interpreters, code)
    assert told.startswith("Traceback")
    assert told.endswith("OSError: x\n1\n")


async def test_multiprocessing(interpreters: Interpreters) -> None:
    code = (
        "import multiprocessing\n"
        "def double(x): return x * 2\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    print(pool.map(double, [1, 2, 3]))\n"
    )
    assert await output(interpreters, code) == "[2, 4, 6]\n"


async def test_threads_print(interpreters: Interpreters) -> None:
    code = (
        "import threading\n"
        "t = threading.Thread(target=print, args=('thread',))\n"
        "t.start()\n"
        "t.join()\n"
        "print(threading.active_count())\n"
    )
    assert await output(interpreters, code) == "thread\n1\n"


async def test_a_shell_command_on_a_line(interpreters: Interpreters) -> None:
    code = "x = '''\n!not this\n'''\nif True:\n    !echo one; echo 'two'\n!echo three >&2\nprint(x)"
    assert await output(interpreters, code) == "one\ntwo\nthree\n\n!not this\n\n"


async def test_a_magic_without_ipython_is_explained(interpreters: Interpreters) -> None:
    told = await output(interpreters, "%no_magic x")
    assert "%no_magic" in told
    assert await output(interpreters, "!echo on the last line") == "on the last line\n"


async def test_the_environment_is_the_user_s(
    interpreters: Interpreters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "as it was")
    monkeypatch.setenv("MPLBACKEND", "agg")
    code = "import os\nprint(os.environ['MINE'], os.environ['MPLBACKEND'], os.environ['PAGER'])"
    assert await output(interpreters, code) == "as it was agg cat\n"


@pytest.mark.parametrize("module", sorted(WORKER.glob("*.py")), ids=lambda path: path.stem)
def test_the_worker_is_python_3_8(module: Path) -> None:
    ast.parse(module.read_text(), feature_version=(3, 8))
