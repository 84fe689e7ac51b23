"""The tools of MCP servers as functions in Python."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.messages import EndOfExecution
from oi_daemon.tools.toolbox import Toolbox
from tests.execution.runs import Running, displays, output, result, run
from tests.fakes.mcp_server import PNG
from tests.patience import until
from tests.tools.conftest import told, with_servers

Server = dict[str, Any]


async def test_a_tool_is_a_function(
    toolbox: Toolbox, python: Interpreters, fake: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": fake}), str(tmp_path))

    assert await output(python, "r = tools.fake.add(a=1, b=2)\nprint(r, r.data)") == (
        "3 {'total': 3}\n"
    )
    assert await output(python, "tools.fake.add(1)") == "1\n"
    assert await output(python, 'tools.fake.dash_ed(**{"a-b": "ü"}, text="\\n")') == (
        '{"a-b": "\\u00fc", "text": "\\n"}\n'
    )


async def test_pictures_are_displayed_where_the_call_stands(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    chunks = await run(python, 'print("before")\nx = tools.fake.picture()\nprint(x)')

    assert displays(chunks) == [{"image/png": PNG}]
    words = [getattr(chunk, "text", "[picture]") for chunk in chunks if not hasattr(chunk, "line")]
    assert words[:3] == ["before\n", "[picture]", "a dot\n"]


async def test_what_fails_raises(
    toolbox: Toolbox, python: Interpreters, fake: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": fake}), str(tmp_path))
    for code, words in (
        ('tools.fake.fail("no luck")', "It failed:[31m no luck"),
        ("tools.fake.refuse()", "The MCP server fake answers: refused: tools/call."),
        ("tools.fake.nothing()", "tools.fake has no function 'nothing'; there are: add, picture"),
        ("tools.nobody.add()", "there is no MCP server 'nobody'; there are: fake"),
        ("tools.fake.add(1, 2, 3)", "add takes 2 arguments, got 3"),
    ):
        chunks = await run(python, code)
        error = result(chunks).error
        assert error is not None
        assert words in error.message
        assert "\x1b" not in error.message
    text = await output(
        python, "try:\n    tools.fake.fail('x')\nexcept Exception as e:\n    print(e)"
    )
    assert text == "It failed:[31m x\n"


async def test_help_dir_and_value_show_what_there_is(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))

    shown = await output(python, "tools")
    assert "tools.fake: " in shown
    assert not told(Path(stdio["env"]["MCP_LOG"]))  # the server was not started for that
    assert await output(python, "print(dir(tools), 'add' in dir(tools.fake))") == (
        "['fake'] True\n"
    )
    assert "tools.fake.add(a, b=...): Adds two numbers." in await output(python, "tools.fake")
    help_text = await output(python, "help(tools.fake.add)")
    assert "Adds two numbers.\n" in help_text
    assert "a (number): The a." in help_text
    assert "\x1b" not in await output(python, "print(tools.fake.wait.__doc__)")


async def test_without_servers_there_are_no_tools(python: Interpreters, tmp_path: Path) -> None:
    plain = Interpreters(python._workplace.__class__(cwd=str(tmp_path)))
    try:
        assert "NameError" in await output(plain, "tools")
    finally:
        await plain.close()


async def test_an_interrupt_ends_a_call_and_keeps_the_variables(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path, log: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    await run(python, "x = 5")
    block = Running(python, "tools.fake.wait()")
    await until(lambda: any(each.get("method") == "tools/call" for each in told(log)))
    python.interrupt()
    chunks = await block.end()

    assert result(chunks).status == "interrupted"
    await until(lambda: told(log)[-1]["method"] == "notifications/cancelled")
    assert await output(python, "print(x, tools.fake.add(1, 1))") == "5 2\n"


async def test_a_call_has_a_time_limit(
    toolbox: Toolbox, python: Interpreters, fake: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": fake | {"max_seconds": 2}}), str(tmp_path))
    error = result(await run(python, "tools.fake.wait()")).error
    assert error is not None
    assert error.message == (
        "The MCP server fake took more than 2 s to answer the call of wait, and `max_seconds`"
        " allows no more."
    )


async def test_a_dead_server_is_started_once_more_and_that_is_told(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    for _ in range(2):
        error = result(await run(python, "tools.fake.die()")).error
        assert error is not None
        assert error.message == "The MCP server fake ended with exit code 3: out of luck."
        assert await output(python, "tools.fake.add(1, 2)") == (
            "[The MCP server fake ended with exit code 3: out of luck. It was started again.]\n3\n"
        )
    await run(python, "tools.fake.die()")
    await run(python, "tools.fake.die()")
    error = result(await run(python, "tools.fake.add(1, 2)")).error
    assert error is not None
    assert "It was started again once before, so it is left alone now." in error.message
    await toolbox.close()
    assert await output(python, "tools.fake.add(1, 2)") == "3\n"


async def test_a_lost_session_is_begun_again(
    toolbox: Toolbox, python: Interpreters, http: Server, tmp_path: Path, log: Path
) -> None:
    await toolbox.configure(with_servers({"fake": http}), str(tmp_path))
    assert "has ended the session" in await output(python, "tools.fake.die()")
    assert await output(python, "tools.fake.add(1, 2)") == (
        "[The MCP server fake has ended the session. It was started again.]\n3\n"
    )
    await toolbox.close()
    assert told(log)[-1]["method"] == "DELETE"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command": "no-such-program"}, "does not start: No such file or directory."),
        ({"args": ["-c", "raise SystemExit('bad')"]}, "ended with exit code 1: bad."),
        (
            {"args": ["-c", "import signal; signal.pause()"], "max_seconds": 1},
            "took more than 1 s to start",
        ),
    ],
)
async def test_a_server_that_does_not_start(
    toolbox: Toolbox, stdio: Server, tmp_path: Path, changes: Server, words: str
) -> None:
    await toolbox.configure(with_servers({"fake": stdio | changes}), str(tmp_path))
    functions, [problem] = await toolbox.functions()

    assert not functions
    assert problem.startswith("The MCP server fake ")
    assert words in problem


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://127.0.0.1:9/mcp"}, "cannot be reached: "),
        ({"headers": {}}, "answers HTTP 401: no key."),
    ],
)
async def test_an_address_that_does_not_answer(
    toolbox: Toolbox, http: Server, tmp_path: Path, changes: Server, words: str
) -> None:
    await toolbox.configure(with_servers({"fake": http | changes}), str(tmp_path))
    assert words in str(await toolbox.answer({"functions": "fake"}))


async def test_a_huge_answer_is_refused_and_the_server_lives_on(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    assert await output(python, "print(len(tools.fake.huge(5_000_000)))") == "5000000\n"
    assert "more than 16 MB, which is too large" in await output(
        python, "tools.fake.huge(20_000_000)"
    )
    assert await output(python, "tools.fake.add(1, 2)") == "3\n"


async def test_a_server_gets_its_own_variables_and_few_of_ours(
    toolbox: Toolbox,
    python: Interpreters,
    stdio: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    monkeypatch.setenv("MINE", "1")
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    answer = await toolbox.answer({"server": "fake", "call": "env", "arguments": {}})
    names = set(json.loads(answer["text"]))

    assert {"PATH", "HOME", "MCP_LOG", "MY_TOKEN"} <= names
    assert not {"OPENAI_API_KEY", "MINE"} & names
    shown = await output(python, "import os\nprint('MY_TOKEN' in os.environ, tools.fake.env())")
    assert shown.startswith("False")
    assert "tok-0123456789" not in shown


async def test_threads_call_tools_at_the_same_time_as_input_waits(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    futures = [pool.submit(tools.fake.add, n, n) for n in range(40)]
    line = input("? ")
    print(line, sum(int(future.result()) for future in futures))
"""
    assert await output(python, code, answers=["yes"]) == "yes 1560\n"


