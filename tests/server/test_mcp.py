"""`oi-daemon --mcp`, used by the MCP library's own client in both revisions of the protocol."""

import asyncio
from collections.abc import Callable
from typing import Any

import mcp_types
import psutil
import pytest

from oi_daemon.execution.languages.registry import runnable
from oi_daemon.server.mcp import shapes
from oi_daemon.server.mcp.listings import tools
from tests.fakes.mcp_server import PNG
from tests.mcp_host import MODES, RUN, Person, call, host, killable, run, text
from tests.wire_client import COMMAND, WireClient, eventually


@pytest.mark.parametrize("mode", MODES)
async def test_code_runs_after_a_yes_and_keeps_its_variables(mode: str) -> None:
    person = Person(RUN, {"decision": "run", "code": "x + 2"})
    async with host(mode, person) as client:
        first = await run(client, "x = 40")
        second = await run(client, "x + 1")
        listed = await client.call_tool("variables", {})

    assert (first.is_error, text(first)) == (False, "(no output)")
    assert text(second) == "42"
    assert second.structured_content["code"] == "x + 2"
    assert second.structured_content["status"] == "ok"
    assert second.structured_content["seconds"] >= 0
    [variable] = listed.structured_content["variables"]
    assert (variable["name"], variable["preview"]) == ("x", "40")
    assert "x = 40" in person.asked[0].message
    assert person.asked[0].requested_schema["properties"]["code"]["default"] == "x = 40"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "answer", ["decline", "cancel", {}, {"decision": "skip"}, {"decision": "yes"}, {"code": "1"}]
)
async def test_what_is_no_yes_runs_nothing(mode: str, answer: Any, tmp_path: Any) -> None:
    touched = tmp_path / "touched"
    async with host(mode, Person(answer)) as client:
        result = await run(client, f"open({str(touched)!r}, 'w')")
    assert result.is_error
    assert result.structured_content["status"] == "declined"
    assert not touched.exists()


@pytest.mark.parametrize("mode", MODES)
async def test_a_host_that_cannot_ask_runs_nothing_unless_the_settings_say_so(mode: str) -> None:
    async with host(mode) as client:
        refused = await run(client, "1 + 1")
        reset = await client.call_tool("reset", {})
    assert refused.is_error
    assert reset.is_error
    assert "OI_AUTO_RUN=1" in text(refused)
    async with host(mode, OI_AUTO_RUN="1") as client:
        assert text(await run(client, "1 + 1")) == "2"
    async with host(mode, OI_SANDBOX="isolated") as client:
        assert text(await run(client, "1 + 1")) == "2"
        assert (await client.call_tool("reset", {})).is_error


@pytest.mark.parametrize("mode", MODES)
async def test_errors_pictures_and_progress(mode: str) -> None:
    told: list[str] = []

    async def on_progress(
        progress: float, total: float | None = None, message: str | None = None
    ) -> None:
        told.append(message or "")

    async with host(mode, OI_AUTO_RUN="1") as client:
        failed = await run(client, "1 / 0")
        exited = await run(client, "exit 3", "shell")
        shown = await run(client, f"display({{'image/png': {PNG!r}}}, raw=True)")
        arguments = {"language": "python", "code": "print('one', flush=True)"}
        await client.call_tool("run_code", arguments, progress_callback=on_progress)
    assert failed.is_error
    assert failed.structured_content["error"]["name"] == "ZeroDivisionError"
    assert "1 / 0" in text(failed)
    assert exited.structured_content["exit"] == 3
    [picture] = [each for each in shown.content if each.type == "image"]
    assert (picture.data, picture.mime_type) == (PNG, "image/png")
    assert "".join(told) == "one\n"


@pytest.mark.parametrize("mode", MODES)
async def test_input_of_code_is_asked_for_or_ends(mode: str) -> None:
    person = Person(RUN, {"line": "Ada"}, RUN, "decline")
    async with host(mode, person) as client:
        assert text(await run(client, "print('Hello', input('Name? '))")).endswith("Hello Ada")
        assert "EOFError" in text(await run(client, "input('Again? ')"))
    assert "Name?" in person.asked[1].message
    async with host(mode, OI_AUTO_RUN="1") as client:
        assert "EOFError" in text(await run(client, "input()"))


@pytest.mark.parametrize("mode", MODES)
async def test_a_cancelled_call_interrupts_the_code_and_keeps_the_variables(
    mode: str, tmp_path: Any
) -> None:
    begun = tmp_path / "begun"
    code = f"x = 7\nopen({str(begun)!r}, 'w').close()\nwhile True: pass"
    async with host(mode, OI_AUTO_RUN="1") as client:
        call = asyncio.create_task(run(client, code, session="work"))
        while not begun.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.wait([call])
        while True:  # until the interrupt has arrived
            result = await run(client, "print(x)", session="work")
            if not result.is_error:
                break
    assert text(result).strip() == "7"


async def test_interrupt_ends_a_call_of_the_same_host() -> None:
    async with host(OI_AUTO_RUN="1") as client:
        call = asyncio.create_task(run(client, "while True: pass", session="work"))
        while not (await client.call_tool("interrupt", {"session": "work"})).structured_content[
            "interrupted"
        ]:
            pass
        result = await call
    assert result.structured_content["status"] == "interrupted"
    assert result.is_error


