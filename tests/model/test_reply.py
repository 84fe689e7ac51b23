"""A reply's dialects, mixed in any way, as chunks."""

from collections.abc import Iterable

import pytest

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk, ThinkingChunk
from oi_daemon.model.dialects.deltas import (
    CallDelta,
    ChatEvent,
    Delta,
    FunctionDelta,
    StreamedChoice,
)
from oi_daemon.model.dialects.instructions import ToolStyle
from oi_daemon.model.dialects.parts import ReplyPart
from oi_daemon.model.dialects.reply import ReplyParser
from oi_daemon.model.limits import MAX_CALLS, MAX_WRITTEN, ServerLimitError


def parse(
    *deltas: Delta,
    finish_reason: str | None = "stop",
    style: ToolStyle = "tools",
    begins_thinking: bool = False,
) -> list[ReplyPart]:
    parser = ReplyParser({"python", "shell"}.__contains__, style, begins_thinking=begins_thinking)
    parts: list[ReplyPart] = []
    for delta in deltas:
        parts += parser.feed(ChatEvent(choices=[StreamedChoice(delta)]))
    parts += parser.feed(ChatEvent(choices=[StreamedChoice(Delta(), finish_reason)]))
    return parts + parser.finish()


def said(text: str) -> Delta:
    return Delta(content=text)


def called(
    arguments: str | dict[str, object] = "", *, index: int | None = 0, name: str | None = None
) -> Delta:
    return Delta(tool_calls=[CallDelta(index, FunctionDelta(name, arguments))])


def block(code: str, language: str = "python") -> list[ReplyPart]:
    return [LanguageChunk(language), CodeChunk(code), Executing(code, language)]


def message(parts: Iterable[ReplyPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, MessageChunk))


ONE = '{"language": "python", "code": "1"}'
TWO = '{"language": "shell", "code": "2"}'


def executed(parts: Iterable[ReplyPart]) -> list[str]:
    return [part.code for part in parts if isinstance(part, Executing)]


def test_text_then_a_call() -> None:
    parts = parse(said("Let me see.\n"), called(name="execute"), called(ONE))
    assert parts == [MessageChunk("Let me see."), MessageChunk("\n"), *block("1")]


def test_several_calls_by_index() -> None:
    parts = parse(called(name="execute"), called(ONE), called(TWO, index=1, name="execute"))
    assert parts == [*block("1"), *block("2", "shell")]


def test_calls_that_interleave() -> None:
    parts = parse(
        called(ONE[:10], name="execute"),
        called(TWO[:9], index=1, name="execute"),
        called(ONE[10:]),
        called(TWO[9:], index=1),
    )
    assert executed(parts) == ["1", "2"]


def test_several_calls_that_all_have_the_same_index() -> None:
    for index in (0, None):
        parts = parse(
            called(ONE, index=index, name="execute"), called(TWO, index=index, name="execute")
        )
        assert parts == [*block("1"), *block("2", "shell")]


def test_a_name_that_is_repeated_in_every_delta_is_one_call() -> None:
    parts = parse(called(ONE[:20], name="execute"), called(ONE[20:], name="execute"))
    assert executed(parts) == ["1"]


def test_arguments_that_come_as_an_object() -> None:
    parts = parse(called({"language": "python", "code": "1"}, name="execute"))
    assert parts == block("1")


def test_a_call_that_is_named_after_a_language() -> None:
    parts = parse(called("ls", name="shell"))
    assert parts == block("ls", "shell")


def test_a_legacy_function_call() -> None:
    parts = parse(
        said("See:"),
        Delta(function_call=FunctionDelta("execute", "")),
        Delta(function_call=FunctionDelta(None, ONE)),
        finish_reason="function_call",
    )
    assert parts == [MessageChunk("See:"), *block("1")]


def test_fences_and_calls_in_one_reply() -> None:
    parts = parse(said("```python\n0\n```"), called(ONE, name="execute"), style="markdown")
    assert parts == [*block("0"), *block("1")]


def test_text_during_a_call_comes_after_it() -> None:
    parts = parse(called(ONE[:9], name="execute"), said("Well"), called(ONE[9:]))
    assert parts == [*block("1"), MessageChunk("Well")]


def test_a_fence_after_a_call_is_run_as_well() -> None:
    parts = parse(called(ONE, name="execute"), said("```python\n2"), style="markdown")
    assert parts == [*block("1"), *block("2")]


def test_code_that_was_cut_off_is_shown_and_not_run() -> None:
    for reason in ("length", None):
        parts = parse(called(ONE[:-2], name="execute"), finish_reason=reason)
        assert parts == [LanguageChunk("python"), CodeChunk("1")]
        parts = parse(said("```python\n1"), finish_reason=reason, style="markdown")
        assert parts == [LanguageChunk("python"), CodeChunk("1")]


def test_a_block_that_is_complete_runs_before_the_rest_is_cut_off() -> None:
    parts = parse(said("```python\n1\n```\nNow"), finish_reason="length", style="markdown")
    assert parts == [*block("1"), MessageChunk("Now")]


def test_done_ends_a_reply_as_well_as_a_reason() -> None:
    parser = ReplyParser({"python"}.__contains__)
    parser.feed(ChatEvent(choices=[StreamedChoice(said("Hi"))]))
    assert not parser.is_complete
    parser.feed(ChatEvent(done=True))
    assert parser.is_complete


