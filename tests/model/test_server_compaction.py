"""Summaries that OpenAI's `/responses` makes by itself, and gets back encrypted."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from oi_daemon.messages import (
    AssistantMessage,
    Chunk,
    EndOfExecution,
    Executing,
    Message,
    MessageChunk,
    NoticeChunk,
    Output,
    UserMessage,
    dump,
    fold,
    load,
    with_fields_of_file,
)
from oi_daemon.messages.summaries import is_summary
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model.compaction import plan
from tests.fakes.openai_server import Reply, error
from tests.fakes.responses import (
    check_request,
    compaction,
    custom_call,
    events,
    message,
    reasoning,
    response,
    whole,
)
from tests.model.asked import Asked
from tests.model.test_compaction import FACT, TOKENIZER, conversation

WINDOW = 8192


@pytest.fixture
async def responses(asked: Asked) -> AsyncIterator[Asked]:
    """A model that is asked by `/responses`; every request is checked by the SDK's types."""
    asked.changes = {"api": "responses", "model": "gpt-5", "context_window": WINDOW}
    yield asked
    for request in asked.server.requests:
        if request.path == "/v1/responses" and request.body:
            check_request(request.body)


def threshold(body: dict[str, Any]) -> int | None:
    """From how many tokens on the server is to summarise."""
    managed = body.get("context_management")
    if managed is None:
        return None
    (entry,) = managed
    assert entry["type"] == "compaction"
    return int(entry["compact_threshold"])


def kinds(body: dict[str, Any]) -> list[str]:
    return [item["type"] for item in body["input"]]


def respond(body: dict[str, Any]) -> Reply:
    """Answers, and summarises first if the input exceeds the threshold, as OpenAI does.

    What is encrypted keeps what it is told about the cat.
    """
    sent = json.dumps(body["input"])
    limit = threshold(body)
    if limit is None or TOKENIZER.count(sent) <= limit:
        return response(message("Yes."))
    return response(compaction(FACT if FACT in sent else "nothing"), message("Yes."))


async def grown(asked: Asked, messages: Sequence[Message], **changes: Any) -> list[Message]:
    """The conversation after one more reply whose blocks write "2", as after a restart."""
    chunks: list[Chunk] = []
    for part in await asked.reply([*messages], **changes):
        if not isinstance(part, Usage | Quote):
            chunks.append(part)
        if isinstance(part, Executing):
            chunks += [Output("2\n"), EndOfExecution()]
    stored = [dump(each, for_file=True) for each in [*messages, *fold(chunks)]]
    return load(json.loads(json.dumps(stored)))


async def test_a_long_conversation_works_on_by_the_servers_summaries(responses: Asked) -> None:
    """50 turns at 8k: each fits, and the fact of the fourth message is always there."""
    messages: list[Message] = conversation(60)
    responses.server.respond = respond
    made = 0
    for n in range(50):
        messages.append(UserMessage(f"Next {n}? " + "word " * 60))
        messages = await grown(responses, messages)
        sent = json.dumps(responses.body)
        assert TOKENIZER.count(sent) < WINDOW
        assert FACT in sent
        assert f"Next {n}?" in sent
        assert not [
            p for p in responses.parts if isinstance(p, NoticeChunk) and p.kind == "trimmed"
        ]
        made += any("summary" in p.text for p in responses.parts if isinstance(p, MessageChunk))
    assert 2 <= made < 10


