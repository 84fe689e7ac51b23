"""How a turn ended, what a conversation is at one moment, and the model of a turn without one."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from oi_daemon.conversation.collaborators import Reply
from oi_daemon.conversation.turn import Status
from oi_daemon.messages import Chunk, Executing, InputRequest, Message
from oi_daemon.messages.usage import Usage


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended."""

    status: Status
    messages: Sequence[Message]
    """The messages that the turn added, the person's own included."""
    usage: Usage


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """A turn under way, as far as its chunks were emitted."""

    messages: Sequence[Message]
    """What it has added so far, without the person's words."""
    finished: int
    """How many of the messages can change no more."""
    unfinished: Sequence[Chunk]
    """See `Fold.unfinished`."""
    waiting: Executing | InputRequest | None
    """What waits for a person."""
    active_line: int | None
    """The line that is being run, counted from 1."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A conversation at one moment, exactly between two of its chunks."""

    messages: Sequence[Message]
    """All messages but those that the turn under way has added."""
    turn: OpenTurn | None
    """The turn under way, once it has begun to answer; None between turns."""


class NoModel:
    """The model of a turn that runs the person's own code: it is never asked."""

    async def reply(
        self, messages: Sequence[Message], dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[Reply, None]:
        return
        yield

    compact = reply

    def unfinished(self) -> Usage | None:
        return None
