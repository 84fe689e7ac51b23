"""Thinking that stands in the text of a message, wherever it is split."""

import pytest

from oi_daemon.messages import ThinkingChunk
from oi_daemon.model.dialects.thinking import ThinkingFilter, thinks_marked, thinks_unmarked


def split(text: str, *, begins_thinking: bool = False) -> tuple[str, str, bool | None]:
    """The thinking, the message, and whether it had an end tag only; alike for all splits."""
    results = set()
    for size in (1, 2, 3, 7):
        parser = ThinkingFilter(begins_thinking=begins_thinking)
        parts = [
            part for at in range(0, len(text), size) for part in parser.feed(text[at : at + size])
        ]
        parts += parser.flush()
        thinking = "".join(part.text for part in parts if isinstance(part, ThinkingChunk))
        message = "".join(part for part in parts if isinstance(part, str))
        results.add((thinking, message, parser.ends_unmarked))
    (result,) = results
    return result


@pytest.mark.parametrize(
    ("text", "thinking", "message"),
    [
        ("Hi", "", "Hi"),
        (" <think>\nHm <b> </thin k</think>\n\nHi <there </", "\nHm <b> </thin k", "Hi <there </"),
        ("<think>a</think>\n<think>b</think> c", "ab", "c"),
        ("<think>never ends", "never ends", ""),
        ("<thi", "", "<thi"),
        ("The tag `</think>` ends it", "", "The tag `</think>` ends it"),
        ("Use <think> in text", "", "Use <think> in text"),
    ],
)
def test_marked_thinking(text: str, thinking: str, message: str) -> None:
    assert split(text) == (thinking, message, None)


def test_an_end_tag_without_a_start() -> None:
    assert split("Hm</think>\nHi", begins_thinking=True) == ("Hm", "Hi", True)
    assert split("<think>Hm</think>Hi", begins_thinking=True) == ("Hm", "Hi", None)


def test_an_end_tag_that_nobody_expected_is_taken_away_and_learned() -> None:
    assert split("Hm, well, so </think>Hi") == ("", "Hm, well, so Hi", True)
    parser = ThinkingFilter()
    assert parser.feed("Hm</think>Hi") == [ThinkingChunk("Hm"), "Hi"]


def test_what_was_assumed_to_be_thinking_is_the_message_if_no_end_tag_comes() -> None:
    assert split("Hi there", begins_thinking=True) == ("Hi there", "Hi there", False)


def test_a_server_that_sends_thinking_separately_has_none_in_the_text() -> None:
    parser = ThinkingFilter(begins_thinking=True)
    parser.expect_message()
    assert parser.feed("Hi") == ["Hi"]
    assert parser.ends_unmarked is False


def test_models_by_name() -> None:
    for name in ("deepseek-r1:8b", "qwq", "Qwen3-4B-Thinking-2507", "magistral-small"):
        assert thinks_unmarked(name)
    for name in ("gpt-4", "openai/gpt-5", "claude-opus-5", "o3"):
        assert thinks_marked(name)
        assert not thinks_unmarked(name)