@pytest.mark.parametrize("mode", MODES)
async def test_sessions_and_transcripts(mode: str) -> None:
    async with host(mode, OI_AUTO_RUN="1") as client:
        await run(client, "print('hi')", session="my work/1")
        sessions = (await client.call_tool("sessions", {})).structured_content["sessions"]
        listed = (await client.list_resources()).resources
        [template] = (await client.list_resource_templates()).resource_templates
        [contents] = (await client.read_resource("oi://session/my%20work%2F1")).contents
        await client.call_tool("reset", {"session": "my work/1"})
        left = (await client.call_tool("variables", {"session": "my work/1"})).structured_content
    assert [(each["session"], each["state"]) for each in sessions] == [("my work/1", "idle")]
    assert [str(each.uri) for each in listed] == ["oi://session/my%20work%2F1"]
    assert template.uri_template == "oi://session/{session}"
    assert isinstance(contents, mcp_types.TextResourceContents)
    assert contents.text == "```python\nprint('hi')\n```\n\n```output\nhi\n```"
    assert left["variables"] == []


async def test_wrong_calls_are_explained() -> None:
    async with host(OI_AUTO_RUN="1") as client:
        for arguments, words in (
            ({"language": "cobol", "code": ""}, "cobol cannot be run here"),
            ({"language": "python"}, "code"),
            ({"language": "python", "code": "1", "sesion": "x"}, "sesion"),
        ):
            result = await client.session.call_tool("run_code", arguments)
            assert result.is_error
            assert words in text(result)
        with pytest.raises(Exception, match="no tool"):
            await client.call_tool("format_disk", {})
        with pytest.raises(Exception, match="oi://session/"):
            await client.read_resource("file:///etc/passwd")


async def test_a_large_output_is_cut_for_the_hosts_model() -> None:
    async with host(OI_AUTO_RUN="1", OI_MAX_OUTPUT="100") as client:
        result = await run(client, "print('x' * 100_000)")
    assert len(text(result)) < 600
    assert "characters left out" in text(result)


@pytest.fixture
def wire() -> Any:
    with WireClient([COMMAND, "--mcp", "--private"], environ={}) as client:
        yield client


def test_an_answer_to_no_open_question_runs_nothing(wire: WireClient) -> None:
    asking = call("1", can_ask=True)
    asked = wire.result("tools/call", asking)
    assert asked["resultType"] == "input_required"
    answers = {"question": {"action": "accept", "content": RUN}}
    answer = {**asking, "inputResponses": answers}
    assert "error" in wire.call("tools/call", {**answer, "requestState": "guessed"})
    result = wire.result("tools/call", {**answer, "requestState": asked["requestState"]})
    assert result["structuredContent"]["output"] == "1"
    assert "error" in wire.call("tools/call", {**answer, "requestState": asked["requestState"]})


def test_other_versions_and_methods_are_refused(wire: WireClient) -> None:
    error = wire.call("tools/list", {"_meta": {shapes.VERSION_KEY: "2030-01-01"}})["error"]
    assert error["code"] == shapes.UNSUPPORTED_VERSION
    assert error["data"]["supported"] == [shapes.MODERN]
    assert error["data"]["requested"] == "2030-01-01"
    assert wire.call("prompts/list", {})["error"]["code"] == -32601
    for version in shapes.HANDSHAKE:
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {}}
        assert wire.result("initialize", params)["protocolVersion"] == version
    params = {"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": {}}
    assert wire.result("initialize", params)["protocolVersion"] == shapes.HANDSHAKE[0]


def hangs_up(host: WireClient, daemon: psutil.Process) -> None:
    host.hang_up()


def is_killed(host: WireClient, daemon: psutil.Process) -> None:
    host.process.kill()


def takes_the_daemon_with_it(host: WireClient, daemon: psutil.Process) -> None:
    host.process.kill()
    daemon.kill()


@pytest.mark.parametrize("ends", [hangs_up, is_killed, takes_the_daemon_with_it])
def test_the_end_of_the_host_leaves_nothing(
    ends: Callable[[WireClient, psutil.Process], None],
) -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '600'])\nwhile True: pass"
    with WireClient(killable("--private"), environ={"OI_AUTO_RUN": "1"}) as host:
        host.send("tools/call", call(code))
        process = psutil.Process(host.process.pid)
        eventually(lambda: "sleep" in map(_name, process.children(recursive=True)), "it runs")
        [daemon] = process.children()
        family = [daemon, *daemon.children(recursive=True)]
        assert len(family) > 2
        ends(host, daemon)
        eventually(lambda: not any(_lives(each) for each in family), "the end of all")


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _lives(process: Any) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_the_tools_are_the_protocols() -> None:
    for tool in tools(runnable()):
        parsed = mcp_types.Tool.model_validate(tool)
        assert parsed.model_dump(by_alias=True, exclude_none=True) == tool
    hints = {tool["name"]: tool["annotations"] for tool in tools(runnable())}
    assert [name for name, hint in hints.items() if hint["destructiveHint"]] == [
        "run_code",
        "reset",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (shapes.InitializeParams, mcp_types.InitializeRequestParams),
        (shapes.ToolParams, mcp_types.CallToolRequestParams),
        (shapes.ReadParams, mcp_types.ReadResourceRequestParams),
        (shapes.CursorParams, mcp_types.PaginatedRequestParams),
    ],
)
def test_each_parameter_that_is_read_is_the_protocols(ours: Any, theirs: Any) -> None:
    known = {field.alias or name for name, field in theirs.model_fields.items()}
    assert set(ours.__struct_encode_fields__) <= known


def test_the_keys_and_versions_are_the_librarys() -> None:
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

    assert mcp_types.PROTOCOL_VERSION_META_KEY == shapes.VERSION_KEY
    assert mcp_types.CLIENT_CAPABILITIES_META_KEY == shapes.CAPABILITIES_KEY
    assert mcp_types.UNSUPPORTED_PROTOCOL_VERSION == shapes.UNSUPPORTED_VERSION
    assert set(shapes.HANDSHAKE) <= set(HANDSHAKE_PROTOCOL_VERSIONS)
    assert MODERN_PROTOCOL_VERSIONS == (shapes.MODERN,)
