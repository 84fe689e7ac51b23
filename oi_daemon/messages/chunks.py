"""Chunks: the smallest things that happen in a turn, as values.

`oi_daemon.protocol.chunks` converts them to and from their form on the wire.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oi_daemon.messages.result import BlockResult
from oi_daemon.messages.written import Bundle

EventKind = Literal["begun", "answered", "ended", "changed"]
"""What has happened in a conversation: a turn began or ended, what waited for a person was
answered, or its messages or settings were changed."""
DeclinedBy = Literal["skip", "stop", "gone"]
"""Who declined a block: a person said `skip` or `stop`, or there was nobody to ask (`gone`)."""


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """The next piece of the model's message."""

    text: str
    provider: Mapping[str, Any] | None = field(default=None, compare=False)
    """Data that the model's server needs back with this text, which is a summary that the server
    has made. Clients do not get it."""


@dataclass(frozen=True, slots=True)
class LanguageChunk:
    """A code block begins, in this language."""

    language: str


@dataclass(frozen=True, slots=True)
class CodeChunk:
    """The next piece of the block's code."""

    text: str


@dataclass(frozen=True, slots=True)
class Executing:
    """The block is complete and about to run.

    If the person edits the code, a second `Executing`, without `approval`, holds the code that
    really runs.
    """

    code: str
    """The whole code. It replaces the pieces that came before."""
    language: str
    approval: str | None = None
    """Id that an answer has to name before the block runs; None if it runs without an answer."""
    provider: Mapping[str, Any] | None = field(default=None, compare=False)
    """Data that the model's server needs back with this block. Clients do not get it."""


@dataclass(frozen=True, slots=True)
class ActiveLine:
    """The line that is being run."""

    line: int | None
    """Counted from 1; None when no line is being run any more."""


@dataclass(frozen=True, slots=True)
class Output:
    """The next piece of what the code wrote to stdout and stderr, in the order in which it did."""

    text: str


@dataclass(frozen=True, slots=True)
class Display:
    """A picture, table or page."""

    data: Bundle


@dataclass(frozen=True, slots=True)
class InputRequest:
    """The running code waits for a line of input.

    Outside of a block it is a question of the daemon itself.
    """

    prompt: str
    password: bool
    """True if the line should not be shown while it is typed."""
    input: str
    """Id that the answer has to name."""


@dataclass(frozen=True, slots=True)
class EndOfExecution:
    """The block has ended: it finished, failed, was interrupted, or its process ended.

    All ends are equal, whatever they tell, because no two blocks take the same time.
    """

    result: BlockResult | None = field(default=None, compare=False)
    """How the block ended; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The block that came before this chunk was not run, and will not be."""

    by: DeclinedBy


@dataclass(frozen=True, slots=True)
class ThinkingChunk:
    """The next piece of what the model says about its reasoning. It is not stored."""

    text: str


@dataclass(frozen=True, slots=True)
class NoticeChunk:
    """Something that a person must know now, such as a retry or a failed save. It is not stored."""

    kind: str
    """One word for programs: `retry`, `save`, `trimmed`, `limit`, `model`, ..."""
    message: str
    seconds: float | None = None
    """Seconds that what is announced takes, if that is known; for `retry`, the wait before the next
    attempt."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Of `files`, the number of the `block` and its `files`."""


@dataclass(frozen=True, slots=True)
class EventChunk:
    """Something that a client must know that is attached to a conversation and did not do it."""

    kind: EventKind
    details: Mapping[str, str] = field(default_factory=dict)
    """Of `begun`, the person's words as `message`, if there are any; of `answered`, the id of what
    was answered as `approval` or `input`; of `ended`, the turn's `status`, with `failed` among
    them, and then the error's text as `message`."""


@dataclass(frozen=True, slots=True)
class BackgroundChunk:
    """Something happens in a block that runs in the background, beside the turns."""

    block: str
    """The block's id."""
    chunk: "Chunk"
    """What happens in it."""


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
    | EventChunk
    | BackgroundChunk
)
