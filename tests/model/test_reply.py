"""A reply's dialects, mixed in any way, as chunks."""

from collections.abc import Iterable

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk
from oi_daemon.model.dialects.deltas import (
    CallDelta,
    ChatEvent,
    ChatUsage,
    Delta,
    FunctionDelta,
    StreamedChoice,
)
from oi_daemon.model.dialects.parts import ReplyPart
from oi_daemon.model.dialects.reply import ReplyParser


def parse(*deltas: Delta, finish_reason: str | None = "stop") -> list[ReplyPart]:
    parser = ReplyParser({"python", "shell"}.__contains__)
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
    parts = parse(said("```python\n0\n```"), called(ONE, name="execute"))
    assert parts == [*block("0"), *block("1")]


def test_text_during_a_call_comes_after_it() -> None:
    parts = parse(called(ONE[:9], name="execute"), said("Well"), called(ONE[9:]))
    assert parts == [*block("1"), MessageChunk("Well")]


def test_a_fence_after_a_call_is_run_as_well() -> None:
    parts = parse(called(ONE, name="execute"), said("```python\n2"))
    assert parts == [*block("1"), *block("2")]


def test_code_that_was_cut_off_is_shown_and_not_run() -> None:
    for reason in ("length", None):
        parts = parse(called(ONE[:-2], name="execute"), finish_reason=reason)
        assert parts == [LanguageChunk("python"), CodeChunk("1")]
        parts = parse(said("```python\n1"), finish_reason=reason)
        assert parts == [LanguageChunk("python"), CodeChunk("1")]


def test_a_block_that_is_complete_runs_before_the_rest_is_cut_off() -> None:
    parts = parse(said("```python\n1\n```\nNow"), finish_reason="length")
    assert parts == [*block("1"), MessageChunk("Now")]


def test_done_ends_a_reply_as_well_as_a_reason() -> None:
    parser = ReplyParser({"python"}.__contains__)
    parser.feed(ChatEvent(choices=[StreamedChoice(said("Hi"))]))
    assert not parser.complete
    parser.feed(ChatEvent(done=True))
    assert parser.complete


def test_the_usage_may_come_in_any_event() -> None:
    parser = ReplyParser({"python"}.__contains__)
    parser.feed(ChatEvent(choices=[], usage=ChatUsage(1, 2)))
    parser.feed(ChatEvent(choices=[StreamedChoice(said("Hi"))]))
    assert parser.usage == ChatUsage(1, 2)
