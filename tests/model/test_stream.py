"""Server-sent events out of bytes, and the pump that drains them."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator

import pytest

from oi_daemon.model.stream import Event, EventReader, GarbageError, Pump, StreamedError


def event(text: str) -> bytes:
    return json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()


def contents(events: list[Event]) -> list[str | None]:
    """What the events say; None for the end."""
    return [
        event.choices[0].delta.content if event.choices and event.choices[0].delta else None
        for event in events
    ]


def read(*pieces: bytes) -> list[str | None]:
    reader = EventReader()
    events = [event for piece in pieces for event in reader.feed(piece)]
    return contents(events + reader.flush())


STREAM = (
    b": comment\n\nevent: x\ndata: " + event("grün") + b"\r\n\r\ndata:" + event("b") + b"\n\n"
    b"data: [DONE]\n\n"
)


def test_right_wherever_the_bytes_are_split() -> None:
    for at in range(len(STREAM) + 1):
        assert read(STREAM[:at], STREAM[at:]) == ["grün", "b", None]
    assert read(*(bytes([byte]) for byte in STREAM)) == ["grün", "b", None]


def test_the_last_event_needs_no_newline() -> None:
    assert read(b"data: " + event("a")) == ["a"]


@pytest.mark.parametrize("nothing", [b"", b"\n\n", b": keep-alive\n\n", b"data:\n\n"])
def test_silence_is_no_garbage(nothing: bytes) -> None:
    assert read(nothing) == []


@pytest.mark.parametrize(
    "garbage", [b"<html>", b'{"a": 1}', b"data: {", b"data: [1]", b"data: \xff"]
)
def test_garbage_is_told_by_how_it_begins(garbage: bytes) -> None:
    with pytest.raises(GarbageError) as caught:
        read(garbage + b"\n")
    assert str(caught.value)


def test_an_error_as_an_event() -> None:
    with pytest.raises(StreamedError) as caught:
        read(b'data: {"error": {"message": "No."}}\n\n')
    assert caught.value.error == {"message": "No."}


def test_one_endless_line_takes_linear_time() -> None:
    started = time.process_time()
    reader = EventReader()
    for _ in range(5_000):
        reader.feed(b"x" * 4096)
    assert time.process_time() - started < 5


async def test_a_pump_gives_what_the_source_gave_and_then_its_error() -> None:
    async def source() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise ValueError("broken")

    async with Pump(source()) as pump:
        assert [await anext(pump), await anext(pump)] == [1, 2]
        with pytest.raises(ValueError, match="broken"):
            await anext(pump)


async def test_leaving_a_pump_closes_its_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with Pump(source()) as pump:
        assert await anext(pump) == 1
    assert closed.is_set()
