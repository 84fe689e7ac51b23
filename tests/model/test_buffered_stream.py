"""The buffer between a stream and its consumer."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from oi_daemon.model.buffered_stream import BufferedStream


async def test_it_gives_what_the_source_gave_and_then_its_error() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        yield b"1"
        yield b"2"
        raise ValueError("broken")

    async with BufferedStream(source()) as items:
        assert await anext(items) == b"12"
        with pytest.raises(ValueError, match="broken"):
            await anext(items)


async def test_leaving_it_closes_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"1"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with BufferedStream(source()) as items:
        assert await anext(items) == b"1"
    assert closed.is_set()


async def test_the_source_waits_where_much_is_kept() -> None:
    read = 0

    async def source() -> AsyncGenerator[bytes, None]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield bytes(1000)

    async with BufferedStream(source(), max_bytes=10_000) as pieces:
        await asyncio.sleep(0.01)
        assert read == 10
        assert sum([len(piece) async for piece in pieces]) == 100_000


async def test_small_pieces_are_joined_up_to_a_limit() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        for _ in range(100):
            yield bytes(1000)

    async with BufferedStream(source()) as pieces:
        sizes = [len(piece) async for piece in pieces]
    assert max(sizes) == 9000
    assert sum(sizes) == 100_000
