"""Responses whose events contradict each other, are too many, or hold what nobody expects."""

import json
from typing import Any

import msgspec
import pytest

from oi_daemon.messages import CodeMessage, Executing, LanguageChunk, MessageChunk
from oi_daemon.model.dialects import response_reply
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.requests import BEGINNING
from oi_daemon.model.dialects.response_events import ResponseEvent
from oi_daemon.model.dialects.response_reply import ResponseParser
from oi_daemon.model.dialects.response_requests import correction_items, input_items, text_of
from oi_daemon.model.limits import MAX_CALLS, MAX_WRITTEN, ServerLimitError


@pytest.fixture
def parser() -> ResponseParser:
    return ResponseParser({"python": "python"}.get, lambda word: False)


def event(kind: str, **fields: Any) -> ResponseEvent:
    return msgspec.json.decode(json.dumps({"type": kind, **fields}), type=ResponseEvent)


def begun(index: int = 0, name: str = "python", **fields: Any) -> ResponseEvent:
    call = {"type": "custom_tool_call", "name": name, "call_id": f"call_{index}", "input": ""}
    return event("response.output_item.added", output_index=index, item=call | fields)


def code(delta: object, index: int = 0) -> ResponseEvent:
    return event("response.custom_tool_call_input.delta", output_index=index, delta=delta)


def ended(text: object, index: int = 0, **fields: Any) -> ResponseEvent:
    call = {"type": "custom_tool_call", "name": "python", "call_id": "c", "input": text}
    return event("response.output_item.done", output_index=index, item=call | fields)


COMPLETED = event("response.completed", response={"status": "completed", "output": []})


def parts(parser: ResponseParser, *events: ResponseEvent) -> list[ReplyPart]:
    seen = [part for each in events for part in parser.feed(each)]
    return [*seen, *parser.finish()]


def executed(parser: ResponseParser, *events: ResponseEvent) -> list[str]:
    return [part.code for part in parts(parser, *events) if isinstance(part, Executing)]


def test_a_call_that_the_server_calls_incomplete_does_not_run(parser: ResponseParser) -> None:
    done = ended("print(1)", status="incomplete")
    assert executed(parser, begun(), code("print(1)"), done, COMPLETED) == []


def test_code_of_a_call_that_never_began_is_passed_over(parser: ResponseParser) -> None:
    assert executed(parser, code("print(1)", index=3), COMPLETED) == []


def test_a_call_that_is_only_told_at_its_end_runs(parser: ResponseParser) -> None:
    assert executed(parser, ended("print(1)"), COMPLETED) == ["print(1)"]


def test_the_rest_of_the_code_may_come_at_the_end(parser: ResponseParser) -> None:
    events = [begun(), code("print("), ended("print(1)"), COMPLETED]
    assert executed(parser, *events) == ["print(1)"]


def test_what_is_no_text_is_passed_over(parser: ResponseParser) -> None:
    events = [
        begun(),
        code(["print(2)"]),
        event("response.output_text.delta", output_index=1, delta=7),
        event("response.reasoning_text.delta", output_index=1, delta=None),
        event("response.custom_tool_call_input.done", output_index=0, input=["print(3)"]),
        event("response.custom_tool_call_input.done", output_index=0, input="print(1)"),
        event("response.an_event_of_tomorrow"),
        event("response.output_item.changed", item={"type": "message"}),
        COMPLETED,
    ]
    assert executed(parser, *events) == ["print(1)"]


def test_an_empty_function_call_goes_back_to_the_model(parser: ResponseParser) -> None:
    call = begun(name="execute", type="function_call", input=None, arguments="")
    assert executed(parser, call, COMPLETED) == []
    [malformed] = parser.malformed
    assert not malformed.names_unknown_tool


def test_a_summary_without_its_data_is_passed_over(parser: ResponseParser) -> None:
    """And so is one that was not asked for: the parser knows no messages that it covers."""
    for item in ({"type": "compaction"}, {"type": "compaction", "encrypted_content": "x"}):
        done = event("response.output_item.done", output_index=0, item=item)
        assert list(parser.feed(done)) == []


def test_words_before_a_call_are_shown_before_it(parser: ResponseParser) -> None:
    said = event("response.output_text.delta", delta="Look: ")
    seen = parts(parser, said, begun(1), code("1", index=1), COMPLETED)
    assert [type(part) for part in seen][:2] == [MessageChunk, LanguageChunk]


def test_the_number_of_calls_has_a_limit(parser: ResponseParser) -> None:
    for index in range(MAX_CALLS):
        parser.feed(begun(index))
    with pytest.raises(ServerLimitError, match="calls"):
        parser.feed(begun(MAX_CALLS))


def test_the_length_of_a_response_has_a_limit(parser: ResponseParser) -> None:
    with pytest.raises(ServerLimitError, match="longer"):
        parser.feed(event("response.output_text.delta", delta="x" * (MAX_WRITTEN + 1)))


def test_the_length_of_the_reasoning_has_a_limit(
    parser: ResponseParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_reply, "MAX_REASONING", 10)
    with pytest.raises(ServerLimitError, match="reasoning"):
        parser.feed(event("response.reasoning_text.delta", delta="x" * 11))


def test_corrections_of_a_model_without_tools_are_the_users_words() -> None:
    [item] = correction_items(
        [MalformedCall("x", "{", "it ends too early")], "markdown", custom=False
    )
    assert item["role"] == "user"
    assert "it ends too early" in str(item["content"])


def test_a_conversation_that_begins_with_code_begins_with_the_users_words() -> None:
    items = input_items([CodeMessage("python", "1", "1")], "tools", custom=True)
    assert BEGINNING in str(items[0])


def test_what_is_counted_leaves_out_pictures_and_encrypted_reasoning() -> None:
    text = text_of(
        [
            {"type": "reasoning", "encrypted_content": "secret"},
            {"type": "custom_tool_call", "call_id": "c", "name": "python", "input": "print(1)"},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    {"type": "input_image", "image_url": "data:picture"},
                ],
            },
        ]
    )
    assert "Look" in text
    assert "print(1)" in text
    assert "secret" not in text
    assert "picture" not in text
