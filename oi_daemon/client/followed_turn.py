"""A turn that another client has begun, as a client sees it that attaches in its middle."""

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from oi_daemon.client.waiting import WaitingTurn
from oi_daemon.errors import ConnectionLostError
from oi_daemon.messages import ConversationState, dump, fold
from oi_daemon.protocol.chunks import from_wire
from oi_daemon.protocol.methods import Attached, ChunkParams, TurnSoFar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oi_daemon.client.remote import RemoteConversation
    from oi_daemon.messages.shapes import ChunkDict, MessageDict, ResultDict


class FollowedTurn(WaitingTurn):
    """The turn under way in a conversation: what has come of it, what comes, what it waits for."""

    def __init__(self, remote: "RemoteConversation", attached: Attached) -> None:
        """
        Args:
            attached: the conversation as it is. All chunks that follow must come.
        """
        super().__init__(remote)
        self.before = cast("list[MessageDict]", attached.messages)
        """The messages from before what the turn has added."""
        self.is_under_way = attached.state is not ConversationState.IDLE
        """Whether there is such a turn."""
        self.status: str | None = None
        """How the turn ended; None if it has not, or had before."""
        self.failure: str | None = None
        """Why the turn failed, for a person; None if it did not."""
        self.latest_result: ResultDict | None = None
        """How the latest block ended that ended since; None if none did."""
        turn = attached.turn or TurnSoFar(messages=[], finished=0, unfinished=[])
        self._finished = cast("list[MessageDict]", turn.messages[: turn.finished])
        self._folded = [from_wire(chunk) for chunk in turn.unfinished]
        """Chunks that fold to what follows on the finished messages."""
        self._early = deque(_early_chunks(turn, attached.state))
        """The chunks that have come before, as far as nobody has taken them."""
        self._last_seq = attached.last_seq
        self._approval = turn.approval.id if turn.approval else None
        self._input = turn.input.id if turn.input else None

    @property
    def settled(self) -> "list[MessageDict]":
        """The messages that can change no more. The chunks tell what follows on them."""
        return [*self.before, *self._finished]

    @property
    def messages(self) -> "list[MessageDict]":
        """The messages that the turn has added so far."""
        return [*self._finished, *(cast("MessageDict", dump(it)) for it in fold(self._folded))]

    def skip_early(self) -> None:
        """Give no chunk of what has come before: it is known."""
        self._early.clear()

    def next_chunk(self) -> "ChunkDict | None":
        """Wait for the next chunk; None once the turn has ended.

        Raises:
            ConnectionLostError: the daemon is gone.
        """
        if self._early:
            return self._early.popleft()
        while self.is_under_way:
            notification = self.remote.connection.next_chunk()
            assert notification is not None
            if notification.seq <= self._last_seq:
                continue
            if "event" in notification.chunk:
                self._take_event(notification.chunk["event"])
            else:
                return self._taken(notification)
        return None

    def _taken(self, notification: ChunkParams) -> "ChunkDict":
        self._approval, self._input = notification.approval, notification.input
        self._folded.append(from_wire(notification.chunk, notification.result))
        if notification.result is not None:
            self.latest_result = cast("ResultDict", notification.result)
        return cast("ChunkDict", notification.chunk)

    def _take_event(self, event: dict[str, str]) -> None:
        match event:
            case {"kind": "ended"}:
                self.is_under_way = False
                self.status = event.get("status")
                self.failure = event.get("message")
            case {"kind": "answered"}:
                self._approval = self._input = None

    @property
    def awaits_approval(self) -> bool:
        """Whether the latest chunk is a block that waits to be approved."""
        return super().awaits_approval and not self._early

    def interrupt(self) -> None:
        """Stop the turn, from any thread and at any time."""
        self.remote.post_interrupt()

    def wait(self) -> None:
        """Wait for the end of the turn, or of the daemon."""
        with suppress(ConnectionLostError):
            while self.next_chunk() is not None:
                pass


def _early_chunks(turn: TurnSoFar, state: ConversationState) -> "Iterator[ChunkDict]":
    """The chunks of what has not finished, with those that only say that a block runs or waits."""
    chunks = cast("list[ChunkDict]", turn.unfinished)
    runs = state in (ConversationState.RUNNING, ConversationState.INPUT)
    match chunks:
        case [{"language": language}, {"code": code}, *written] if runs or written:
            yield from chunks[:2]
            if runs:
                yield {"executing": {"code": code, "language": language}}
            yield {"active_line": None}
            yield from written
            if not runs:
                yield {"end_of_execution": True}
        case _:
            yield from chunks
    if turn.approval:
        yield {"executing": {"code": turn.approval.code, "language": turn.approval.language}}
    if turn.input:
        yield {"input": {"prompt": turn.input.prompt, "password": turn.input.password}}
