"""Reads an asynchronous stream ahead of its consumer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class BufferedStream(Generic[Item]):
    """Reads a source in a task of its own and keeps the items until they are taken.

    So a server can finish its answer while a person decides about a block of code. Leaving the
    context closes the source at once.
    """

    def __init__(self, source: AsyncGenerator[Item, None]) -> None:
        self._source = source
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()
        """Items that were read and not taken yet; None is the end."""

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

    async def __anext__(self) -> Item:
        """Return the next item; raise the source's error once all items before it are taken."""
        item = await self._queue.get()
        if item is None:
            await self._task
            raise StopAsyncIteration
        return item

    async def _read(self) -> None:
        """Put all items of the source into the queue, and then the end."""
        try:
            async with aclosing(self._source):
                async for item in self._source:
                    self._queue.put_nowait(item)
        finally:
            self._queue.put_nowait(None)
