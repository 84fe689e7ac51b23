"""Long conversations go on: each request fits the window by the server's own count."""

import json
from itertools import pairwise
from typing import Any

from oi_daemon import Interpreter
from oi_daemon.model.compaction import INSTRUCTIONS
from oi_daemon.model.tokens import load
from tests.client.programs import code
from tests.fakes.openai_server import ThreadedServer, error, text

WINDOW = 8192
WORDS = "The quick brown fox jumps over the lazy dog, again and again. " * 8


def tokens(body: dict[str, Any]) -> int:
    """As the maker of the model counts a request: its texts, and some for each message."""
    count = load("cl100k_base").encode_ordinary
    texts = [json.dumps(message, ensure_ascii=False) for message in body["messages"]]
    return sum(len(count(text)) + 3 for text in texts) + len(count(json.dumps(body.get("tools"))))


def long_conversation() -> list[dict[str, Any]]:
    """300 messages, a third of them code with output."""
    messages: list[dict[str, Any]] = []
    for number in range(100):
        block = {"role": "assistant", "language": "python", "code": f"print({number})"}
        messages += [
            {"role": "user", "message": f"{number}. {WORDS}"},
            block | {"output": WORDS},
            {"role": "assistant", "message": f"That was {number}. {WORDS}"},
        ]
    return messages


def test_fifty_more_turns_of_300_messages_stay_within_a_window_of_8k(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.messages = long_conversation()
    interpreter.context_window = WINDOW
    interpreter.auto_run = True
    server.answer(_is_for_a_summary, text("The fox jumps."))
    for number in range(25):
        server.enqueue(code(f"print({WORDS!r} * {number})"), text(WORDS), text("Yes."))
        interpreter.chat(f"Run {number}. {WORDS}", display=False)
        interpreter.chat("And?", display=False)
    summaries = [body for body in server.bodies if _is_for_a_summary(body)]
    assert summaries
    assert all(tokens(body) < WINDOW for body in summaries)
    asked = [body for body in server.bodies if not _is_for_a_summary(body)]
    assert len(asked) == 75
    for body in asked:
        assert tokens(body) < WINDOW
        assert body["messages"][0]["role"] == "system"
        _see_pairs_together(body["messages"])
    last = server.bodies[-1]["messages"][-1]  # after a summary of all before it, or alone
    assert last["role"] == "user"
    assert last["content"].endswith("And?")


def _is_for_a_summary(body: dict[str, Any]) -> bool:
    return bool(body["messages"][0]["content"] == INSTRUCTIONS)


def _see_pairs_together(messages: list[dict[str, Any]]) -> None:
    """Every tool's answer follows its call."""
    for before, message in pairwise(messages):
        called = {call["id"] for call in before.get("tool_calls") or ()}
        if message["role"] == "tool":
            assert message["tool_call_id"] in called


def test_a_window_that_is_smaller_than_thought_is_learned_from_the_servers_refusal(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.messages = long_conversation()
    interpreter.context_window = 4 * WINDOW
    refusal = "This model's maximum context length is 8192 tokens. Please reduce the length."
    server.answer(_is_for_a_summary, text("The fox jumps."))
    server.enqueue(error(400, refusal, code="context_length_exceeded"), text("Yes."), text("On."))
    assert interpreter.chat("And?", display=False)[-1]["message"] == "Yes."
    interpreter.chat("On?", display=False)
    asked = [body for body in server.bodies if not _is_for_a_summary(body)]
    first, second, third = map(tokens, asked)
    assert first > WINDOW
    assert second < WINDOW
    assert third < WINDOW
