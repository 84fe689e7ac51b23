"""The queue of everything that is sent to the client. It is bounded and never blocks the loop."""

import asyncio
import fcntl
import os
import select
import termios
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from oi_daemon.protocol.chunks import JOINED
from oi_daemon.protocol.framing import Framing, encode
from oi_daemon.protocol.jsonrpc import notification
from oi_daemon.protocol.methods import CHUNK, ChunkParams

HIGH_WATER = 1024 * 1024
"""Number of queued bytes above which `drain` makes its callers wait."""

JOIN_LIMIT = 64 * 1024
"""Largest number of characters that neighbouring chunks are joined to."""

_BATCH = 64 * 1024
"""Number of bytes of frames that are joined before they are written."""
_WRITES_AT_ONCE = 256
"""Number of writes before other work gets its turn."""
_CHUNKS_APART = 0.001
"""Seconds between two writes of nothing but chunks, while these come faster."""


class Outbox:
    """Writes frames in their order, as fast as the client reads.

    The descriptor stays in blocking mode, because other programs may share it. So it is written to
    only when it is ready, and then no more than is sure to fit. Fewer and larger writes wake the
    client less often: where chunks come fast, those of a millisecond are written together. Answers
    are written at once, with what is queued before them.
    """

    def __init__(self, fd: int, on_broken: Callable[[], None]) -> None:
        self.framing = Framing.LINES
        self.pending_requests = 0
        """Number of requests that were accepted and not answered. The session counts them."""
        self._fd = fd
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._frames: deque[bytes] = deque()
        self._batch = memoryview(b"")
        self._joined: _Joined | None = None
        """The last chunk of the queue while more text may be joined to it."""
        self._bytes = 0
        self._blocked = self._broken = False
        self._scheduled: asyncio.Handle | None = None
        """The next write; None if none is scheduled."""
        self._written_at = 0.0
        """When the last write ended, by the loop's clock."""
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def pending_bytes(self) -> int:
        """Number of bytes that the client has not read yet, about."""
        return self._bytes + (self._joined.size if self._joined else 0)

    def send(self, message: Any) -> None:
        """Queue a message."""
        self._seal()
        self._append(encode(message, self.framing))
        self._schedule()

    def notification(self, method: str, params: Any) -> None:
        """Queue a notification that is no chunk."""
        self.send(notification(method, params))

    def chunk(self, params: ChunkParams) -> None:
        """Queue a chunk's notification. While the client is slow, its text joins the last chunk."""
        if self._joined and self._joined.add(params):
            return
        self._seal()
        if self._blocked and (joined := _Joined.of(params)):
            self._joined = joined
        else:
            self._append(encode(_notification(params), self.framing))
            self._schedule(self._written_at + _CHUNKS_APART)

    async def drain(self) -> None:
        """Wait while too much is queued."""
        if self._broken:
            await asyncio.sleep(0)  # let the tasks run that stop the producer
        elif self.pending_bytes > HIGH_WATER:
            await self.below(HIGH_WATER // 2)

    async def below(self, limit: int) -> None:
        """Wait until at most `limit` bytes are queued, or nobody reads them any more."""
        if self.pending_bytes > limit and not self._broken:
            waiter = self._loop.create_future()
            self._waiting.append((limit, waiter))
            await waiter

    def close(self) -> None:
        """Drop what is queued, and write nothing more: the descriptor may soon be another's."""
        if not self._broken:
            self._break()
        self._set_blocked(False)
        self._wake()

    def _append(self, frame: bytes) -> None:
        if self._broken:
            return
        self._frames.append(frame)
        self._bytes += len(frame)

    def _seal(self) -> None:
        if self._joined:
            joined, self._joined = self._joined, None
            self._append(encode(_notification(joined.params()), self.framing))

    def _flush(self) -> None:
        self._scheduled = None
        writable = True
        try:
            for _ in range(_WRITES_AT_ONCE):
                if not self._fill() or not (writable := self._is_writable()):
                    break
                written = os.write(self._fd, self._batch[: _room(self._fd)])
                self._batch = self._batch[written:]
                self._bytes -= written
        except BlockingIOError:
            writable = False
        except OSError:
            self._break()
        self._written_at = self._loop.time()
        self._set_blocked(not writable and not self._broken)
        self._schedule()
        self._wake()

    def _schedule(self, at: float = 0.0) -> None:
        """Write what is queued at this time of the loop's clock, or as soon as the loop can."""
        if not self._bytes or self._blocked:
            return
        is_due = at <= self._loop.time()
        if isinstance(self._scheduled, asyncio.TimerHandle) and is_due:
            self._scheduled.cancel()
            self._scheduled = None
        if self._scheduled is None:
            later = partial(self._loop.call_at, at)
            self._scheduled = (self._loop.call_soon if is_due else later)(self._flush)

    def _fill(self) -> bool:
        """Prepare the next batch if the last one is written. False if there is nothing to write."""
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
        """Drop everything and end all waiting, because nobody reads any more."""
        self._broken = True
        self._frames.clear()
        self._batch = memoryview(b"")
        self._joined = None
        self._bytes = 0
        self._on_broken()


class _Joined:
    """A chunk that is made of neighbouring ones of the same kind, turn and conversation."""

    def __init__(self, params: ChunkParams, kind: str, text: str) -> None:
        self._first = params
        self._kind = kind
        self._texts = [text]
        self._last_seq = params.seq
        self.size = len(text)

    @classmethod
    def of(cls, params: ChunkParams) -> "_Joined | None":
        """Begins with this chunk; None if it is of a kind that is never joined."""
        [(kind, value)] = params.chunk.items()
        return cls(params, kind, value) if kind in JOINED else None

    def add(self, params: ChunkParams) -> bool:
        """Add a chunk's text. False if it does not belong here, or if there is enough text."""
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
        """The params of the joined notification."""
        if len(self._texts) == 1:
            return self._first
        return msgspec.structs.replace(
            self._first,
            seq=self._last_seq,
            first_seq=self._first.seq,
            chunk={self._kind: "".join(self._texts)},
        )


def _room(fd: int) -> int:
    """Number of bytes that are sure to fit into a writable descriptor: all, if a pipe is empty."""
    get_size = getattr(fcntl, "F_GETPIPE_SZ", None)
    if get_size is None:
        return select.PIPE_BUF
    try:
        size = fcntl.fcntl(fd, get_size)
    except OSError:  # no pipe
        return select.PIPE_BUF
    is_empty = not any(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))
    return max(size, select.PIPE_BUF) if is_empty else select.PIPE_BUF


def _notification(params: ChunkParams) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": CHUNK, "params": params}
