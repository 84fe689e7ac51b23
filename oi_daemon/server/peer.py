"""Two-way JSON-RPC: for protocols in which the daemon asks its client too, unlike on its own wire.

An adapter for such a protocol is a `PeerHandler`, and has one `Peer` for each client:

    peer = Peer(handler, outbox, cancel="$/cancel_request")
    await peer.run(read(stdin))              # returns at the end of the input
    await peer.finish()                      # or `peer.close()`: end the requests that are left

Meanwhile, from within the handler's coroutines:

    peer.notify("session/update", {...})     # queued at once, in order
    await peer.drain()                       # wait while the client is slow
    answer = await peer.request("session/request_permission", {...})

Params and results are whatever msgspec can encode. A coroutine that waits for `request` may be
cancelled; then the other side is told, and its answer is dropped. `request` raises
`PeerError` for an error that the other side answers, and `PeerGoneError` when no answer can come
any more, also if it was asked after that.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Coroutine, Iterator, Mapping
from itertools import count
from typing import Any, Protocol

from oi_daemon.errors import OIError, RequestError
from oi_daemon.protocol.framing import MAX_FRAME, Decoder, Frame, Framing
from oi_daemon.protocol.jsonrpc import (
    Call,
    Id,
    PeerAnswer,
    answer,
    answer_of,
    call_of,
    id_of,
    notification,
    request,
)
from oi_daemon.server.failures import for_a_person, refusal

logger = logging.getLogger(__name__)

_MOST_UNREAD = 64 * 1024 * 1024
"""Number of bytes that a client may leave unread before nothing more is read from it."""
_MOST_OPEN = 1000
"""Number of the client's requests that may be open. More are refused."""


class PeerError(OIError):
    """The other side has answered a request of ours by an error."""

    def __init__(self, method: str, error: Any) -> None:
        """
        Args:
            method: what was asked.
            error: the answer's `error`, of any shape.
        """
        given = error if isinstance(error, Mapping) else {}
        message, code = given.get("message"), given.get("code")
        super().__init__(f"{method}: the client refused: {message or error}")
        if isinstance(code, int):
            self.code = code


class PeerGoneError(OIError):
    """The other side cannot answer any more."""

    kind = "connection"


class FrameSink(Protocol):
    """Where a peer's messages go: see `oi_daemon.server.outbox.Outbox`."""

    def send(self, message: Any) -> None: ...
    async def drain(self) -> None: ...
    async def below(self, limit: int) -> None: ...


class PeerHandler(Protocol):
    """What an adapter does with the other side's messages.

    Each runs in a task of its own, which begins before the next message is handled. So calls take
    effect in the order in which they came, and none holds up the others.
    """

    async def request(self, call: Call) -> Any:
        """Return the result. Raise an `OIError` to refuse.

        `RequestError(RequestError.NO_METHOD, ...)` is for an unknown method.
        """

    async def notification(self, call: Call) -> None:
        """Apply the notification. Errors are logged."""


