"""What a server needs back with its calls: it is kept, and goes to that server and model alone."""

from typing import Any

import pytest

from oi_daemon.messages import (
    AssistantMessage,
    Chunk,
    CodeMessage,
    EndOfExecution,
    Executing,
    Message,
    Output,
    UserMessage,
    dump,
    fold,
    load,
)
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.provider import NOTHING, ProviderData, provider_data, stamp
from tests.fakes.openai_server import Reply, error, text, tool_call
from tests.model.asked import QUESTION, Asked

ONE = {"language": "python", "code": "1 + 1"}
TWO = {"language": "python", "code": "2 + 2"}
SIGNATURE = {"google": {"thought_signature": "c2lnbmVk"}}
ENDPOINT = Endpoint(api_base="https://a.example/v1", api_key="k", model="m")


def thinking(**delta: Any) -> Reply:
    """Some reasoning, in the fields of this delta."""
    return Reply(deltas=(delta,))


def with_call(reply: Reply, **fields: Any) -> Reply:
    """The reply with these fields in the first delta of its call."""
    first, *rest = reply.deltas
    assert not isinstance(first, bytes)
    (call,) = first["tool_calls"]
    return reply.but(deltas=({"tool_calls": [{**call, **fields}]}, *rest))


async def ran(asked: Asked, before: list[Message] | None = None, **changes: Any) -> list[Message]:
    """The conversation after a reply whose blocks wrote "2", as it is after a restart."""
    conversation = before or QUESTION
    chunks: list[Chunk] = []
    for part in await asked.reply(conversation, **changes):
        if isinstance(part, Executing):
            chunks += [part, Output("2\n"), EndOfExecution()]
    stored = [dump(message, for_file=True) for message in [*conversation, *fold(chunks)]]
    return load(stored)


def sent(asked: Asked) -> list[dict[str, Any]]:
    """The messages of the latest request, without the system message."""
    messages: list[dict[str, Any]] = asked.body["messages"][1:]
    return messages


async def test_a_signature_goes_back_with_its_call(asked: Asked) -> None:
    asked.server.enqueue(with_call(tool_call(ONE), extra_content=SIGNATURE), text("2"))
    await asked.reply(await ran(asked))
    (call,) = sent(asked)[1]["tool_calls"]
    assert call["extra_content"] == SIGNATURE


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_goes_back_with_the_first_call_after_it(asked: Asked, field: str) -> None:
    thought = thinking(**{field: "Let me "}) + thinking(**{field: "add."})
    asked.server.enqueue(thought + tool_call(ONE) + tool_call(TWO, index=1), text("2"))
    await asked.reply(await ran(asked))
    assert sent(asked)[1][field] == "Let me add."
    assert [field in message for message in sent(asked)] == [False, True, False, False]


async def test_details_of_reasoning_go_back_with_their_pieces_joined(asked: Asked) -> None:
    pieces: list[dict[str, Any]] = [
        {"type": "reasoning.text", "index": 0, "text": "Let me "},
        {"type": "reasoning.text", "index": 0, "text": "add."},
        {"type": "reasoning.text", "index": 0, "signature": "s", "text": ""},
        {"type": "reasoning.encrypted", "index": 1, "data": "x"},
    ]
    thought = Reply()
    for piece in pieces:
        thought += thinking(reasoning="...", reasoning_details=[piece])
    asked.server.enqueue(thought + tool_call(ONE), text("2"))
    await asked.reply(await ran(asked))
    assert sent(asked)[1]["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "Let me add.", "signature": "s"},
        {"type": "reasoning.encrypted", "index": 1, "data": "x"},
    ]
    assert "reasoning" not in sent(asked)[1]


async def test_a_servers_own_ids_are_used(asked: Asked) -> None:
    asked.server.enqueue(with_call(tool_call(ONE), id="D681PevKs"), text("2"))
    await asked.reply(await ran(asked))
    assert sent(asked)[1]["tool_calls"][0]["id"] == "D681PevKs"
    assert sent(asked)[2]["tool_call_id"] == "D681PevKs"


async def test_an_id_that_a_server_gives_twice_is_used_once(asked: Asked) -> None:
    asked.server.enqueue(tool_call(ONE), tool_call(TWO), text("4"))
    await asked.reply(await ran(asked, await ran(asked)))
    ids = [call["id"] for message in sent(asked) for call in message.get("tool_calls", ())]
    assert ids[0] == "call_0"
    assert ids[1].isalnum()
    assert len(ids[1]) == 9
    assert [m["tool_call_id"] for m in sent(asked) if m["role"] == "tool"] == ids


