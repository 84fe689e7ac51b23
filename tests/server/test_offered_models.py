"""Models that a client offers: the daemon tells what to ask, and the client streams back."""

from collections.abc import Iterator
from typing import Any

import pytest

from oi_daemon.protocol.framing import Framing
from tests.server import shared
from tests.server.shared import stopped_at_the_end
from tests.talk import wait_for
from tests.wire_client import WireClient

MODEL = "vscode/copilot/gpt-5-mini"


@pytest.fixture
def client() -> Iterator[WireClient]:
    """A client without any key, which offers a model and has chosen it."""
    with WireClient(framing=Framing.HEADERS, environ={"OPENAI_API_KEY": ""}) as client:
        offer(client)
        yield client


def offer(client: WireClient, **more: Any) -> None:
    client.result("oi/model/offer", {"models": [{"name": MODEL, **more}]})
    client.result("oi/settings/set", {"settings": {"model": MODEL}})


def asked(client: WireClient, ask: str = "ask-1") -> dict[str, Any]:
    """What the daemon wants to ask, once it has told it."""
    return wait_for(client, lambda params: params.get("ask") == ask and "messages" in params)


def reply(client: WireClient, ask: str = "ask-1", **part: Any) -> bool:
    return bool(client.result("oi/model/reply", {"ask": ask, **part})["accepted"])


def call(code: str) -> dict[str, Any]:
    return {"name": "execute", "id": "call-1", "arguments": {"language": "python", "code": code}}


def test_a_whole_conversation_without_a_key(client: WireClient) -> None:
    turn = client.send("oi/stream", {"message": "What is 6 times 7?"})
    first = asked(client)
    assert first["model"] == MODEL
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert first["messages"][-1]["content"] == "What is 6 times 7?"
    assert first["tools"][0]["function"]["name"] == "execute"
    assert reply(client, text="I com")
    assert reply(client, text="pute it.", calls=[call("6 * 7")])
    usage = {"input_tokens": 100, "output_tokens": 20}
    assert reply(client, usage=usage, end="stop")
    waiting = wait_for(client, lambda params: params.get("approval"))
    client.result("oi/approve", {"approval": waiting["approval"], "decision": "run"})
    second = asked(client, "ask-2")
    assert second["messages"][-1]["role"] == "tool"
    assert "42" in second["messages"][-1]["content"]
    assert reply(client, "ask-2", text="It is 42.", end="stop")
    result = client.answer(turn)["result"]
    assert result["status"] == "done"
    assert result["messages"][1:] == [
        {"role": "assistant", "message": "I compute it."},
        {"role": "assistant", "language": "python", "code": "6 * 7", "output": "42"},
        {"role": "assistant", "message": "It is 42."},
    ]
    assert result["usage"]["input_tokens"] >= 100


def test_a_call_may_come_in_pieces_of_its_text(client: WireClient) -> None:
    client.result("oi/settings/set", {"settings": {"auto_run": True}})
    turn = client.send("oi/stream", {"message": "Go"})
    asked(client)
    reply(client, calls=[{"name": "execute", "id": "a", "arguments": '{"language": "pyt'}])
    reply(client, calls=[{"arguments": 'hon", "code": "print(1)"}'}])
    reply(client, calls=[{**call("print(2)"), "id": "b"}], end="stop")
    asked(client, "ask-2")
    reply(client, "ask-2", text="Done.", end="stop")
    messages = client.answer(turn)["result"]["messages"]
    assert [message.get("output") for message in messages] == [None, "1", "2", None]


def test_an_interrupt_tells_the_client_to_stop_its_model(client: WireClient) -> None:
    turn = client.send("oi/stream", {"message": "Count"})
    asked(client)
    reply(client, text="One, ")
    wait_for(client, lambda params: params.get("chunk") == {"message": "One, "})
    assert client.result("oi/interrupt")["interrupted"]
    wait_for(client, lambda params: params == {"ask": "ask-1"})
    assert client.answer(turn)["result"]["status"] == "interrupted"
    assert client.notifications[-1]["method"] == "oi/model/cancel"
    assert not reply(client, text="two")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        ({"message": "You have not allowed it.", "kind": "auth"}, "auth", "not allowed it"),
        ({"message": "Out of order."}, "model", "Out of order."),
        ({"message": "It was taken away.", "kind": "no_model"}, "no_model", "taken away"),
        ({"message": "\x1b[31mred"}, "model", "red"),
    ],
)
def test_the_client_s_error_ends_the_turn_in_its_words(
    client: WireClient, error: dict[str, str], kind: str, words: str
) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    asked(client)
    assert reply(client, error=error)
    told = client.answer(turn)["error"]
    assert told["data"]["kind"] == kind
    assert words in told["message"]
    assert "\x1b" not in told["message"]
    assert client.result("oi/history/get")["messages"] == []