def test_the_usage_may_come_in_any_event() -> None:
    parser = ReplyParser({"python"}.__contains__)
    parser.feed(ChatEvent(choices=[], usage={"prompt_tokens": 1}))
    parser.feed(ChatEvent(choices=[StreamedChoice(said("Hi"))]))
    assert parser.usage == {"prompt_tokens": 1}
    parser.feed(ChatEvent(x_groq={"usage": {"prompt_tokens": 2}}))
    assert parser.usage == {"prompt_tokens": 2}


def test_where_a_model_has_tools_a_fence_is_only_shown() -> None:
    for style in ("tools", "functions"):
        parts = parse(said("So:\n```python\n1\n```"), style=style)
        assert executed(parts) == []
        assert message(parts) == "So:\n```python\n1\n```"


def test_thinking_in_a_field_of_its_own() -> None:
    for delta in (
        Delta(reasoning_content="Hm"),
        Delta(reasoning="Hm"),
        Delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]),
    ):
        parts = parse(delta, said("Hi"), style="markdown", begins_thinking=True)
        assert parts == [ThinkingChunk("Hm"), MessageChunk("Hi")]


def test_thinking_in_the_objects_of_openrouter() -> None:
    details = [{"text": "Let me "}, {"summary": "see."}, "no object"]
    assert parse(Delta(reasoning_details=details)) == [ThinkingChunk("Let me see.")]


def test_a_call_without_a_language_is_in_the_default_one() -> None:
    assert parse(called('{"code": "1"}', name="execute")) == block("1")


def test_a_call_without_a_function_is_no_call() -> None:
    assert parse(Delta(tool_calls=[CallDelta(0)])) == []


@pytest.mark.parametrize(
    ("delta", "limit"),
    [
        (said("x" * (MAX_WRITTEN + 1)), "it is longer than 1,000,000 characters"),
        (
            Delta(reasoning_details=[{"type": "reasoning.encrypted"}] * (MAX_WRITTEN // 32 + 1)),
            "its reasoning is longer than 1,000,000 characters",
        ),
        (
            Delta(tool_calls=[CallDelta(i, FunctionDelta("execute", ONE)) for i in range(200)]),
            f"it makes more than {MAX_CALLS} calls",
        ),
    ],
)
def test_a_reply_that_never_ends_is_stopped(delta: Delta, limit: str) -> None:
    with pytest.raises(ServerLimitError, match=limit):
        parse(delta)


def test_content_that_comes_as_a_list() -> None:
    assert message(parse(Delta(content=["H", {"type": "text", "text": "i"}, 3]))) == "Hi"
    assert parse(Delta(content=3)) == []


def test_a_refusal_is_shown_and_nothing_in_it_runs() -> None:
    parts = parse(Delta(refusal="No: ```python\n1\n```"), style="markdown")
    assert parts == [MessageChunk("No: ```python\n1\n```")]


def test_thinking_in_the_text_is_neither_run_nor_said() -> None:
    thought = "<think>\n```python\n1\n```\n</think>\n\nHi"
    parts = parse(*map(said, thought), style="markdown")
    assert executed(parts) == []
    assert message(parts) == "Hi"
    unmarked = thought.removeprefix("<think>")
    parts = parse(*map(said, unmarked), style="markdown", begins_thinking=True)
    assert executed(parts) == []
    assert message(parts) == "Hi"


def test_what_was_taken_for_thinking_is_said_if_no_end_tag_comes() -> None:
    parts = parse(said("```python\n1\n```"), style="markdown", begins_thinking=True)
    assert executed(parts) == ["1"]


def test_a_call_that_is_written_as_text_is_a_call() -> None:
    call = '{"name": "execute", "arguments": ' + ONE + "}"
    for text in (f"<tool_call>{call}</tool_call>", f"```json\n{call}\n```", call):
        assert parse(*map(said, text)) == block("1")
        assert executed(parse(said(text[:-20]), finish_reason="length")) == []


def test_a_written_call_during_a_call_comes_after_it() -> None:
    call = '<tool_call>{"name": "execute", "arguments": ' + TWO + "}</tool_call>"
    parts = parse(called(ONE, name="execute"), said(call))
    assert executed(parts) == ["1", "2"]


def test_a_fence_that_is_open_ends_before_a_written_call() -> None:
    call = '```python\n0\n```\n<tool_call>{"name": "execute", "arguments": ' + ONE
    parts = parse(said(call + "}</tool_call>Then"), style="markdown")
    assert executed(parts) == ["0", "1"]
    assert parts[-1] == MessageChunk("Then")


def test_a_call_of_an_unknown_tool_is_neither_shown_nor_run() -> None:
    parser = ReplyParser({"python"}.__contains__)
    event = ChatEvent(choices=[StreamedChoice(called(ONE, name="browse"), "tool_calls")])
    assert [*parser.feed(event), *parser.finish()] == []
    assert [(call.name, call.names_unknown_tool) for call in parser.malformed] == [("browse", True)]


def test_a_name_that_comes_late_counts() -> None:
    assert parse(called(), called("ls", name="shell")) == block("ls", "shell")


def test_a_whole_message_is_read_unless_it_repeats_the_deltas() -> None:
    whole = StreamedChoice(None, "stop", Delta(content="Hi"))
    parser = ReplyParser({"python"}.__contains__)
    assert parser.feed(ChatEvent(choices=[whole])) == [MessageChunk("Hi")]
    parser = ReplyParser({"python"}.__contains__)
    parser.feed(ChatEvent(choices=[StreamedChoice(said("Hi"))]))
    assert parser.feed(ChatEvent(choices=[whole])) == []
    assert parser.is_complete
