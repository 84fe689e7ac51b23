"""Tools of MCP servers in turns, over real stdio: calls of the model, and calls of its code."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.mcp_server import PNG
from tests.fakes.openai_server import ScriptedServer, error, markdown, text, tool_call
from tests.fakes.responses import function_call, message, response
from tests.talk import chunks, code, ready, wait_for_approval, wait_for_chunk
from tests.wire_client import WireClient, eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture
def client() -> Iterator[WireClient]:
    with WireClient() as started:
        yield started


@pytest.fixture
def servers(tmp_path: Path) -> dict[str, Any]:
    return {
        "fake": {
            "command": sys.executable,
            "args": ["-m", "tests.fakes.mcp_server"],
            "env": {"MCP_LOG": str(tmp_path / "log"), "MY_TOKEN": "tok-0123456789"},
            "cwd": str(ROOT),
        }
    }


def calls(tmp_path: Path) -> list[dict[str, Any]]:
    """The calls that the MCP server got."""
    log = tmp_path / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    told = [json.loads(line) for line in lines]
    return [each["params"] for each in told if each["method"] == "tools/call"]


def test_a_call_of_the_model_is_a_block_that_waits(
    client: WireClient, servers: dict[str, Any], tmp_path: Path
) -> None:
    with ScriptedServer.in_thread(
        tool_call({"a": 34, "b": 24}, name="fake__add"), text("58.")
    ) as model:
        ready(client, model.url, mcp=servers)
        request = client.send("oi/stream", {"message": "Add."})
        approval = wait_for_approval(client)
        assert not calls(tmp_path)
        client.result("oi/approve", {"approval": approval, "decision": "run"})
        result = client.answer(request)["result"]
        first, second = model.bodies

    assert result["messages"][1:] == [
        {
            "role": "assistant",
            "language": "python",
            "code": "tools.fake.add(a=34, b=24)",
            "output": "58",
        },
        {"role": "assistant", "message": "58."},
    ]
    assert calls(tmp_path) == [{"name": "add", "arguments": {"a": 34, "b": 24}}]
    assert {"executing": {"code": "tools.fake.add(a=34, b=24)", "language": "python"}} in chunks(
        client
    )
    names = [tool["function"]["name"] for tool in first["tools"]]
    assert names[:2] == ["execute", "fake__add"]
    assert "$schema" not in first["tools"][1]["function"]["parameters"]
    assert "\x1b" not in str(first["tools"])
    assert "tools.SERVER.FUNCTION(...)" in first["messages"][0]["content"]
    assert second["messages"][-1]["content"] == "58"


@pytest.mark.parametrize("decision", ["skip", "stop"])
def test_a_declined_call_is_not_made(
    client: WireClient, servers: dict[str, Any], tmp_path: Path, decision: str
) -> None:
    with ScriptedServer.in_thread(tool_call({"a": 1}, name="fake__add"), text("Well.")) as model:
        ready(client, model.url, mcp=servers)
        request = client.send("oi/stream", {"message": "Add."})
        client.result("oi/approve", {"approval": wait_for_approval(client), "decision": decision})
        client.answer(request)
    assert not calls(tmp_path)


def test_an_edited_call_is_made_as_it_was_edited(
    client: WireClient, servers: dict[str, Any], tmp_path: Path
) -> None:
    with ScriptedServer.in_thread(tool_call({"a": 1}, name="fake__add"), text("2.")) as model:
        ready(client, model.url, mcp=servers)
        request = client.send("oi/stream", {"message": "Add."})
        answer = {"approval": wait_for_approval(client), "decision": "run"}
        client.result("oi/approve", answer | {"code": "tools.fake.add(a=1, b=1)"})
        result = client.answer(request)["result"]
    assert result["messages"][1]["code"] == "tools.fake.add(a=1, b=1)"
    assert calls(tmp_path) == [{"name": "add", "arguments": {"a": 1, "b": 1}}]


def test_approved_code_calls_tools_without_a_second_question(
    client: WireClient, servers: dict[str, Any], tmp_path: Path
) -> None:
    source = "for n in range(3):\n    print(tools.fake.add(n, n))\ntools.fake.picture()"
    with ScriptedServer.in_thread(code(source), text("Done.")) as model:
        ready(client, model.url, mcp=servers)
        request = client.send("oi/stream", {"message": "Add."})
        client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "run"})
        result = client.answer(request)["result"]
    assert result["messages"][1]["output"].startswith("0\n2\n4\n")
    assert len(calls(tmp_path)) == 4
    assert {"display": {"image/png": PNG}} in chunks(client)


def test_a_call_by_the_responses_api(
    client: WireClient, servers: dict[str, Any], tmp_path: Path
) -> None:
    with ScriptedServer.in_thread(
        error(404, "This model is only supported in v1/responses."),
        response(function_call('{"a": 1,', ' "b": 2}', name="fake__add")),
        response(message("3.")),
    ) as model:
        ready(client, model.url, mcp=servers, auto_run=True, model="gpt-5-codex")
        result = client.result("oi/stream", {"message": "Add."})
        body = model.bodies[1]
    assert result["messages"][1]["code"] == "tools.fake.add(a=1, b=2)"
    assert result["messages"][1]["output"] == "3"
    assert "fake__add" in [tool["name"] for tool in body["tools"]]


def test_a_model_that_writes_markdown_is_told_the_functions(
    client: WireClient, servers: dict[str, Any]
) -> None:
    with ScriptedServer.in_thread(
        markdown("```python\nprint(tools.fake.add(1, 2))\n```"), text("3.")
    ) as model:
        ready(client, model.url, mcp=servers, auto_run=True, tool_style="markdown")
        result = client.result("oi/stream", {"message": "Add."})
        [body, _] = model.bodies
    assert result["messages"][1]["output"] == "3"
    assert "- tools.fake.add(a, b=...): Adds two numbers." in body["messages"][0]["content"]


def test_arguments_that_cannot_be_read_run_nothing(
    client: WireClient, servers: dict[str, Any], tmp_path: Path
) -> None:
    with ScriptedServer.in_thread(
        tool_call(['{"a": 1'], name="fake__add"), text("I give up.")
    ) as model:
        ready(client, model.url, mcp=servers, auto_run=True)
        client.result("oi/stream", {"message": "Add."})
        told = model.bodies[1]["messages"][-1]["content"]
    assert not calls(tmp_path)
    assert "could not be read" in told


def test_an_interrupt_ends_a_call(
    client: WireClient, servers: dict[str, Any], tmp_path: Path
) -> None:
    with ScriptedServer.in_thread(tool_call({}, name="fake__wait")) as model:
        ready(client, model.url, mcp=servers, auto_run=True)
        request = client.send("oi/stream", {"message": "Wait."})
        eventually(lambda: calls(tmp_path), "the call")
        assert client.result("oi/interrupt", {}) == {"interrupted": True}
        result = client.answer(request)["result"]
    assert result["status"] == "interrupted"
    eventually(lambda: "notifications/cancelled" in (tmp_path / "log").read_text(), "cancelled")


def test_a_server_that_does_not_start_is_told_and_the_turn_goes_on(client: WireClient) -> None:
    with ScriptedServer.in_thread(text("Hello.")) as model:
        ready(client, model.url, mcp={"gone": {"command": "no-such-program"}})
        client.result("oi/stream", {"message": "Hi."})
        [body] = model.bodies
    words = "The MCP server gone does not start: No such file or directory."
    notice = wait_for_chunk(client, "notice")["chunk"]["notice"]
    assert notice == {"kind": "tools", "message": words}
    assert words in body["messages"][0]["content"]


def test_an_interrupt_does_not_wait_for_a_server_that_starts(client: WireClient) -> None:
    slow = {"command": sys.executable, "args": ["-c", "import signal; signal.pause()"]}
    with ScriptedServer.in_thread() as model:
        ready(client, model.url, mcp={"slow": slow})
        request = client.send("oi/stream", {"message": "Hi."})
        eventually(lambda: children(client, "signal.pause"), "the server's start")
        assert client.result("oi/interrupt", {}) == {"interrupted": True}
        assert client.answer(request)["result"]["status"] == "interrupted"
        assert not model.bodies


def test_keys_of_a_server_are_told_to_nobody(
    client: WireClient, servers: dict[str, Any], tmp_path: Path
) -> None:
    with ScriptedServer.in_thread(tool_call({}, name="fake__env"), text("Done.")) as model:
        ready(client, model.url, mcp=servers, auto_run=True)
        result = client.result("oi/stream", {"message": "Show."})
        shown = client.result("oi/settings/get", {})
        bodies = str(model.bodies)
    assert "MY_TOKEN" in str(result)
    assert "tok-0123456789" not in f"{result}{shown}{bodies}{client.notifications}"


def test_a_killed_daemon_leaves_no_server(client: WireClient, servers: dict[str, Any]) -> None:
    ready(client, "http://127.0.0.1:9", mcp=servers)
    source = "tools.fake.add(1, 2)"
    client.result("oi/execute", {"language": "python", "code": source})
    [server] = children(client, "tests.fakes.mcp_server")
    os.kill(client.process.pid, signal.SIGKILL)
    eventually(lambda: not server.is_running() or server.status() == "zombie", "its end")


def children(client: WireClient, word: str) -> list[psutil.Process]:
    """The processes that the daemon has started whose command line has this word."""
    found = psutil.Process(client.process.pid).children(recursive=True)
    return [each for each in found if word in " ".join(_command_line(each))]


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []
