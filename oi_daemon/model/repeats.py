"""Tells a model that it has run the same block with the same error before."""

from collections.abc import Sequence
from dataclasses import replace

from oi_daemon.messages import CodeMessage, Message
from oi_daemon.messages.failing import same_failures

ADVICE = (
    "[You ran exactly this block before, and it failed with the same error. Do not run it again:"
    " read the error, check what you took for granted (names of files and columns, versions), and"
    " try another way.]"
)


def with_advice(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the messages, with advice after the output of each block that failed again.

    What is added depends on earlier messages only, so that it is the same in every request.
    """
    counts = list(same_failures(messages))
    if max(counts, default=0) < 2:
        return messages
    return [
        _advised(message) if count > 1 and isinstance(message, CodeMessage) else message
        for message, count in zip(messages, counts, strict=True)
    ]


def _advised(block: CodeMessage) -> CodeMessage:
    return replace(block, output=f"{block.output}\n{ADVICE}" if block.output else ADVICE)
