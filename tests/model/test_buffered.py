"""The buffer between a stream and its consumer."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from oi_daemon.model.buffered import BufferedStream


async def test_it_gives_what_the_source_gave_and_then_its_error() -> None:
    async def source() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise ValueError("broken")

    async with BufferedStream(source()) as items:
        assert [await anext(items), await anext(items)] == [1, 2]
        with pytest.raises(ValueError, match="broken"):
            await anext(items)


async def test_leaving_it_closes_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with BufferedStream(source()) as items:
        assert await anext(items) == 1
    assert closed.is_set()
