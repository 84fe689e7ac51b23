"""What a model is told about a block that it runs again and again."""

from oi_daemon.messages import CodeMessage, Message, UserMessage
from oi_daemon.model.repeats import ADVICE, with_advice

FAILED = CodeMessage("python", "x", "KeyError: 'total'")


def test_a_block_that_failed_twice_in_the_same_way_gets_advice() -> None:
    messages: list[Message] = [UserMessage("Go"), FAILED, FAILED]
    first, second = with_advice(messages)[1:]
    assert first == FAILED
    assert isinstance(second, CodeMessage)
    assert second.output == f"{FAILED.output}\n{ADVICE}"


def test_what_was_sent_stays_the_same_when_more_follows() -> None:
    messages: list[Message] = [UserMessage("Go"), FAILED, FAILED]
    assert list(with_advice([*messages, FAILED]))[:3] == with_advice(messages)


def test_without_repeats_nothing_is_copied() -> None:
    messages: list[Message] = [UserMessage("Go"), FAILED]
    assert with_advice(messages) is messages