async def test_ids_of_our_own_have_nine_letters_or_digits(asked: Asked) -> None:
    """Mistral accepts no others, also for a call that could not be read."""
    asked.server.enqueue(tool_call(["oops"]), text("2"))
    await asked.reply([*QUESTION, CodeMessage("python", "1", "1")])
    calls = [call for message in sent(asked) for call in message.get("tool_calls", ())]
    assert len(calls) == 2
    assert all(call["id"].isalnum() and len(call["id"]) == 9 for call in calls)
    assert len({call["id"] for call in calls}) == 2


async def test_the_calls_of_one_reply_are_one_message(asked: Asked) -> None:
    """Gemini signs only the first of them."""
    two = with_call(tool_call(ONE), extra_content=SIGNATURE) + tool_call(TWO, index=1)
    asked.server.enqueue(two, text("4"))
    await asked.reply(await ran(asked))
    assert [message["role"] for message in sent(asked)] == ["user", "assistant", "tool", "tool"]
    first, second = sent(asked)[1]["tool_calls"]
    assert first["extra_content"] == SIGNATURE
    assert "extra_content" not in second


@pytest.mark.parametrize("changes", [{"model": "other"}, {"api_base": "other"}])
async def test_nothing_goes_to_another_model_or_server(
    asked: Asked, changes: dict[str, str]
) -> None:
    call = with_call(tool_call(ONE), extra_content=SIGNATURE, id="secretid1")
    asked.server.enqueue(thinking(reasoning_content="Hm.") + call, text("2"))
    messages = await ran(asked)
    if "api_base" in changes:
        changes = {"api_base": asked.server.url.replace("127.0.0.1", "localhost")}
    await asked.reply(messages, **changes)
    assert sent(asked)[1].keys() == {"role", "content", "tool_calls"}
    assert "secretid1" not in str(asked.body)
    assert "c2lnbmVk" not in str(asked.body)


async def test_a_reply_with_nothing_to_send_back_stores_nothing(asked: Asked) -> None:
    asked.server.enqueue(text("```python\n1\n```").but(finish_reason="stop"))
    (block,) = [m for m in await ran(asked, tool_style="markdown") if isinstance(m, CodeMessage)]
    assert block.provider is None


async def test_a_server_that_refuses_its_own_data_is_asked_without_it(asked: Asked) -> None:
    refusal = error(400, "'messages.1': property 'reasoning_content' is unsupported")
    thought = thinking(reasoning_content="Hm.")
    asked.server.enqueue(thought + tool_call(ONE), refusal, text("2"), text("2"))
    messages = await ran(asked)
    await asked.reply(messages)
    assert "reasoning_content" not in sent(asked)[1]
    await asked.reply(messages)
    assert "reasoning_content" not in sent(asked)[1]


async def test_calls_of_another_model_get_the_signature_that_stands_for_none(asked: Asked) -> None:
    """Gemini refuses calls without one; its documentation names this value for such calls."""
    missing = error(400, "Function call is missing a thought_signature in functionCall parts.")
    call = with_call(tool_call(ONE), extra_content=SIGNATURE)
    asked.server.enqueue(missing, call, text("2"))
    messages = await ran(asked, [*QUESTION, CodeMessage("python", "0", "0")])
    await asked.reply(messages)
    first, second = [message for message in sent(asked) if "tool_calls" in message]
    assert first["tool_calls"][0]["extra_content"] == {
        "google": {"thought_signature": "skip_thought_signature_validator"}
    }
    assert second["tool_calls"][0]["extra_content"] == SIGNATURE


@pytest.mark.parametrize(
    "provider",
    [
        {},
        {"endpoint": 1},
        {"call_id": "x"},
        stamp({"call_id": 7, "call": [], "message": "m", "items": {"a": 1}, "phase": 0}, ENDPOINT),
        stamp({"items": [1, "a", None]}, ENDPOINT),
    ],
)
def test_data_of_another_form_counts_as_none(provider: dict[str, Any]) -> None:
    block = CodeMessage("python", "1", "1", provider=provider)
    assert provider_data(block, ENDPOINT) in (NOTHING, ProviderData(items=[]))


async def test_a_history_of_the_reference_is_sent_as_before(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"))
    await asked.reply([UserMessage("Go"), AssistantMessage("So."), CodeMessage("python", "1", "1")])
    roles = [message["role"] for message in sent(asked)]
    assert roles == ["user", "assistant", "tool"]
    assert sent(asked)[1]["content"] == "So."
