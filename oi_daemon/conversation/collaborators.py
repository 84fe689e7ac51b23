"""What a turn works with: a model, an execution, an approval and a spending, as protocols."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from oi_daemon.conversation.budget import Verdict
from oi_daemon.messages import (
    Chunk,
    CodeChunk,
    Executing,
    LanguageChunk,
    Message,
    MessageChunk,
    NoticeChunk,
    ThinkingChunk,
)
from oi_daemon.messages.usage import Quote, Usage

Reply = (
    MessageChunk
    | LanguageChunk
    | CodeChunk
    | Executing
    | ThinkingChunk
    | NoticeChunk
    | Quote
    | Usage
)
"""A part of a model's reply. `Executing` ends each complete block and holds all of its code.

A `Quote` comes before the request is sent, so closing the reply there costs nothing.
"""

Emit = Callable[[Chunk], Awaitable[None]]
"""Sends a chunk to the receiver of the turn's chunks, and waits while it is slow."""


class Model(Protocol):
    """Answers a conversation."""

    def reply(
        self, messages: Sequence[Message], dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[Reply, None]:
        """One reply, as it is written. Closing the iterator drops the connection at once.

        Args:
            dollars_left: returns the US dollars that may still be spent; None if there is no limit.
                If there is one, a `Quote` comes before each request.

        Raises:
            ModelError: the model cannot go on.
        """
        ...

    def compact(
        self, messages: Sequence[Message], dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[Reply, None]:
        """A summary of the conversation's oldest part, which takes its place. As `reply`."""
        ...

    def unfinished(self) -> Usage | None:
        """An estimate of what the latest reply used, if it was closed before its `Usage` came.

        Gives it once, and None after that.
        """
        ...


class Execution(Protocol):
    """Runs code in interpreters that keep their state."""

    def run(self, language: str, code: str) -> AsyncGenerator[Chunk, None]:
        """One block's lines, output, displays and requests for input, then its end.

        Never raises for what the code does. The last two chunks are always `ActiveLine(None)` and
        `EndOfExecution()`, after which only a notice may come.
        """
        ...

    def interrupt(self) -> None:
        """Stop the block that runs; its `run` then ends. Does nothing if none runs."""
        ...


class Decision(StrEnum):
    """The answer to a block that waits."""

    RUN = "run"
    SKIP = "skip"
    STOP = "stop"
    ALWAYS = "always"
    GONE = "gone"
    """There is nobody to ask. Clients cannot send this."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a block that waits, with the person's own code if it was edited."""

    decision: Decision
    code: str | None = None
    """Runs in place of the model's code; None to run the model's."""


class Ticket(Protocol):
    """A block that waits for its answer."""

    @property
    def id(self) -> str:
        """The id that the answer has to name."""
        ...

    def answer(self) -> Awaitable[Answer]:
        """Wait for the answer."""
        ...


class Question(Protocol):
    """A question that waits for its answer."""

    @property
    def id(self) -> str:
        """The id that the answer has to name."""
        ...

    def answer(self) -> Awaitable[bool]:
        """Wait for the answer. True for yes."""
        ...


class Approval(Protocol):
    """Asks the person. No answer is a no: if nobody can be asked, the answer is GONE."""

    def open(self) -> Ticket | None:
        """A ticket for one block; None if it may run without being asked about."""
        ...

    def ask(self) -> Question:
        """A ticket for a question that is answered by a line of text."""
        ...


class Spending(Protocol):
    """Counts what the turn costs, and decides whether a request may be sent."""

    def add(self, usage: Usage) -> None:
        """Count a request."""
        ...

    def left(self) -> float | None:
        """US dollars that may still be spent; None if there is no limit now."""
        ...

    def verdict(self, quote: Quote | None = None) -> Verdict:
        """Whether the next request may be sent. The quote says what it costs, if that is known."""
        ...

    def accept(self, model: str) -> None:
        """The person agrees to use this model although its price is not known."""
        ...
