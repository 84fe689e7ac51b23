"""The one queue of all that goes to the client: never blocks, bounded, joins text meanwhile."""

import asyncio
import os
import select
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from oi_daemon.protocol.chunks import JOINED
from oi_daemon.protocol.framing import Framing, encode
from oi_daemon.protocol.methods import CHUNK, ChunkParams

HIGH_WATER = 1024 * 1024
"""Bytes in the queue above which those who fill it are asked to wait."""

JOIN_LIMIT = 64 * 1024
"""Characters to which the text of neighbouring chunks is joined."""

_BATCH = 64 * 1024
_WRITES_AT_ONCE = 256


class Outbox:
    """Frames in their order, written as fast as the client reads.

    The descriptor stays in blocking mode, which it may share with other programs: it is written
    to only when it is ready, and then no more than fits for certain.
    """

    def __init__(self, fd: int, on_broken: Callable[[], None]) -> None:
        self.framing = Framing.LINES
        self.pending_requests = 0
        """Accepted and not answered; counted by the server."""
        self._fd = fd
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._frames: deque[bytes] = deque()
        self._batch = memoryview(b"")
        self._joined: _Joined | None = None
        """The last chunk in the queue, open for more text."""
        self._bytes = 0
        self._scheduled = self._blocked = self._broken = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def pending_bytes(self) -> int:
        return self._bytes + (self._joined.size if self._joined else 0)

    def send(self, message: Any) -> None:
        """Queue a message."""
        self._seal()
        self._append(encode(message, self.framing))

    def chunk(self, params: ChunkParams) -> None:
        """Queue a notification; while the client is slow its text joins the one before it."""
        if self._joined and self._joined.take(params):
            return
        self._seal()
        if self._blocked and (joined := _Joined.of(params)):
            self._joined = joined
        else:
            self._append(encode(_notification(params), self.framing))

    async def drain(self) -> None:
        """Wait while too much is queued."""
        if self._broken:
            await asyncio.sleep(0)  # let those in who will stop whoever still produces
        elif self.pending_bytes > HIGH_WATER:
            await self.below(HIGH_WATER // 2)

    async def below(self, limit: int) -> None:
        """Wait until at most so many bytes are queued, or nobody reads them any more."""
        if self.pending_bytes > limit and not self._broken:
            waiter = self._loop.create_future()
            self._waiting.append((limit, waiter))
            await waiter

    def _append(self, frame: bytes) -> None:
        if self._broken:
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self._schedule()

    def _seal(self) -> None:
        if self._joined:
            joined, self._joined = self._joined, None
            self._append(encode(_notification(joined.params()), self.framing))

    def _flush(self) -> None:
        self._scheduled = False
        writable = True
        try:
            for _ in range(_WRITES_AT_ONCE):
                if not self._fill() or not (writable := self._is_writable()):
                    break
                written = os.write(self._fd, self._batch[: select.PIPE_BUF])
                self._batch = self._batch[written:]
                self._bytes -= written
        except BlockingIOError:
            writable = False
        except OSError:
            self._break()
        self._set_blocked(not writable and not self._broken)
        self._schedule()
        self._wake()

    def _schedule(self) -> None:
        if self._bytes and not self._scheduled and not self._blocked:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _fill(self) -> bool:
        """Make the next batch of the frames when the last is written; false if there is none."""
        if not self._batch:
            if not self._frames:
                self._seal()
            batch: list[bytes] = []
            size = 0
            while self._frames and size < _BATCH:
                batch.append(self._frames.popleft())
                size += len(batch[-1])
            self._batch = memoryview(b"".join(batch))
        return bool(self._batch)

    def _is_writable(self) -> bool:
        events = self._poll.poll(0)
        if events and not events[0][1] & select.POLLOUT:
            self._break()
        return bool(events) and not self._broken

    def _set_blocked(self, blocked: bool) -> None:
        if blocked and not self._blocked:
            self._loop.add_writer(self._fd, self._flush)
        elif self._blocked and not blocked:
            self._loop.remove_writer(self._fd)
        self._blocked = blocked

    def _wake(self) -> None:
        still = []
        for limit, waiter in self._waiting:
            if self.pending_bytes > limit:
                still.append((limit, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._waiting = still

    def _break(self) -> None:
        """Nobody reads any more: drop everything, and let nobody wait."""
        self._broken = True
        self._frames.clear()
        self._batch = memoryview(b"")
        self._joined = None
        self._bytes = 0
        self._on_broken()


class _Joined:
    """Neighbouring text of one kind, turn and conversation, becoming one chunk."""

    def __init__(self, params: ChunkParams, kind: str, text: str) -> None:
        self._first = params
        self._kind = kind
        self._texts = [text]
        self._last_seq = params.seq
        self.size = len(text)

    @classmethod
    def of(cls, params: ChunkParams) -> "_Joined | None":
        """None for a chunk that is never joined."""
        [(kind, value)] = params.chunk.items()
        return cls(params, kind, value) if kind in JOINED else None

    def take(self, params: ChunkParams) -> bool:
        """Add a chunk's text; false if it is another kind of chunk, or there is enough."""
        text = params.chunk.get(self._kind)
        if (
            text is None
            or params.conversation != self._first.conversation
            or params.turn != self._first.turn
            or self.size + len(text) > JOIN_LIMIT
        ):
            return False
        self._texts.append(text)
        self._last_seq = params.seq
        self.size += len(text)
        return True

    def params(self) -> ChunkParams:
        if len(self._texts) == 1:
            return self._first
        return msgspec.structs.replace(
            self._first,
            seq=self._last_seq,
            first_seq=self._first.seq,
            chunk={self._kind: "".join(self._texts)},
        )


def _notification(params: ChunkParams) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": CHUNK, "params": params}
