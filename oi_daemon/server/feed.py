"""A conversation's chunks, numbered, on their way to every client that follows it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from oi_daemon.conversation.collaborators import Emit
from oi_daemon.conversation.conversation import Conversation
from oi_daemon.messages import Chunk, EventChunk
from oi_daemon.protocol.methods import ChunkParams, chunk_params
from oi_daemon.server.outbox import HIGH_WATER

ChunkFilter = Callable[[Chunk], bool]
"""Returns whether a chunk is sent to a client."""


def every_chunk(chunk: Chunk) -> bool:
    """Return True: `oi/stream` and `oi/execute` send all chunks."""
    return True


STALLED_AFTER = 5.0
"""Seconds without progress after which a client that reads nothing is waited for no longer."""
MOST_UNREAD = 64 * 1024 * 1024
"""Number of unread bytes from which on a client that makes no progress is cut off."""


class Sink(Protocol):
    """Takes one client's chunks."""

    @property
    def pending_bytes(self) -> int:
        """Number of bytes that the client has not read yet, about."""
        ...

    def chunk(self, params: ChunkParams) -> None:
        """Queue a chunk's notification."""
        ...

    async def drain(self) -> None:
        """Wait while too much is queued."""
        ...


@runtime_checkable
class NotifyingSink(Sink, Protocol):
    """The sink of a client that can be told more than chunks."""

    def notification(self, method: str, params: Any) -> None:
        """Queue a notification that is no chunk."""
        ...


class Receiver:
    """A client, as a feed knows it: its sink, and whether it keeps up."""

    def __init__(
        self, sink: Sink, *, is_alone: bool = True, on_cut: Callable[[], None] = lambda: None
    ) -> None:
        """
        Args:
            is_alone: there is no other client, so a turn waits for this one as long as it takes.
            on_cut: called when the client has left too much unread; it gets no more chunks then.
        """
        self.sink = sink
        self.is_gone = False
        """True once nothing is to be sent to the client any more."""
        self._is_alone = is_alone
        self._on_cut = on_cut
        self._stalled_at: int | None = None
        """Number of unread bytes when the client was given up on; None while it is waited for."""

    def send(self, params: ChunkParams) -> bool:
        """Queue a chunk. False if the client has left so much unread that it is cut off."""
        if self._stalled_at is not None and self.sink.pending_bytes > MOST_UNREAD:
            self._on_cut()
            return False
        self.sink.chunk(params)
        return True

    async def drain(self) -> None:
        """Wait while too much is queued, but for nobody who has stopped reading."""
        if self._is_alone:
            return await self.sink.drain()
        if self.sink.pending_bytes <= HIGH_WATER:
            self._stalled_at = None
            return await self.sink.drain()
        if self._stalled_at is not None:
            if self.sink.pending_bytes >= self._stalled_at:
                self._stalled_at = max(self._stalled_at, self.sink.pending_bytes)
                return
            self._stalled_at = None
        unread = self.sink.pending_bytes
        while True:
            try:
                async with asyncio.timeout(STALLED_AFTER):
                    return await self.sink.drain()
            except TimeoutError:
                if self.sink.pending_bytes >= unread:
                    self._stalled_at = self.sink.pending_bytes
                    return
                unread = self.sink.pending_bytes


_Asking = tuple[Receiver, ChunkFilter]
"""The client that has asked for a turn, and which chunks it gets."""


class Feed:
    """Numbers the chunks of one conversation, and sends each to all clients that follow it."""

    def __init__(self) -> None:
        self.last_seq = 0
        """`seq` of the last chunk that was sent; 0 if there was none."""
        self._attached: list[Receiver] = []
        """The clients that get all chunks, whoever has asked for the turn."""
        self._asking: _Asking | None = None
        """The client that has asked for the turn under way, and which chunks it gets."""

    def attach(self, receiver: Receiver) -> None:
        """Send all chunks to this client from now on."""
        if receiver not in self._attached:
            self._attached.append(receiver)

    def detach(self, receiver: Receiver) -> None:
        """Send to this client only the chunks of the turns that it asks for."""
        if receiver in self._attached:
            self._attached.remove(receiver)

    def leave(self, receiver: Receiver) -> None:
        """Send nothing more to this client, because it is gone."""
        receiver.is_gone = True
        self.detach(receiver)

    def emitter(self, conversation: Conversation, receiver: Receiver, is_sent: ChunkFilter) -> Emit:
        """A function that sends a turn's chunks, and waits while those who read them are slow.

        Args:
            receiver: the client that has asked for the turn.
            is_sent: selects the chunks that this client gets, unless it is attached.
        """

        asking, has_begun = (receiver, is_sent), False

        async def emit(chunk: Chunk) -> None:
            nonlocal has_begun
            if not has_begun:  # later chunks may be those of a block that the turn has left behind
                has_begun, self._asking = True, asking
            for each in self._send(conversation, chunk, asking):
                await each.drain()

        return emit

    def end(self, conversation: Conversation, details: Mapping[str, str]) -> None:
        """Announce the end of a turn."""
        self.announce(conversation, EventChunk("ended", details))
        self._asking = None

    def announce(self, conversation: Conversation, event: EventChunk) -> None:
        """Send an event, if a client is attached that must know it."""
        self._send(conversation, event, self._asking)

    def _send(
        self, conversation: Conversation, chunk: Chunk, asking: _Asking | None
    ) -> list[Receiver]:
        """Send a chunk, and return who gets it. A chunk that nobody gets has no number."""
        receivers = self._receivers(chunk, asking)
        if not receivers:
            return receivers
        self.last_seq += 1
        turn, state = conversation.turns, conversation.state
        params = chunk_params(chunk, conversation.id, turn, self.last_seq, state)
        for receiver in receivers:
            if not receiver.send(params):
                self.leave(receiver)
        return receivers

    def _receivers(self, chunk: Chunk, asking: _Asking | None) -> list[Receiver]:
        if isinstance(chunk, EventChunk) and not self._attached:
            return []
        receivers = [*self._attached]
        if asking:
            receiver, is_sent = asking
            if receiver not in receivers and not receiver.is_gone and is_sent(chunk):
                receivers.append(receiver)
        return receivers
