"""Chunks: the smallest things that happen in a turn, as values.

No ids of storage and no transport: `oi_daemon.protocol.chunks` has their form on the wire.
"""

from dataclasses import dataclass

from oi_daemon.messages.written import Bundle


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
)
