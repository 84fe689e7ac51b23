"""Summaries in place of a conversation's oldest part, and windows that servers tell."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from oi_daemon.messages import (
    AssistantMessage,
    CodeMessage,
    Message,
    MessageChunk,
    NoticeChunk,
    UserMessage,
    fold,
)
from oi_daemon.messages.summaries import is_summary, latest_summary, marked
from oi_daemon.model.compaction import plan, visible
from oi_daemon.model.context_window import stated_window
from oi_daemon.model.tokens import Tokenizer
from tests.fakes.openai_server import Reply, error, text
from tests.model.asked import Asked

TOKENIZER = Tokenizer("o200k_base")
FACT = "My cat is called Ferdinand."
WINDOW = 8192


def conversation(count: int) -> list[Message]:
    """Questions, blocks and answers; message 3 holds a fact."""
    messages: list[Message] = []
    for n in range(count // 3 + 1):
        question = FACT if n == 1 else f"Question {n}?"
        messages += [
            UserMessage(question),
            CodeMessage("python", f"x{n} = {n}", f"{n} " + "word " * 60),
            AssistantMessage(f"Answer {n}."),
        ]
    return messages[:count]


def summarise(body: dict[str, Any]) -> Reply:
    """A scripted summary, which keeps what it is told about the cat, as a model would."""
    asked = body["messages"][-1]["content"]
    kept = FACT if FACT in asked else "Nothing of note."
    return text(f"They talked. {kept}")


def respond(body: dict[str, Any]) -> Reply:
    return summarise(body) if is_summary_request(body) else text("Yes.")


def is_summary_request(body: dict[str, Any]) -> bool:
    return "write the summary" in body["messages"][-1]["content"]


async def turn(asked: Asked, messages: list[Message], question: str) -> Sequence[Any]:
    """Ask, with a summary for each request for one; the messages grow as in a conversation."""
    messages.append(UserMessage(question))
    seen = len(asked.server.bodies)
    parts = await asked.reply(messages, context_window=WINDOW, model="m")
    messages += fold(part for part in parts if isinstance(part, MessageChunk))
    return asked.server.bodies[seen:]


async def test_a_long_conversation_works_on_by_summaries_and_knows_its_beginning(
    asked: Asked,
) -> None:
    """400 messages at 8k, then 50 turns: each fits, and the fact of message 3 is always there."""
    messages = conversation(400)
    asked.server.respond = respond
    summaries = 0
    for n in range(50):
        bodies = await turn(asked, messages, f"Next {n}? " + "word " * 60)
        summaries += sum(map(is_summary_request, bodies))
        sent = json.dumps(bodies[-1])
        assert TOKENIZER.count(sent) < WINDOW
        assert FACT in sent
        assert f"Next {n}?" in sent
        assert not [p for p in asked.parts if isinstance(p, NoticeChunk) and p.kind == "trimmed"]
    assert 2 <= sum("[Summary" in getattr(m, "message", "") for m in messages) < 10
    assert summaries < 30


async def test_a_summary_stays_where_long_messages_leave_little_room(asked: Asked) -> None:
    messages: list[Message] = [UserMessage(FACT)]
    asked.server.respond = respond
    for n in range(40):
        await turn(asked, messages, f"Next {n}? " + "word " * 2500)
        assert FACT in json.dumps(asked.body)


async def test_the_beginning_of_requests_stays_the_same(asked: Asked) -> None:
    """So that servers read it from their cache: half of it at least, on the average of 40."""
    messages = conversation(150)
    asked.server.respond = respond
    shares: list[float] = []
    before = ""
    for n in range(41):
        bodies = await turn(asked, messages, f"Next {n}? " + "word " * 100)
        now = json.dumps(bodies[-1]["messages"])
        same = next((i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), 0)
        shares.append(same / len(before) if before else 0)
        before = now
    assert sum(shares[1:]) / 40 >= 0.5


async def test_a_summary_that_fails_is_told_and_older_messages_are_left_out(asked: Asked) -> None:
    messages = conversation(400)
    asked.server.respond = lambda body: (
        error(400, "No.") if is_summary_request(body) else text("Yes.")
    )
    await turn(asked, messages, "Next?")
    kinds = [part.kind for part in asked.parts if isinstance(part, NoticeChunk)]
    assert kinds == ["compaction", "compaction", "trimmed"]
    assert "are left out here" in json.dumps(asked.body)
    assert asked.message == "Yes."


@pytest.mark.parametrize("kept", [200, 1000, 3000])
def test_a_boundary_is_never_in_the_middle_of_a_reply(kept: int) -> None:
    joined = {"joined": True, "endpoint": "x", "model": "y"}
    messages: list[Message] = [UserMessage("Go")]
    for n in range(60):
        provider = joined if n % 3 else None
        messages.append(CodeMessage("python", f"x = {n}", "word " * 60, provider=provider))
    planned = plan(messages, room=4000, kept=kept, max_output=2000, tokenizer=TOKENIZER)
    assert planned is not None
    assert (planned.covered - 1) % 3 == 0


def test_a_summary_takes_the_place_of_what_it_covers() -> None:
    messages = conversation(9)
    messages[8] = AssistantMessage(f"Before. {marked('All of it.', 6)}\n\nAfter.")
    first, *rest = visible(messages).messages()
    assert isinstance(first, UserMessage)
    assert "All of it." in first.message
    assert "Question 2?" in first.message
    assert rest == [messages[7], AssistantMessage("Before. After.")]


def test_the_question_of_the_turn_stays_when_a_summary_covers_it() -> None:
    blocks: list[Message] = [CodeMessage("python", f"{n}", "1") for n in range(6)]
    given = [UserMessage("Go"), *blocks, AssistantMessage(marked("Done.", 4))]
    first, *rest = visible(given).messages()
    assert "Go" in first.message  # type: ignore[union-attr]
    assert rest == blocks[3:]


@pytest.mark.parametrize(
    "text",
    [
        "[Summary of the first 99 messages]\nx\n[End of the summary]",
        "[Summary of the first 1 messages]",
    ],
)
def test_what_only_looks_like_a_summary_is_none(text: str) -> None:
    messages: list[Message] = [UserMessage("Hi"), AssistantMessage(text)]
    assert latest_summary(messages) is None
    assert visible(messages).messages() is messages


def test_the_marks_cannot_stand_in_a_summary() -> None:
    message = AssistantMessage(marked("a [End of the summary] b", 1))
    assert is_summary(message)
    assert re.search(r"a  b", message.message)


@pytest.mark.parametrize(
    ("listed", "window"),
    [
        ({"max_model_len": 32768}, 32768),
        ({"context_length": 131072, "top_provider": {"context_length": 65536}}, 65536),
        ({"context_window": 131072}, 131072),
        ({"meta": {"n_ctx": 4096, "n_ctx_train": 32768}}, 4096),
        ({"context_length": "many"}, 0),
        ({"meta": None}, 0),
        ({}, 0),
    ],
)
def test_a_window_in_a_list_of_models(listed: dict[str, Any], window: int) -> None:
    assert stated_window(listed) == window


async def test_the_servers_list_is_asked_once_for_the_window_of_an_unknown_model(
    asked: Asked,
) -> None:
    asked.server.models = [{"id": "m", "max_model_len": 1024}]
    messages = conversation(100)
    asked.server.respond = respond
    await asked.reply(messages, model="m")
    assert len(json.dumps(asked.body)) < 6000
    asked.server.models = []
    await asked.reply(messages, model="m")
    assert len(json.dumps(asked.body)) < 6000
