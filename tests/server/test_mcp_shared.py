"""`oi-daemon --mcp` by the shared daemon: a person sees, in an editor, what a host's model runs."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_host import MODES, RUN, Person, Silent, call, host, killable, run, text
from tests.server import shared
from tests.talk import chunks, wait_for, wait_for_chunk
from tests.wire_client import COMMAND, WireClient, eventually

HERE = {"conversation": "open"}


@pytest.fixture(autouse=True)
def stopped(home: Path) -> Iterator[None]:
    with shared.stopped_at_the_end():
        yield


@pytest.fixture
def editor(stopped: None) -> Iterator[WireClient]:
    """A client that has begun the conversation, and shows it."""
    with shared.client() as client:
        execute(client, "x = 20")
        client.result("oi/attach", HERE)
        client.notifications.clear()
        yield client


def execute(client: WireClient, code: str) -> str:
    params = {**HERE, "language": "python", "code": code}
    [message] = client.result("oi/execute", params)["messages"]
    return str(message.get("output", ""))


def begin_with_handshake(it: WireClient, code: str) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}}
    it.result("initialize", {**hello, "clientInfo": {}})
    params = call(code, session="open")
    del params["_meta"]
    it.send("tools/call", params)


def begin_without(it: WireClient, code: str) -> None:
    params = call(code, can_ask=True, session="open")
    assert it.result("tools/call", params)["resultType"] == "input_required"


def wait_for_hosts(number: int) -> None:
    """Wait until the daemon serves so many hosts."""

    def are_so_many() -> bool:
        found = shared.status()
        assert found is not None
        return [each["kind"] for each in found["clients"]].count("mcp") == number

    eventually(are_so_many, f"{number} hosts")


def end_of_turn(client: WireClient) -> None:
    wait_for(client, lambda params: params["chunk"].get("event", {}).get("kind") == "ended")


# What the person sees


@pytest.mark.parametrize("mode", MODES)
async def test_the_person_sees_each_block_as_it_runs(mode: str, editor: WireClient) -> None:
    person = Person({**RUN, "code": "print(x + 1)\ny = 5"}, RUN)
    async with host(mode, person, shared=True) as it:
        first = await run(it, "print(x)", session="open")
        assert text(first) == "21"
        await asyncio.to_thread(end_of_turn, editor)
        seen = chunks(editor)
        assert seen[0] == {"event": {"kind": "begun"}}
        assert seen[1] == {"executing": {"code": "print(x + 1)\ny = 5", "language": "python"}}
        assert {"output": "21\n"} in seen
        assert {"end_of_execution": True} in seen
        editor.notifications.clear()
        second = await run(it, "echo from the shell", "shell", session="open")
        assert text(second).strip() == "from the shell"
        await asyncio.to_thread(end_of_turn, editor)
        executing = await asyncio.to_thread(wait_for_chunk, editor, "executing")
        assert executing["chunk"]["executing"]["language"] == "shell"
        assert executing["conversation"] == "open"
        assert "in the session open" in person.asked[0].message
        assert await asyncio.to_thread(execute, editor, "x * y") == "100"
        messages = editor.result("oi/history/get", HERE)["messages"]
        assert [each["language"] for each in messages] == ["python", "python", "shell", "python"]


async def test_output_is_seen_before_the_block_ends_and_the_person_can_stop_it(
    editor: WireClient,
) -> None:
    async with host("legacy", Person(RUN), shared=True) as it:
        loop = asyncio.create_task(
            run(it, "print('on', flush=True)\nwhile True: pass", session="open")
        )
        seen = await asyncio.to_thread(wait_for_chunk, editor, "output")
        assert (seen["chunk"]["output"], seen["state"]) == ("on\n", "running")
        assert editor.result("oi/interrupt", HERE) == {"interrupted": True}
        assert (await loop).structured_content["status"] == "interrupted"


@pytest.mark.parametrize("mode", MODES)
async def test_what_is_declined_is_neither_run_nor_seen(mode: str, editor: WireClient) -> None:
    async with host(mode, Person("decline", {"decision": "skip"}), shared=True) as it:
        for _ in range(2):
            refused = await run(it, "x = 1", session="open")
            assert refused.structured_content["status"] == "declined"
    assert execute(editor, "x") == "20"
    assert len(editor.result("oi/history/get", HERE)["messages"]) == 2


async def test_what_the_person_allows_in_the_editor_is_not_allowed_to_a_host(
    editor: WireClient,
) -> None:
    changes = {"auto_run": True, "sandbox": "write-protect"}
    editor.result("oi/settings/set", {**HERE, "settings": changes})
    async with host(shared=True) as it:
        for tool, arguments in (
            ("run_code", {"language": "python", "code": "x = 1"}),
            ("reset", {}),
        ):
            refused = await it.call_tool(tool, {**arguments, "session": "open"})
            assert refused.is_error
            assert "cannot ask" in text(refused)
    async with host(shared=True, OI_SANDBOX="isolated") as it:
        assert (await run(it, "x = 1", session="open")).is_error
    assert len(editor.result("oi/history/get", HERE)["messages"]) == 1


async def test_the_person_s_turn_is_not_disturbed(editor: WireClient) -> None:
    turn = editor.send("oi/execute", {**HERE, "language": "python", "code": "x = input()"})
    waiting = wait_for(editor, lambda params: params.get("input"))["input"]
    async with host(shared=True, OI_AUTO_RUN="1") as it:
        editor.result("oi/settings/set", {**HERE, "settings": {"auto_run": True}})
        busy = await run(it, "x = 1", session="open")
        assert busy.is_error
        assert "A turn is under way" in text(busy)
    editor.result("oi/input", {**HERE, "input": waiting, "value": "mine"})
    assert editor.answer(turn)["result"]["status"] == "done"
    assert execute(editor, "x") == "'mine'"


async def test_a_line_of_input_is_whose_answer_is_first(editor: WireClient) -> None:
    class RunThenSilent(Silent):
        async def __call__(self, context: Any, params: Any) -> Any:
            if "decision" in params.requested_schema["properties"]:
                return await Person(RUN)(context, params)
            return await super().__call__(context, params)

    person = RunThenSilent()
    async with host("legacy", person, shared=True) as it:
        running = asyncio.create_task(run(it, "print('I am', input('Who? '))", session="open"))
        await person.asked.wait()
        asked = await asyncio.to_thread(wait_for, editor, lambda params: params.get("input"))
        given = {**HERE, "input": asked["input"], "value": "Ada"}
        assert editor.result("oi/input", given) == {"accepted": True}
        assert text(await running).endswith("I am Ada")
        await person.taken_back.wait()


# Whose daemon, folder and environment


async def test_two_hosts_and_an_editor_have_one_daemon(
    editor: WireClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with (
        host(shared=True, OI_AUTO_RUN="1", COLOUR="red") as first,
        host("auto", shared=True, OI_AUTO_RUN="1") as second,
    ):
        await run(first, "import os; here = os.getcwd(), os.environ['COLOUR']", session="ours")
        assert text(await run(second, "here", session="ours")) == f"('{tmp_path}', 'red')"
        listed = (await second.call_tool("sessions", {})).structured_content["sessions"]
        assert {each["session"] for each in listed} == {"open", "ours"}
        found = shared.status()
        assert found is not None
        assert sorted(each["kind"] for each in found["clients"]) == ["mcp", "mcp", "stdio"]
    async with host(OI_AUTO_RUN="1") as private:
        assert "NameError" in text(await run(private, "here", session="ours"))


# A host that is killed


@pytest.mark.parametrize("begins", [begin_with_handshake, begin_without])
def test_a_block_runs_on_when_its_host_is_killed(
    begins: Callable[[WireClient, str], None], editor: WireClient
) -> None:
    editor.result("oi/settings/set", {**HERE, "settings": {"auto_run": True}})
    with WireClient(killable(), environ={"OI_AUTO_RUN": "1"}) as it:
        begins(it, "print('begun', flush=True)\nline = input()\nprint(line)")
        waiting = wait_for(editor, lambda params: params.get("input"))["input"]
        it.process.kill()
    wait_for_hosts(0)
    assert editor.result("oi/attach", HERE)["state"] == "input"
    assert editor.result("oi/input", {**HERE, "input": waiting, "value": "mine"})["accepted"]
    end_of_turn(editor)
    assert execute(editor, "line") == "'mine'"


def test_a_question_of_a_host_that_is_killed_is_a_no(editor: WireClient) -> None:
    with WireClient(killable()) as it, WireClient([COMMAND, "--mcp"]) as other:
        params = call("x = 1", can_ask=True, session="open")
        asked = it.result("tools/call", params)
        it.process.kill()
        wait_for_hosts(1)
        answers = {"question": {"action": "accept", "content": RUN}}
        late = {**params, "inputResponses": answers, "requestState": asked["requestState"]}
        assert "no call waits" in other.call("tools/call", late)["error"]["message"]
    assert execute(editor, "x") == "20"
    assert len(editor.result("oi/history/get", HERE)["messages"]) == 2


def test_nothing_of_a_host_whose_door_was_killed_reaches_the_next_client(
    editor: WireClient,
) -> None:
    """Who may have the descriptors that were the host's."""
    editor.result("oi/settings/set", {**HERE, "settings": {"auto_run": True}})
    with WireClient([COMMAND, "--mcp"], environ={"OI_AUTO_RUN": "1"}) as it:
        begin_with_handshake(it, "print(input())")
        waiting = wait_for(editor, lambda params: params.get("input"))["input"]
        it.process.kill()
        wait_for_hosts(0)
        with shared.client() as other:
            other.result("oi/attach", HERE)
            assert other.result("oi/input", {**HERE, "input": waiting, "value": "mine"})["accepted"]
            end_of_turn(other)
            other.close_input()
            left = [*other.notifications, *other.rest()]
    assert {each.get("method") for each in left} == {"oi/chunk"}