class Peer:
    """One client that speaks a two-way protocol, one JSON object a line."""

    def __init__(
        self,
        handler: PeerHandler,
        sink: FrameSink,
        *,
        cancel: str,
        answers_cancelled: bool = True,
        max_frame: int = MAX_FRAME,
    ) -> None:
        """
        Args:
            cancel: the notification by which either side takes back a request; its params name
                the request as `requestId`.
            answers_cancelled: a request that was taken back is answered by an error, else not.
            max_frame: size in bytes of the largest message that is accepted.
        """
        self._handler = handler
        self._sink = sink
        self._cancel_method = cancel
        self._answers_cancelled = answers_cancelled
        self._decoder = Decoder(max_frame, Framing.LINES)
        self._ids = count(1)
        self._asked: dict[Id, asyncio.Future[PeerAnswer | None]] = {}
        """Our requests that have not been answered. None in place of an answer: none can come."""
        self._open: dict[Id, asyncio.Task[None]] = {}
        """The other side's requests that have not been answered."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_gone = False
        """No more answers can come."""

    async def run(self, data: AsyncIterable[bytes]) -> None:
        """Handle all messages, until the end of the input. Then no more answers can come."""
        try:
            async for piece in data:
                await self._handle_all(self._decoder.feed(piece))
                await self._sink.below(_MOST_UNREAD)
            await self._handle_all(self._decoder.end())
        finally:
            self._lose()

    async def request(self, method: str, params: Any) -> Any:
        """Ask the other side, and return its result.

        Raises:
            PeerError: it answered by an error.
            PeerGoneError: no answer can come any more.
        """
        if self._is_gone:
            raise _gone(method)
        request_id = next(self._ids)
        future = self._asked[request_id] = asyncio.get_running_loop().create_future()
        self._sink.send(request(request_id, method, params))
        try:
            given = await future
        except asyncio.CancelledError:
            self.notify(self._cancel_method, {"requestId": request_id})
            raise
        finally:
            self._asked.pop(request_id, None)
        if given is None:
            raise _gone(method)
        if given.error is not None:
            raise PeerError(method, given.error)
        return given.result

    def notify(self, method: str, params: Any) -> None:
        """Queue a notification."""
        self._sink.send(notification(method, params))

    async def drain(self) -> None:
        """Wait while the other side reads too slowly."""
        await self._sink.drain()

    async def finish(self) -> None:
        """Wait until all requests of the other side are answered and written."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._sink.below(0)

    @property
    def unanswered(self) -> set[asyncio.Task[None]]:
        """The requests and notifications of the other side that are still worked on."""
        return self._tasks

    async def close(self) -> None:
        """Cancel what is left of the other side's requests, and wait until they have ended."""
        self._lose()
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _lose(self) -> None:
        self._is_gone = True
        for future in self._asked.values():
            if not future.done():
                future.set_result(None)

    async def _handle_all(self, frames: Iterator[Frame]) -> None:
        for frame in frames:
            if isinstance(frame, RequestError):
                self._sink.send(refusal(None, frame))
            else:
                await self._handle(frame)

    async def _handle(self, message: Mapping[str, Any]) -> None:
        try:
            call = call_of(message)
            if call is None:
                self._apply_answer(answer_of(message))
            elif call.id is not None:
                await self._start_request(call, call.id)
            elif call.method == self._cancel_method:
                self._cancel(call.params)
            else:
                self._start(self._apply(call))
                await asyncio.sleep(0)
        except RequestError as error:
            self._sink.send(refusal(id_of(message), error))

    def _apply_answer(self, given: PeerAnswer) -> None:
        future = self._asked.get(given.id) if given.id is not None else None
        if future is None or future.done():
            logger.info("an answer to no open request: %r %.200r", given.id, given.error)
        else:
            future.set_result(given)

    def _cancel(self, params: Any) -> None:
        named = params.get("requestId") if isinstance(params, Mapping) else None
        request_id = id_of({"id": named})
        if request_id is not None and (task := self._open.get(request_id)):
            task.cancel()

    async def _start_request(self, call: Call, request_id: Id) -> None:
        if request_id in self._open:
            raise RequestError(RequestError.INVALID, "id: a request with it is still running")
        if len(self._open) >= _MOST_OPEN:
            raise RequestError(RequestError.INVALID, f"more than {_MOST_OPEN} requests are open")
        self._open[request_id] = self._start(self._answer(call, request_id))
        await asyncio.sleep(0)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run this in a task. `asyncio.sleep(0)` lets it begin before the next message."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answer(self, call: Call, request_id: Id) -> None:
        try:
            self._sink.send(answer(request_id, await self._handler.request(call)))
        except asyncio.CancelledError:
            if self._answers_cancelled:
                cancelled = RequestError(RequestError.CANCELLED, f"{call.method}: cancelled")
                self._sink.send(refusal(request_id, cancelled))
        except Exception as error:
            self._sink.send(refusal(request_id, for_a_person(call.method, error)))
        finally:
            self._open.pop(request_id, None)

    async def _apply(self, call: Call) -> None:
        try:
            await self._handler.notification(call)
        except OIError as error:
            logger.info("the notification %s failed: %s", call.method, error)
        except Exception:
            logger.exception("the notification %s failed", call.method)


def _gone(method: str) -> PeerGoneError:
    return PeerGoneError(f"{method}: the client is gone, and cannot answer")