async def test_the_summary_takes_the_place_of_what_came_before(responses: Asked) -> None:
    messages: list[Message] = [*conversation(60), UserMessage("Go")]
    responses.server.enqueue(
        response(compaction("s3cret"), reasoning("Hm."), custom_call("python", "1 + 1")),
        response(message("2")),
        response(message("3")),
    )
    messages = await grown(responses, messages)
    assert threshold(responses.body) == int((WINDOW - WINDOW // 4) * 0.8)
    sign = messages[-2]
    assert is_summary(sign)
    assert "s3cret" not in sign.message  # type: ignore[union-attr]
    assert "s3cret" not in str(dump(sign))
    messages = await grown(responses, messages)
    first, *rest = responses.body["input"]
    assert first == {"type": "compaction", "id": "cmp_1", "encrypted_content": "s3cret"}
    assert [each["type"] for each in rest] == [
        "reasoning",
        "custom_tool_call",
        "custom_tool_call_output",
    ]
    messages = await grown(responses, [*messages, UserMessage("And now?")])
    assert kinds(responses.body) == [
        "compaction",
        "reasoning",
        "custom_tool_call",
        "custom_tool_call_output",
        "message",
        "message",
    ]


async def test_a_summary_that_comes_late_or_in_one_piece_is_kept_too(responses: Asked) -> None:
    messages: list[Message] = [*conversation(60), UserMessage("Go")]
    late = response(custom_call("python", "1 + 1"), compaction("late"))
    refused = error(400, "Your organization must be verified to stream this model.", param="stream")
    for replies in ([late], [refused, whole(compaction("late"), message("Yes."))]):
        responses.server.enqueue(*replies)
        after = await grown(responses, messages)
        responses.server.enqueue(response(message("Yes.")))
        await responses.reply([*after, UserMessage("And now?")])
        assert kinds(responses.body)[0] == "compaction"
        assert len(kinds(responses.body)) < 5


async def test_another_model_or_api_gets_the_conversation_itself(responses: Asked) -> None:
    messages: list[Message] = [*conversation(30), UserMessage("Go")]
    responses.server.enqueue(
        response(compaction("s3cret"), message("Yes.")), response(message("Yes."))
    )
    messages = [*await grown(responses, messages), UserMessage("And now?")]
    await responses.reply(messages, model="gpt-5-mini")
    sent = json.dumps(responses.body)
    assert FACT in sent
    assert "s3cret" not in sent
    assert "encrypted the summary" not in sent
    responses.server.enqueue(response(message("Yes.")))
    assert plan(messages, room=500, kept=10, max_output=2000, tokenizer=TOKENIZER).covered > 20  # type: ignore[union-attr]


@pytest.mark.parametrize("refused", ["parameter", "summary"])
async def test_a_server_that_refuses_it_is_asked_for_a_text(responses: Asked, refused: str) -> None:
    messages: list[Message] = [*conversation(60), UserMessage("Go")]
    if refused == "parameter":
        responses.server.enqueue(
            error(
                400,
                "Unsupported parameter: 'context_management' (type 'compaction').",
                param="context_management[0].type",
            ),
            response(message("Yes.")),
        )
        messages = await grown(responses, messages)
    else:
        responses.server.enqueue(
            response(compaction("x"), message("Yes.")),
            error(400, "The encrypted content for item cmp_1 could not be verified."),
            response(message("Yes.")),
        )
        messages = [*await grown(responses, messages), UserMessage("And now?")]
        messages = await grown(responses, messages)
        assert FACT in json.dumps(responses.body)
    assert "context_management" not in responses.body
    responses.server.respond = lambda body: response(message("A text."))
    await responses.reply([*messages, *conversation(400), UserMessage("Go on.")])
    notices = [part.kind for part in responses.parts if isinstance(part, NoticeChunk)]
    assert notices == ["compaction"]
    assert "A text." in json.dumps(responses.body["input"][0])


async def test_what_is_larger_than_the_room_is_summarised_before_it_is_sent(
    responses: Asked,
) -> None:
    responses.server.respond = lambda body: response(message("All of it."))
    await responses.reply([*conversation(600), UserMessage("Go")])
    assert [part.kind for part in responses.parts if isinstance(part, NoticeChunk)] == [
        "compaction"
    ]


async def test_short_conversations_and_small_windows_go_without(responses: Asked) -> None:
    responses.server.respond = lambda body: response(message("Yes."))
    await responses.reply()
    assert threshold(responses.body) is None
    await responses.reply([*conversation(30), UserMessage("Go")], context_window=3000)
    assert threshold(responses.body) is None


async def test_a_summary_alone_is_no_answer_and_what_is_cut_off_keeps_it(responses: Asked) -> None:
    messages: list[Message] = [*conversation(60), UserMessage("Go")]
    responses.server.enqueue(response(compaction("x")))
    await responses.reply(messages)
    assert [part.kind for part in responses.parts if isinstance(part, NoticeChunk)] == ["model"]
    stream = events(compaction("x"), message("Yes."))
    assert any(b"response.compaction.compacting" in event for event in stream)


def test_a_client_that_sets_the_messages_back_keeps_the_summary() -> None:
    sign = AssistantMessage("[Summary of the first 1 messages]\nx\n[End of the summary]", {"a": 1})
    messages: list[Message] = [UserMessage("Go"), sign]
    given = load([dump(each) for each in messages])
    assert given[1] != sign
    assert with_fields_of_file(given, messages) == messages
