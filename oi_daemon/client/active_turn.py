"""A turn under way, as its client sees it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from oi_daemon.client.waiting import WaitingTurn
from oi_daemon.messages import dump, fold
from oi_daemon.protocol.chunks import from_wire
from oi_daemon.protocol.methods import (
    EXECUTE,
    HISTORY_COMPACT,
    STREAM,
    ChatParams,
    ChunkParams,
    ConversationParams,
    ExecuteParams,
    TurnResult,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from oi_daemon.client.remote import RemoteConversation
    from oi_daemon.messages.shapes import (
        ChunkDict,
        LastTurnDict,
        MessageDict,
        ResultDict,
        UsageDict,
    )


class SeenChunk(NamedTuple):
    """A chunk that has come, with the result of the block that it ends."""

    chunk: "Mapping[str, Any]"
    result: "Mapping[str, Any] | None"


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """What is known of a turn that has ended."""

    messages: "list[MessageDict]"
    """The messages that the turn has added."""
    summary: "LastTurnDict"
    usage: "UsageDict"
    """What the session has used so far."""
    is_kept: bool
    """Whether the messages are part of the conversation."""


class ActiveTurn(WaitingTurn):
    """A request that runs a turn: its chunks so far, and what it waits for."""

    def __init__(
        self,
        remote: "RemoteConversation",
        method: str,
        params: ChatParams | ExecuteParams | ConversationParams,
        asked: "list[MessageDict]",
    ) -> None:
        """Prepare the request; `send` sends it.

        Args:
            asked: the messages that the request itself adds to the conversation.
        """
        super().__init__(remote)
        self._method = method
        self._params = params
        self._id = remote.connection.new_id()
        """The request's id."""
        self.asked = asked
        """The messages that the request itself adds to the conversation."""
        self._notifications: list[ChunkParams] = []
        """The notifications of the chunks that have come so far."""
        self.latest_result: ResultDict | None = None
        """How the turn's latest block ended; None if none has ended yet."""
        self._is_sent = False
        self._is_stopped = False
        self._interrupts = [remote.post_interrupt]
        """What tells the daemon to stop the turn; whoever takes it from the list calls it."""

    @classmethod
    def chat(
        cls,
        remote: "RemoteConversation",
        message: str,
        displays: "Sequence[dict[str, Any]]" = (),
    ) -> "ActiveTurn":
        """A turn that asks the model. Every block waits, because the client applies `auto_run`.

        Args:
            displays: pictures that go with the message, as MIME bundles.
        """
        params = ChatParams(
            conversation=remote.id,
            message=message,
            settings={"auto_run": False},
            displays=[*displays],
        )
        asked: MessageDict = {"role": "user", "message": message}
        if displays:
            asked["displays"] = [*displays]
        return cls(remote, STREAM.name, params, [asked])

    @classmethod
    def execute(
        cls, remote: "RemoteConversation", language: str, code: str, *, aside: bool = False
    ) -> "ActiveTurn":
        """A turn that runs code of the user's own.

        Args:
            aside: nothing of it is kept in the conversation.
        """
        params = ExecuteParams(conversation=remote.id, language=language, code=code, aside=aside)
        return cls(remote, EXECUTE.name, params, [])

    @classmethod
    def compact(cls, remote: "RemoteConversation") -> "ActiveTurn":
        """A turn in which the model summarises the oldest part of the conversation."""
        return cls(remote, HISTORY_COMPACT.name, ConversationParams(conversation=remote.id), [])

    def send(self) -> None:
        """Send the request: the turn begins."""
        self.remote.connection.send(self._id, self._method, self._params)
        self._is_sent = True
        if self._is_stopped:
            self._post_interrupt()

    def interrupt(self) -> None:
        """Stop the turn, from any thread and at any time; it still gives its outcome."""
        self._is_stopped = True
        if self._is_sent:
            self._post_interrupt()

    def _post_interrupt(self) -> None:
        """Tell the daemon to stop the turn, once."""
        with suppress(IndexError):
            self._interrupts.pop()()

    def next_chunk(self) -> "ChunkDict | None":
        """Wait for the next chunk; None once the turn has ended."""
        while (notification := self.remote.connection.next_chunk(self._id)) is not None:
            if "event" not in notification.chunk:  # that is for those who have attached
                break
        else:
            return None
        self._approval, self._input = notification.approval, notification.input
        self._notifications.append(notification)
        if notification.result is not None:
            self.latest_result = cast("ResultDict", notification.result)
        return cast("ChunkDict", notification.chunk)

    def outcome(self) -> TurnOutcome:
        """Wait for the end of the turn; returns how it went.

        Raises:
            OIError: the turn failed, or the daemon is gone.
        """
        result = self.remote.connection.result(self._id, TurnResult)
        summary: LastTurnDict = {
            "status": result.status,
            "usage": msgspec.to_builtins(result.usage),
        }
        if thinking := _thinking(each.chunk for each in self._notifications):
            summary["thinking"] = thinking
        return TurnOutcome(
            messages=cast("list[MessageDict]", result.messages),
            summary=summary,
            usage=msgspec.to_builtins(result.session),
            is_kept=not (isinstance(self._params, ExecuteParams) and self._params.aside),
        )

    def abort(self) -> TurnOutcome | None:
        """Stop the turn; returns how it went, or None if it had ended before.

        Raises:
            OIError: the daemon is gone.
        """
        self._approval = self._input = None
        return self.outcome() if self.remote.interrupt() else None

    @property
    def messages(self) -> "list[MessageDict]":
        """The messages that the turn has added so far."""
        return [*self.asked, *folded(self.seen)]

    @property
    def seen(self) -> "list[SeenChunk]":
        """All chunks that have come so far."""
        return [SeenChunk(each.chunk, cast("Any", each.result)) for each in self._notifications]


def folded(notifications: "Iterable[SeenChunk]") -> "list[MessageDict]":
    """The stored messages that these chunks amount to."""
    chunks = (from_wire(each.chunk, each.result) for each in notifications)
    return [cast("MessageDict", dump(message)) for message in fold(chunks)]


def _thinking(chunks: "Iterable[Mapping[str, Any]]") -> str:
    """The thinking in these chunks as one text, with a blank line in place of other chunks."""
    stretches: list[list[str]] = [[]]
    for chunk in chunks:
        if "thinking" in chunk:
            stretches[-1].append(chunk["thinking"])
        elif stretches[-1] and "notice" not in chunk:
            stretches.append([])
    return "\n\n".join("".join(stretch).strip() for stretch in stretches if stretch)