async def test_a_forked_process_calls_no_tools(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    code = """
import os
if os.fork() == 0:
    try:
        tools.fake.add(1)
    except Exception as error:
        print(error, flush=True)
    os._exit(0)
_ = os.wait()
"""
    assert "in the main process only" in await output(python, code)
    assert await output(python, "tools.fake.add(1)") == "1\n"


async def test_a_sandbox_shuts_servers_out_unless_they_are_let_in(
    toolbox: Toolbox, stdio: Server, tmp_path: Path
) -> None:
    servers = {"fake": stdio, "open": stdio | {"outside_sandbox": True}}
    await toolbox.configure(with_servers(servers, sandbox="write-protect"), str(tmp_path))

    assert "outside_sandbox = true in [mcp.fake]" in str(
        await toolbox.answer({"functions": "fake"})
    )
    functions, _ = await toolbox.functions()
    assert {function.server for function in functions} == {"open"}


async def test_a_server_ends_with_the_toolbox_and_what_it_started(
    toolbox: Toolbox, stdio: Server, tmp_path: Path
) -> None:
    starts = "import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True);"
    runs = "from tests.fakes.mcp_server import serve_stdio; serve_stdio()"
    await toolbox.configure(
        with_servers({"fake": stdio | {"args": ["-c", starts + runs]}}), str(tmp_path)
    )
    await toolbox.answer({"server": "fake", "call": "add", "arguments": {"a": 1}})
    children = psutil.Process().children(recursive=True)
    found = [child for child in children if "sleep" in child.cmdline()]
    assert found
    await toolbox.close()
    await until(lambda: not any(child.is_running() for child in found))


async def test_a_block_that_is_killed_leaves_no_call(
    toolbox: Toolbox, python: Interpreters, stdio: Server, tmp_path: Path, log: Path
) -> None:
    await toolbox.configure(with_servers({"fake": stdio}), str(tmp_path))
    block = Running(python, "import os\nprint(os.getpid(), flush=True)\ntools.fake.wait()")
    await until(lambda: any(each.get("method") == "tools/call" for each in told(log)))
    pid = int(next(chunk.text for chunk in block.chunks if hasattr(chunk, "text")))
    os.kill(pid, signal.SIGKILL)
    chunks = await block.end()

    assert isinstance(chunks[-1], EndOfExecution)
    await until(lambda: told(log)[-1]["method"] == "notifications/cancelled")
    async with asyncio.timeout(30):
        assert "3" in await output(python, "tools.fake.add(1, 2)")
