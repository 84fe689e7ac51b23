"""Tells whether a block has failed, and whether it is one that has failed like this before."""

import re
from collections.abc import Iterator, Sequence

from oi_daemon.messages.stored import CodeMessage, Message, UserMessage

_END = 2_000
"""Characters at the end of an output in which its error is looked for."""
_ERROR = re.compile(
    r"^(?:[\w.]*(?:Error|Exception|Interrupt|Exit)\b|Error in |Error: |\[.*\bkilled\b).*",
    re.MULTILINE,
)
"""Matches the line that names an error: of Python, JavaScript, R, or of a process that ended."""
_VARYING = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)
"""Matches what differs between two runs with the same error: addresses, times, process ids."""


def error_of(block: CodeMessage) -> str | None:
    """Return the error with which a block ended, without its numbers; None if it did not fail."""
    if block.output is None:
        return None
    if block.error:
        return _VARYING.sub("0", f"{block.error.name}: {block.error.message}")
    end = block.output[-_END:]
    found = _ERROR.findall(end)
    if found:
        return _VARYING.sub("0", found[-1])
    if block.exit or block.status in ("error", "killed"):
        return _VARYING.sub("0", end.rstrip().rpartition("\n")[2])
    return None


def same_failures(messages: Sequence[Message]) -> Iterator[int]:
    """Yield for each message how often its block has failed in the same way in this turn.

    That is 0 for a block that did not fail and for words, 1 for the first failure. A turn begins
    with the person's words.
    """
    seen: dict[tuple[str, str, str], int] = {}
    for message in messages:
        if isinstance(message, UserMessage):
            seen.clear()
        error = error_of(message) if isinstance(message, CodeMessage) else None
        if isinstance(message, CodeMessage) and error is not None:
            key = (message.language, message.code.strip(), error)
            seen[key] = seen.get(key, 0) + 1
            yield seen[key]
        else:
            yield 0
