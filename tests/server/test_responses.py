"""Turns of a model that is asked by `/responses`, over real stdio."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.openai_server import ScriptedServer, error
from tests.fakes.responses import (
    as_reply,
    check_request,
    custom_call,
    events,
    message,
    reasoning,
    response,
)
from tests.talk import chunks, ready, wait_for_chunk
from tests.wire_client import WireClient


@pytest.fixture
def client() -> Iterator[WireClient]:
    with WireClient() as started:
        yield started


def test_code_runs_once_and_the_answer_comes(client: WireClient) -> None:
    """The server asks for this API itself; reasoning goes back, and is shown but not stored."""
    with ScriptedServer.in_thread(
        error(404, "This model is only supported in v1/responses."),
        response(
            reasoning(["I ", "count."], id="rs_1"),
            message("I count."),
            custom_call("python", "n = globals().get('n', 0) + 1\n", "print(n)", call_id="call_1"),
        ),
        response(message("It ran ", "once.")),
    ) as server:
        ready(client, server.url, auto_run=True, model="gpt-5-codex")
        result = client.result("oi/stream", {"message": "Count."})
        first, second, third = server.bodies
    assert result["status"] == "done"
    assert result["messages"] == [
        {"role": "user", "message": "Count."},
        {"role": "assistant", "message": "I count."},
        {
            "role": "assistant",
            "language": "python",
            "code": "n = globals().get('n', 0) + 1\nprint(n)",
            "output": "1",
        },
        {"role": "assistant", "message": "It ran once."},
    ]
    assert "".join(each.get("thinking", "") for each in chunks(client)) == "I count."
    for body in (second, third):
        check_request(body)
    kinds = [item["type"] for item in third["input"]]
    assert kinds == [
        "message",
        "message",
        "reasoning",
        "custom_tool_call",
        "custom_tool_call_output",
    ]
    assert third["input"][-1]["output"] == "1"
    assert "messages" in first


def test_an_interrupt_drops_the_connection(client: WireClient) -> None:
    stream = events(custom_call("python", "1", "2"))
    with ScriptedServer.in_thread(as_reply(stream).but(hold_after=4)) as server:
        ready(client, server.url, auto_run=True, api="responses", model="gpt-5")
        turn = client.send("oi/stream", {"message": "Go"})
        wait_for_chunk(client, "code")
        client.result("oi/interrupt")
        result: dict[str, Any] = client.answer(turn)["result"]
        server.wait_disconnected()
    assert result["status"] == "interrupted"
    assert "output" not in result["messages"][-1]
