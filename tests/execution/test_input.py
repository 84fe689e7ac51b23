"""The code's questions reach the person, and their answers the code."""

from pathlib import Path

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.messages import InputRequest, Output
from tests.execution.runs import lines_of_outputs, output, run
from tests.patience import until


def requests(chunks: object) -> list[tuple[str, bool]]:
    assert isinstance(chunks, list)
    return [(c.prompt, c.password) for c in chunks if isinstance(c, InputRequest)]


async def test_input_asks_with_its_prompt(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "\nprint(input('Name? '))", answers=["Ada"])
    assert requests(chunks) == [("Name? ", False)]
    assert lines_of_outputs(chunks) == [(2, "Ada")]


async def test_getpass_hides(interpreters: Interpreters) -> None:
    code = "from getpass import getpass\nprint(getpass(), getpass('Key: '))"
    chunks = await run(interpreters, code, answers=["a", "b"])
    assert requests(chunks) == [("Password: ", True), ("Key: ", True)]
    assert lines_of_outputs(chunks) == [(2, "a b")]


@pytest.mark.parametrize(
    ("code", "answers", "told"),
    [
        ("sys.stdin.readline()", ["é"], "'é\\n'\n"),
        ("sys.stdin.read()", ["a", "b", None], "'a\\nb\\n'\n"),
        ("[line for line in sys.stdin]", ["a", "", None], "['a\\n', '\\n']\n"),
        ("sys.stdin.buffer.readline()", ["é"], "b'\\xc3\\xa9\\n'\n"),
        ("sys.stdin.readlines()", [None], "[]\n"),
        ("input(), input()", ["a\nb"], "('a', 'b')\n"),
        ("input()", [""], "''\n"),
        ("input(3)", ["x"], "'x'\n"),
        ("input()", ["y" * 100_000], "'" + "y" * 100_000 + "'\n"),
    ],
)
async def test_every_way_to_read(
    interpreters: Interpreters, code: str, answers: list[str | None], told: str
) -> None:
    assert await output(interpreters, f"import sys\n{code}", answers=answers) == told


async def test_end_of_file_is_an_error_of_the_code(interpreters: Interpreters) -> None:
    told = await output(interpreters, "input()", answers=[None])
    assert told.endswith("EOFError: EOF when reading a line\n")


async def test_input_reads_the_user_s_own_stream(interpreters: Interpreters) -> None:
    code = "import io, sys\nsys.stdin = io.StringIO('1\\n2\\n')\nprint(input(), input())"
    assert await output(interpreters, code) == "1 2\n"


async def test_a_thread_may_ask(interpreters: Interpreters) -> None:
    code = (
        "import threading\n"
        "got = []\n"
        "threads = [threading.Thread(target=lambda: got.append(input())) for _ in range(2)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "sorted(got)"
    )
    assert await output(interpreters, code, answers=["a", "b"]) == "['a', 'b']\n"


async def test_a_thread_may_ask_in_a_later_block(interpreters: Interpreters) -> None:
    code = (
        "import threading\n"
        "later, got = threading.Event(), []\n"
        "t = threading.Thread(target=lambda: (later.wait(), got.append(input())))\n"
        "t.start()"
    )
    await run(interpreters, code)
    assert await output(interpreters, "later.set()\nt.join()\ngot", answers=["x"]) == "['x']\n"


async def test_a_thread_that_asks_between_blocks_finds_end_of_file(
    interpreters: Interpreters, workplace: Workplace
) -> None:
    code = (
        "import os, threading, time\n"
        "def ask():\n"
        "    while not os.path.exists('go'): time.sleep(.005)\n"
        "    try: input()\n"
        "    except EOFError: os.rename('go', 'found its end')\n"
        "threading.Thread(target=ask).start()"
    )
    await run(interpreters, code)
    Path(workplace.cwd, "go").touch()  # noqa: ASYNC240
    await until(Path(workplace.cwd, "found its end").exists)


async def test_a_background_process_finds_end_of_file_when_its_block_ends(
    interpreters: Interpreters,
) -> None:
    code = "import subprocess\nprint(subprocess.Popen('cat').pid)\ninput('ours')"
    asked, process = {}, 0
    async for chunk in interpreters.run("python", code):
        if isinstance(chunk, Output):
            process = process or int(chunk.text)
        elif isinstance(chunk, InputRequest):
            asked[chunk.prompt] = chunk.input
            if len(asked) == 2:
                await interpreters.answer(asked["ours"], "x")
    await until(lambda: psutil.Process(process).status() == psutil.STATUS_ZOMBIE)


async def test_a_child_that_reads_asks_too(interpreters: Interpreters) -> None:
    code = "import subprocess\nsubprocess.run(['head', '-n1']);"
    chunks = await run(interpreters, "import os\nos.system('head -n1');", answers=["to a child"])
    assert requests(chunks) == [("", False)]
    assert lines_of_outputs(chunks)[0] == (2, "to a child")
    assert (await output(interpreters, code, answers=["x"])).startswith("x\n")


async def test_a_child_reads_a_line_of_any_length(interpreters: Interpreters) -> None:
    """Longer than its pipe has room for, and all of it is one answer."""
    code = "import subprocess, sys\nchild = 'print(len(input()), input())'\n"
    code += "subprocess.run([sys.executable, '-c', child]);"
    told = await output(interpreters, code, answers=["x" * 200_000, "next"])
    assert told.startswith("200000 next\n")


async def test_what_does_not_fit_is_not_left_for_the_next(interpreters: Interpreters) -> None:
    one_byte = "import subprocess\nsubprocess.run(['head', '-c1']);"
    assert (await output(interpreters, one_byte, answers=["a" * 200_000])).startswith("a")
    assert (await output(interpreters, one_byte, answers=["b"])).startswith("b")


async def test_what_a_child_has_not_read_is_not_left_for_the_next(
    interpreters: Interpreters,
) -> None:
    one_byte = "import os, subprocess\nsubprocess.run(['head', '-c1']);"
    assert (await output(interpreters, one_byte, answers=["ab"])).startswith("a")
    assert (await output(interpreters, one_byte, answers=["cd"])).startswith("c")


async def test_a_forked_copy_cannot_ask(interpreters: Interpreters) -> None:
    code = "import os\npid = os.fork()\nif pid == 0: input()\nos.waitpid(pid, 0);"
    assert "EOFError" in await output(interpreters, code)


async def test_an_answer_goes_to_the_request_it_names(interpreters: Interpreters) -> None:
    async for chunk in interpreters.run("python", "input()"):
        if isinstance(chunk, InputRequest):
            assert not await interpreters.answer("another", "x")
            assert await interpreters.answer(chunk.input, "x")
            assert not await interpreters.answer(chunk.input, "y")
