"""Chunks: the smallest things that happen in a turn, as values.

No ids of storage and no transport: `oi_daemon.protocol.chunks` has their form on the wire.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from oi_daemon.messages.written import Bundle

DeclinedBy = Literal["skip", "stop", "gone"]
"""Who declined a block: a person said `skip` or `stop`, or there was nobody to ask (`gone`)."""


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """Some more text of the model's message."""

    text: str


@dataclass(frozen=True, slots=True)
class LanguageChunk:
    """A code block begins, in this language."""

    language: str


@dataclass(frozen=True, slots=True)
class CodeChunk:
    """Some more of the block's code."""

    text: str


@dataclass(frozen=True, slots=True)
class Executing:
    """The block is complete and about to run. This code is authoritative.

    With `approval`, nothing runs until that id is approved. If the person edits the code, a
    second `Executing` without `approval` follows and holds what really runs.
    """

    code: str
    language: str
    approval: str | None = None
    provider: Mapping[str, Any] | None = None
    """What the model's server wants back with this block. It does not travel to clients."""


@dataclass(frozen=True, slots=True)
class ActiveLine:
    """The line being run, counted from 1; None when nothing runs."""

    line: int | None


@dataclass(frozen=True, slots=True)
class Output:
    """Some more of what the code wrote, stdout and stderr in their true order."""

    text: str


@dataclass(frozen=True, slots=True)
class Display:
    """A picture, table or page."""

    data: Bundle


@dataclass(frozen=True, slots=True)
class InputRequest:
    """The running code waits for a line of input; `input` is the id that the answer names."""

    prompt: str
    password: bool
    input: str


@dataclass(frozen=True, slots=True)
class EndOfExecution:
    """The block has ended, however it went."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The block before this chunk was not run, and will not be."""

    by: DeclinedBy


@dataclass(frozen=True, slots=True)
class ThinkingChunk:
    """Some more text of what the model tells about its reasoning. It is not stored."""

    text: str


@dataclass(frozen=True, slots=True)
class NoticeChunk:
    """What a person must know now, in words. It is not stored."""

    kind: str
    """One word for programs: `retry`, `save`, `trimmed`, `limit`, `model`, ..."""
    message: str
    seconds: float | None = None
    """How long it lasts, if that is known. Of `retry`: the time until the next attempt."""


Chunk = (
    MessageChunk
    | LanguageChunk
    | CodeChunk
    | Executing
    | ActiveLine
    | Output
    | Display
    | InputRequest
    | EndOfExecution
    | Declined
    | ThinkingChunk
    | NoticeChunk
)