def test_what_came_before_an_error_is_kept_and_half_a_block_is_not_run(client: WireClient) -> None:
    client.result("oi/settings/set", {"settings": {"auto_run": True}})
    turn = client.send("oi/stream", {"message": "Go"})
    asked(client)
    reply(client, text="I begin.", calls=[{"name": "execute", "arguments": '{"code": "print(1)'}])
    reply(client, error={"message": "Lost."})
    assert "is kept" in client.answer(turn)["error"]["message"]
    messages = client.result("oi/history/get")["messages"]
    assert messages[1] == {"role": "assistant", "message": "I begin."}
    assert not any("output" in message for message in messages)


def test_a_conversation_that_is_too_long_is_asked_again_shortened(client: WireClient) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    asked(client)
    reply(client, error={"message": "Too many tokens.", "kind": "context"})
    asked(client, "ask-2")
    reply(client, "ask-2", text="Short.", end="stop")
    assert client.answer(turn)["result"]["messages"][-1]["message"] == "Short."


def test_an_answer_that_was_cut_off_says_so(client: WireClient) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    asked(client)
    reply(client, text="Once upon", end="length")
    assert "cut off" in client.answer(turn)["error"]["message"]


def test_a_model_without_tools_is_asked_for_markdown(client: WireClient) -> None:
    offer(client, tools=False)
    client.result("oi/settings/set", {"settings": {"auto_run": True}})
    turn = client.send("oi/stream", {"message": "Go"})
    assert "tools" not in asked(client)
    reply(client, text="```python\nprint(3)\n```\n", end="stop")
    asked(client, "ask-2")
    reply(client, "ask-2", text="Three.", end="stop")
    assert client.answer(turn)["result"]["messages"][1]["output"] == "3"


def test_what_is_offered_is_listed_until_it_is_withdrawn(client: WireClient) -> None:
    listed = client.result("oi/models")["offered"]
    assert [each["name"] for each in listed] == [MODEL]
    client.result("oi/model/offer", {"models": []})
    assert client.result("oi/models")["offered"] == []
    told = client.call("oi/stream", {"message": "Go"})["error"]
    assert told["data"]["kind"] == "no_model"
    assert "not connected" in told["message"]


def test_a_name_that_a_server_could_have_is_refused(client: WireClient) -> None:
    told = client.call("oi/model/offer", {"models": [{"name": "gpt-4"}]})["error"]
    assert "models" in told["message"]


def test_the_end_of_input_ends_the_turn_that_waits_for_the_client(client: WireClient) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    asked(client)
    client.close_input()
    assert "not connected" in client.answer(turn)["error"]["message"]


def test_in_the_shared_daemon_any_client_may_use_it_until_its_own_is_gone() -> None:
    """The client that asks comes first, if it offers the model itself."""
    with stopped_at_the_end(), shared.client() as terminal:
        with shared.client() as editor:
            editor.result("oi/model/offer", {"models": [{"name": MODEL}]})
            terminal.result("oi/settings/set", {"settings": {"model": MODEL}})
            turn = terminal.send("oi/stream", {"message": "Hi"})
            asked(editor)
            reply(editor, text="Hello.", end="stop")
            assert terminal.answer(turn)["result"]["messages"][-1]["message"] == "Hello."
            terminal.result("oi/model/offer", {"models": [{"name": MODEL}]})
            turn = terminal.send("oi/stream", {"message": "Hi"})
            asked(terminal)
            reply(terminal, text="My own.", end="stop")
            assert terminal.answer(turn)["result"]["messages"][-1]["message"] == "My own."
            terminal.result("oi/model/offer", {"models": []})
            turn = terminal.send("oi/stream", {"message": "Hi"})
            asked(editor, "ask-2")
        assert "not connected" in terminal.answer(turn)["error"]["message"]
