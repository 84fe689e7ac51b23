"""Reads an asynchronous stream ahead of its consumer."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Self

from oi_daemon.model.limits import MAX_BUFFERED_BYTES

PIECE_OVERHEAD = 64
"""Bytes of memory that a piece takes besides its content."""
JOINED_BYTES = 8 * 1024
"""Bytes from which on no more pieces are joined, because the loop gets no turn within them."""


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
        self._pieces: deque[bytes] = deque()
        """Pieces that were read and not taken yet."""
        self._bytes = 0
        """Bytes of memory that these pieces take."""
        self._has_ended = False
        """Whether no more pieces come."""
        self._has_news = asyncio.Event()
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
        """Return the next pieces, joined up to a limit.

        The source's error is raised once all pieces before it are taken.
        """
        while not self._pieces:
            if self._has_ended:
                await self._task
                raise StopAsyncIteration
            self._has_news.clear()
            await self._has_news.wait()
        taken: list[bytes] = []
        size = 0
        while self._pieces and size < JOINED_BYTES:
            taken.append(self._pieces.popleft())
            size += len(taken[-1])
        self._bytes -= size + PIECE_OVERHEAD * len(taken)
        self._has_room.set()
        return b"".join(taken)

    async def _read(self) -> None:
        """Keep all pieces of the source, and note its end."""
        try:
            async with aclosing(self._source):
                async for piece in self._source:
                    self._pieces.append(piece)
                    self._has_news.set()
                    self._bytes += len(piece) + PIECE_OVERHEAD
                    while self._bytes > self._max_bytes:
                        self._has_room.clear()
                        await self._has_room.wait()
        finally:
            self._has_ended = True
            self._has_news.set()
