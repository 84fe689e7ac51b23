"""`oi/stream` over real stdio, in both framings: the documentation's example and what it costs."""

from collections.abc import Iterator

import pytest

from oi_daemon.protocol.framing import Framing
from tests.client.programs import WORDS
from tests.client.test_library import ARGUMENTS, EXAMPLE
from tests.fakes.openai_server import (
    ThreadedServer,
    function_call,
    markdown,
    text,
    tool_call,
)
from tests.talk import chunks, code, ready, wait_for_chunk
from tests.wire_client import WireClient

DIALECTS = {
    "tools": tool_call(ARGUMENTS),
    "functions": function_call(ARGUMENTS),
    "fences": markdown("```py", "thon\n", "34", " /", " ", "24", "\n``", "`\n"),
}


@pytest.fixture(params=Framing, ids=lambda framing: framing.name.lower())
def client(request: pytest.FixtureRequest, server: ThreadedServer) -> Iterator[WireClient]:
    with WireClient(framing=request.param) as it:
        ready(it, server.url, auto_run=True)
        yield it


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_documentations_stream_is_exactly_its_chunks(
    client: WireClient, server: ThreadedServer, dialect: str
) -> None:
    server.enqueue(DIALECTS[dialect], text(*WORDS))
    settings = {"tool_style": "markdown"} if dialect == "fences" else {}
    result = client.result("oi/stream", {"message": "What's 34/24?", "settings": settings})
    assert chunks(client) == EXAMPLE
    assert result["status"] == "done"
    assert [sorted(message) for message in result["messages"]] == [
        ["message", "role"],
        ["code", "language", "output", "role"],
        ["message", "role"],
    ]


def test_a_reply_may_hold_several_blocks_with_text_around_them(
    client: WireClient, server: ThreadedServer
) -> None:
    reply = "One:\n```python\nprint(1)\n```\nTwo:\n```python\nprint(2)\n```\nBoth."
    server.enqueue(markdown(reply), text("Done."))
    settings = {"tool_style": "markdown"}
    result = client.result("oi/stream", {"message": "Go", "settings": settings})
    assert [m.get("output", m.get("message")) for m in result["messages"]] == [
        *("Go", "One:", "1", "Two:", "2"),
        "Both.\n\nDone.",
    ]


def test_every_chunk_says_the_state_after_it(client: WireClient, server: ThreadedServer) -> None:
    server.enqueue(code("print(1)"), text("Done."))
    client.result("oi/stream", {"message": "Go"})
    states: dict[str, set[str]] = {}
    for notification in client.notifications:
        [kind] = notification["params"]["chunk"]
        states.setdefault(kind, set()).add(notification["params"]["state"])
    assert states["language"] == states["code"] == states["message"] == {"thinking"}
    assert states["executing"] == states["output"] == states["active_line"] == {"running"}
    assert client.result("oi/status")["conversations"][0]["state"] == "idle"


def test_while_the_model_writes_code_the_state_is_thinking(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(code("print(1)").but(hold_after=6))
    client.send("oi/stream", {"message": "Go"})
    wait_for_chunk(client, "code")
    assert client.result("oi/status")["conversations"][0]["state"] == "thinking"


def test_usage_and_cost_are_those_of_all_requests(
    client: WireClient, server: ThreadedServer
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    server.enqueue(code("1").but(usage=usage), text("One.").but(usage=usage))
    result = client.result("oi/stream", {"message": "Go"})
    assert result["usage"]["input_tokens"] == 2000
    assert result["usage"]["output_tokens"] == 200
    assert result["usage"]["cost"] == pytest.approx(2000 * 30e-6 + 200 * 60e-6)


def test_a_model_that_rejects_tools_goes_on_in_markdown(
    client: WireClient, server: ThreadedServer
) -> None:
    from tests.fakes.openai_server import error

    refusal = error(400, "tools is not supported with this model.", param="tools")
    server.enqueue(refusal, DIALECTS["fences"], text(*WORDS))
    client.result("oi/stream", {"message": "What's 34/24?"})
    assert chunks(client) == EXAMPLE
    assert ["tools" in body for body in server.bodies] == [True, False, False]


def test_temperature_zero_and_the_users_window_reach_the_request(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(text("Hi."), text("Hi."))
    client.result("oi/stream", {"message": "word " * 2000, "settings": {"temperature": 0}})
    client.result("oi/stream", {"message": "Hi", "settings": {"context_window": 1000}})
    first, second = server.bodies
    assert first["temperature"] == 0
    assert len(str(second["messages"])) < len(str(first["messages"])) / 2
