"""The transport of all requests to model servers: bounded in time and size, without redirects.

It works below the openai library, because that reads bodies whole, decompresses them without a
bound, waits for headers without one, and follows redirects to any host.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from urllib.parse import urljoin, urlsplit

import httpcore2
import httpx2

from oi_daemon.model.limits import (
    LONGEST_BUSY,
    MAX_ANSWER_BYTES,
    MAX_ANSWER_SECONDS,
    MAX_BODY_BYTES,
    MAX_ERROR_BYTES,
    MAX_ERROR_SECONDS,
    MAX_READ_BYTES,
    RedirectRefusedError,
    ServerLimitError,
    in_words,
)

PIECE = 64 * 1024
"""Bytes that are decompressed at once, so that the loop is never held up for long."""


setattr(httpcore2.AsyncHTTP11Connection, "READ_NUM_BYTES", MAX_READ_BYTES)  # noqa: B010 - a Final


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Passes requests on to another transport and bounds what comes back."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and return its answer, whose body is bounded as it is read.

        Raises:
            httpx2.ReadTimeout: the answer's head did not arrive within the read timeout.
            RedirectRefusedError: the server redirects to another server.
        """
        timeout = request.extensions.get("timeout", {}).get("read")
        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                response = await self._transport.handle_async_request(request)
        except TimeoutError:
            raise httpx2.ReadTimeout("the answer's head took too long", request=request) from None
        try:
            _refuse_other_servers(request, response)
            is_long = request.method == "POST" or request.url.params.get("stream") == "true"
            body = _BoundedBody(response, started, is_long=is_long)
        except BaseException:
            await response.aclose()
            raise
        return httpx2.Response(
            response.status_code,
            headers=[
                (name, value)
                for name, value in response.headers.raw
                if name.lower() not in (b"content-encoding", b"content-length")
            ],
            stream=body,
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _BoundedBody(httpx2.AsyncByteStream):
    """The body of an answer, decompressed and limited in size and time.

    An error's body is cut at a limit. Any other body that exceeds one raises `ServerLimitError`.
    """

    def __init__(self, response: httpx2.Response, started: float, *, is_long: bool) -> None:
        """
        Args:
            started: `time.monotonic()` when the request was sent.
            is_long: whether the body is the answer of a model, which may be long.

        Raises:
            ServerLimitError: the body is compressed in a way that was not asked for.
        """
        self._response = response
        self._is_error = response.status_code >= 300
        if self._is_error:
            self._max_bytes, seconds = MAX_ERROR_BYTES, MAX_ERROR_SECONDS
            started = time.monotonic()
        else:
            self._max_bytes = MAX_ANSWER_BYTES if is_long else MAX_BODY_BYTES
            seconds = MAX_ANSWER_SECONDS
        self._deadline = started + seconds
        self._seconds = seconds
        self._decompress = _decompressor(response.headers.get("content-encoding", ""))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async with aclosing(self._pieces()) as pieces:
            while (piece := await self._next(pieces)) is not None:
                size += len(piece)
                if size > self._max_bytes:
                    if self._is_error:
                        return
                    raise ServerLimitError(f"it is larger than {in_words(self._max_bytes)}")
                yield piece

    async def aclose(self) -> None:
        """Close the connection."""
        await self._response.aclose()

    async def _next(self, pieces: AsyncGenerator[bytes, None]) -> bytes | None:
        """Return the next piece; None at the end, or once an error has taken too long.

        Raises:
            ServerLimitError: an answer has taken too long. While nothing comes, the read timeout
                holds, because a timeout of its own would cost more than to read the piece.
        """
        if self._is_error:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._deadline - time.monotonic()):
                    return await anext(pieces, None)
            return None
        piece = await anext(pieces, None)
        if time.monotonic() > self._deadline:
            raise ServerLimitError(f"it did not end within {self._seconds / 60:g} minutes")
        return piece

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body, decompressed, in pieces of a bounded size."""
        assert isinstance(self._response.stream, httpx2.AsyncByteStream)
        paused = time.monotonic()
        async for data in self._response.stream:
            for number, piece in enumerate(self._decompress(data)):
                if number or time.monotonic() - paused > LONGEST_BUSY:
                    await asyncio.sleep(0)
                    paused = time.monotonic()
                yield piece


def _refuse_other_servers(request: httpx2.Request, response: httpx2.Response) -> None:
    """Refuse a redirect to another server.

    Raises:
        RedirectRefusedError: the answer is a redirect to another scheme, host or port.
    """
    location = response.headers.get("location")
    if not 300 <= response.status_code < 400 or location is None:
        return
    target = urljoin(str(request.url), location)
    if _origin(target) != _origin(str(request.url)):
        scheme, host, port = _origin(target)
        raise RedirectRefusedError(f"{scheme}://{host}:{port}")


def _origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, parts.hostname or "", port or {"http": 80, "https": 443}.get(parts.scheme)


def _decompressor(encoding: str) -> Callable[[bytes], Iterator[bytes]]:
    """Return a function that decompresses the next bytes of a body into pieces.

    Raises:
        ServerLimitError: the encoding was not asked for and is not known.
    """
    if encoding.strip().lower() in ("", "identity"):
        return _unchanged
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        raise ServerLimitError("it is compressed in a way that was not asked for")
    state = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, by its header

    def decompress(data: bytes) -> Iterator[bytes]:
        while data:
            try:
                piece = state.decompress(data, PIECE)
            except zlib.error:
                raise ServerLimitError("its compression is damaged") from None
            if piece:
                yield piece
            data = state.unconsumed_tail

    return decompress


def _unchanged(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
