"""A response that goes on at the server in the background, whatever happens to its connection.

OpenAI's pro models think for many minutes. If the connection is lost meanwhile, the stream goes
on after the last event that was read. If the stream is closed early, the response is stopped. The
server has to store such a response, so it is deleted in the end.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from oi_daemon.model.connections import Connections
from oi_daemon.model.dialects.response_reply import ENDS
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.events import BrokenOffError

logger = logging.getLogger(__package__)

RESUME_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds to wait before each attempt to go on after a lost connection, until an event comes."""


class _EventHeader(msgspec.Struct):
    """What must be known of an event to go on after it."""

    type: str = ""
    sequence_number: int | None = None
    response: msgspec.Raw = msgspec.Raw()


class _ResponseId(msgspec.Struct):
    id: str | None = None


class _ReadResponse:
    """How far a response has been read."""

    def __init__(self) -> None:
        self.id: str | None = None
        """The id of the response; None until the server has told it."""
        self.number = -1
        """Number of the latest event."""
        self.ended = False
        """Whether the latest event was the last one."""
        self._line = bytearray()
        """The line that has not ended yet."""

    def lines(self, data: bytes) -> Iterator[bytes]:
        """Yield the whole lines that these bytes complete, without events that were read before."""
        self._line += data
        *lines, rest = bytes(self._line).split(b"\n")
        self._line = bytearray(rest)
        for line in lines:
            if self._is_new(line):
                yield line + b"\n"

    def forget_line(self) -> None:
        """Forget the line that the lost connection has cut."""
        self._line.clear()

    def _is_new(self, line: bytes) -> bool:
        if not line.startswith(b"data:"):
            return True
        try:
            event = msgspec.json.decode(line[5:], type=_EventHeader)
            if self.id is None and len(event.response):
                self.id = msgspec.json.decode(event.response, type=_ResponseId).id
        except msgspec.DecodeError:
            return True  # the reader says what is wrong with it
        if event.sequence_number is not None:
            if event.sequence_number <= self.number:
                return False
            self.number = event.sequence_number
        self.ended |= event.type.removeprefix("response.") in (*ENDS, "error")
        return True


async def stream_in_background(
    connections: Connections,
    endpoint: Endpoint,
    payload: dict[str, Any],
    read_timeout: float,
    delays: Sequence[float] = RESUME_DELAYS,
) -> AsyncGenerator[bytes, None]:
    """Send a request with `background` and yield its answer's bytes, over all connections it takes.

    Args:
        read_timeout: see `Connections.stream`.
        delays: seconds to wait before each attempt to go on.
    """
    read = _ReadResponse()
    waiting = list(delays)
    source = connections.stream(endpoint, "/responses", payload, read_timeout)
    try:
        while True:
            before = read.number
            lost = None
            try:
                async with aclosing(source):
                    async for data in source:
                        for line in read.lines(data):
                            yield line
            except Exception as error:
                lost = error
            if read.number > before:
                waiting = list(delays)
            if read.ended:
                return
            _check(lost, read, waiting)
            logger.debug("%s goes on after event %d", read.id, read.number)
            read.forget_line()
            await asyncio.sleep(waiting.pop(0))
            assert read.id is not None
            source = connections.resume(endpoint, read.id, read.number, read_timeout)
    finally:
        if read.id is not None:
            connections.discard(endpoint, read.id, ended=read.ended)


def _check(lost: Exception | None, read: _ReadResponse, waiting: Sequence[float]) -> None:
    """Raise an error unless the response can go on after its connection has ended.

    Args:
        lost: why the connection ended; None if the server closed it in order.
        waiting: seconds before each attempt that is left.

    Raises:
        Exception: the connection cannot be made again: why it was lost.
    """
    import httpx2
    import openai

    if read.id is None:
        raise lost or BrokenOffError("the server ended it in the middle")
    if isinstance(lost, openai.APIStatusError) and lost.status_code < 500:
        raise BrokenOffError("the connection was lost, and the response is gone") from lost
    is_lost = lost is None or isinstance(lost, httpx2.HTTPError | openai.APIError)
    if not is_lost or not waiting:
        raise lost or BrokenOffError("the server ended it in the middle")
