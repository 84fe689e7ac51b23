"""Which blocks have failed, and which have failed like this before."""

import pytest

from oi_daemon.messages import AssistantMessage, BlockError, CodeMessage, Message, UserMessage
from oi_daemon.messages.failing import error_of, same_failures

TRACEBACK = "Traceback (most recent call last):\n  File ...\nKeyError: 'total'"


@pytest.mark.parametrize(
    ("output", "error"),
    [
        (TRACEBACK, "KeyError: 'total'"),
        ("TypeError: x is not a function\n    at block:1:1", "TypeError: x is not a function"),
        ("Error in f(2) : no such thing", "Error in f(0) : no such thing"),
        ("[Python was killed (SIGSEGV).]", "[Python was killed (SIGSEGV).]"),
        ("all is well", None),
        ("", None),
        (None, None),
    ],
)
def test_the_error_of_an_output(output: str | None, error: str | None) -> None:
    assert error_of(CodeMessage("python", "x", output)) == error


def test_a_shell_block_fails_by_its_exit_status() -> None:
    assert error_of(CodeMessage("shell", "x", "line 1: x: not found", exit=127)) is not None
    assert error_of(CodeMessage("shell", "true", "", exit=0)) is None


def test_a_block_fails_by_the_error_that_its_language_tells() -> None:
    """Whatever its output ends with."""
    told = BlockError("KeyError", "'total' at 0x7f12")
    block = CodeMessage("python", "x", "all is well", status="error", error=told)
    assert error_of(block) == "KeyError: 'total' at 0"
    assert error_of(CodeMessage("python", "x", "the end", status="killed")) == "the end"


def test_the_same_failures_are_counted_until_the_person_speaks() -> None:
    failed = CodeMessage("python", "x\n", TRACEBACK)
    other = CodeMessage("python", "x", "NameError: y")
    messages: list[Message] = [
        UserMessage("Go"), failed, AssistantMessage("Hm."), failed, other, failed,
        UserMessage("Again"), failed,
    ]  # fmt: skip
    assert list(same_failures(messages)) == [0, 1, 0, 2, 1, 3, 0, 1]


def test_errors_that_differ_in_numbers_are_the_same() -> None:
    at = [CodeMessage("python", "x", f"ValueError: <object at 0x7f{n}>") for n in (12, 34)]
    assert list(same_failures(at)) == [1, 2]
