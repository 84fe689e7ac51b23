"""Reads an asynchronous stream ahead of its consumer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Self

from oi_daemon.model.limits import MAX_BUFFERED_BYTES

PIECE_OVERHEAD = 64
"""Bytes of memory that a piece takes besides its content."""


class BufferedStream:
    """Reads a source in a task of its own and keeps the pieces until they are taken.

    So a server can finish its answer while a person decides about a block of code. Where much is
    kept already, the source has to wait. Leaving the context closes the source at once.
    """

    def __init__(
        self, source: AsyncGenerator[bytes, None], max_bytes: int = MAX_BUFFERED_BYTES
    ) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        """Pieces that were read and not taken yet; None is the end."""
        self._bytes = 0
        """Bytes of memory that the pieces in the queue take."""
        self._has_room = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece; raise the source's error once all pieces before it are taken."""
        piece = await self._queue.get()
        if piece is None:
            await self._task
            raise StopAsyncIteration
        self._bytes -= len(piece) + PIECE_OVERHEAD
        self._has_room.set()
        return piece

    async def _read(self) -> None:
        """Put all pieces of the source into the queue, and then the end."""
        try:
            async with aclosing(self._source):
                async for piece in self._source:
                    self._queue.put_nowait(piece)
                    self._bytes += len(piece) + PIECE_OVERHEAD
                    while self._bytes > self._max_bytes:
                        self._has_room.clear()
                        await self._has_room.wait()
        finally:
            self._queue.put_nowait(None)
