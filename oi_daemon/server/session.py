"""Serves one client: reads messages in order, runs requests concurrently, answers each one once.

The methods `oi/*` belong to `Methods`, `$/cancelRequest` is handled here, all others by `lsp`.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from oi_daemon.errors import OIError, RequestError
from oi_daemon.protocol.framing import Decoder, Frame, Framing
from oi_daemon.protocol.jsonrpc import (
    Call,
    Id,
    answer,
    call_of,
    id_of,
)
from oi_daemon.protocol.methods import METHODS, AnyMethod, decode_params
from oi_daemon.server.descriptors import read, watch_output, watch_process
from oi_daemon.server.failures import for_a_person, refusal
from oi_daemon.server.handshake import Introduction, introduction, introduction_answer
from oi_daemon.server.outbox import Outbox

if TYPE_CHECKING:
    from oi_daemon.server.lsp import Lifecycle

logger = logging.getLogger(__name__)

_MOST_UNREAD = 64 * 1024 * 1024
"""Number of bytes that a client may leave unread before no more requests are read from it."""

_CLOSE_WITHIN = 2.0
"""Seconds that ending what runs may take at the end of a session."""
_LAST_ANSWERS_WITHIN = 0.3
"""Seconds that making the last answers may take after `_CLOSE_WITHIN`, and again their delivery."""

_NOT_WATCHED = (
    "initialize.processId: there is no process {} on this machine, so the daemon does not end with"
    " it. It ends when its input or output is closed."
)


class Service(Protocol):
    """What a session needs of `Methods`, beside a coroutine for each method by its `handler`."""

    async def start(self, settings: dict[str, Any] | None, folder: str | None) -> None: ...
    def add_problem(self, text: str) -> None: ...
    def preload(self) -> None: ...
    def interrupt_turn(self, params: Any) -> None: ...
    def decline_all(self) -> None: ...
    async def close(self) -> None: ...


async def serve(
    make: Callable[[Outbox], Service],
    language_names: Callable[[], list[str]],
    stdin: int,
    stdout: int,
) -> int:
    """Serve the client at these descriptors until it ends or is gone, or a signal comes.

    Returns the exit code. The other arguments are those of `ClientSession`.
    """
    with ExitStack() as watches:
        session = ClientSession(make, language_names, stdin, stdout, watches)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, session.finish, 128 + number)
            watches.callback(loop.remove_signal_handler, number)
        return await session.run()


@dataclass(frozen=True, slots=True)
class _Running:
    """A request that has not been answered yet."""

    task: asyncio.Task[None]
    method: AnyMethod
    params: Any


class ClientSession:
    """The session of one client, from its first byte to the daemon's end."""

    def __init__(
        self,
        make: Callable[[Outbox], Service],
        language_names: Callable[[], list[str]],
        stdin: int,
        stdout: int,
        watches: ExitStack,
        *,
        is_far: bool = False,
    ) -> None:
        """
        Args:
            make: makes what serves the client's requests. It is called after the answer to
                `initialize`, which need not wait for the imports that this takes.
            language_names: returns the names of all languages, for that answer.
            is_far: the client is on another machine, so its process's id means nothing here.
        """
        self._make = make
        self._language_names = language_names
        self._stdin = stdin
        self._is_far = is_far
        self._watches = watches
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The exit code. The session ends as soon as it is set."""
        self._decoder = Decoder()
        self._outbox = Outbox(stdout, self._client_gone)
        self._started = self._preloaded = False
        self._lsp: Lifecycle | None = None
        self._is_introduced = False
        """True once `initialize` was answered without the language server."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests: dict[Id, _Running] = {}
        watch_output(stdout, self._client_gone, watches)

    @cached_property
    def _daemon(self) -> Service:
        """What serves the client's requests."""
        return self._make(self._outbox)

    async def run(self) -> int:
        """Serve the client; returns the exit code."""
        reading = asyncio.create_task(self._read())
        code = await self._exit
        reading.cancel()
        await self._close()
        self._outbox.close()
        return code

    @property
    def unanswered(self) -> set[asyncio.Task[None]]:
        """The requests that run on although the client is gone."""
        return self._tasks

    def _client_gone(self) -> None:
        self.finish(1)

    def finish(self, code: int) -> None:
        """End the session with this exit code, unless it ends already."""
        if not self._exit.done():
            self._exit.set_result(code)

    async def _close(self) -> None:
        """End what runs, and deliver the last answers if the client still reads."""
        try:
            if "_daemon" in vars(self):
                await asyncio.wait_for(self._daemon.close(), _CLOSE_WITHIN)
        except Exception:
            logger.exception("closing failed")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_ANSWERS_WITHIN)
        try:
            await asyncio.wait_for(self._outbox.below(0), _LAST_ANSWERS_WITHIN)
        except TimeoutError:
            pass

    async def _read(self) -> None:
        try:
            async for data in read(self._stdin):
                await self._handle_all(self._decoder.feed(data))
                await self._outbox.below(_MOST_UNREAD)
            await self._handle_all(self._decoder.end())
            await self._end_of_input()
        except Exception:
            logger.exception("reading failed")
            self.finish(1)

    async def _end_of_input(self) -> None:
        """Finish and answer what was accepted, without anybody to approve code or type input."""
        if "_daemon" in vars(self):
            self._daemon.decline_all()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._outbox.below(0)
        lsp_client = self._lsp and self._lsp.is_initialized
        left = lsp_client and self._decoder.framing is Framing.HEADERS and not self._is_shut_down
        self.finish(1 if left else 0)

    async def _handle_all(self, frames: Iterator[Frame]) -> None:
        for frame in frames:
            if self._exit.done():
                return
            self._outbox.framing = self._decoder.framing or Framing.LINES
            await self._handle(frame)

    async def _handle(self, frame: Frame) -> None:
        if isinstance(frame, RequestError):
            return self._refuse(None, frame)
        try:
            call = call_of(frame)
        except RequestError as error:
            return self._refuse(id_of(frame), error)
        if call is None:
            return
        try:
            await (
                self._handle_notification(call) if call.id is None else self._handle_request(call)
            )
        except Exception as error:
            self._fail(call, error)

    async def _handle_notification(self, call: Call) -> None:
        if call.method == "$/cancelRequest":
            self._cancel(call.params)
        elif (method := METHODS.get(call.method)) and not self._is_shut_down:
            await self._start(call, method)
        elif self._lsp or call.method == "exit":
            lsp = self._language_server()
            await lsp.notification(call.method, call.params)
            if lsp.exit_code is not None:
                self.finish(lsp.exit_code)

    async def _handle_request(self, call: Call) -> None:
        if call.id in self._requests:
            raise RequestError(RequestError.INVALID, "id: a request with it is still running")
        if self._is_shut_down:
            raise RequestError(RequestError.INVALID, f"{call.method}: came after shutdown")
        if method := METHODS.get(call.method):
            await self._start(call, method)
        elif call.method.startswith("oi/"):
            raise RequestError(RequestError.NO_METHOD, f"{call.method}: there is no such method")
        else:
            await self._ask_language_server(call)

    async def _start(self, call: Call, method: AnyMethod) -> None:
        """Run the request in a task, which begins before the next message is handled."""
        params = decode_params(method, call.params)
        if not self._started:
            await self._start_daemon(None, None)
        task = asyncio.create_task(self._work(call, method, params))
        self._tasks.add(task)
        if call.id is not None:
            self._requests[call.id] = _Running(task, method, params)
        self._outbox.pending_requests = len(self._tasks)
        task.add_done_callback(self._done)
        await asyncio.sleep(0)
        self._preload()

    async def _work(self, call: Call, method: AnyMethod, params: Any) -> None:
        try:
            self._succeed(call, await getattr(self._daemon, method.handler)(params))
        except asyncio.CancelledError:
            self._fail(call, RequestError(RequestError.CANCELLED, f"{call.method}: cancelled"))
        except Exception as error:
            self._fail(call, error)
        finally:
            if call.id is not None:
                del self._requests[call.id]

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._outbox.pending_requests = len(self._tasks)

    def _cancel(self, params: Any) -> None:
        """Cancel a request. One that runs a turn is interrupted, and still gives its result."""
        request_id = id_of(params) if isinstance(params, dict) else None
        running = self._requests.get(request_id) if request_id is not None else None
        if running and running.method.turn:
            self._daemon.interrupt_turn(running.params)
        elif running:
            running.task.cancel()

    async def _ask_language_server(self, call: Call) -> None:
        assert call.id is not None
        if call.method == "initialize" and self._lsp is None:
            client = introduction(call.params)
            if client is not None:
                return await self._introduce(call, client)
        lsp = self._language_server()
        self._succeed(call, await lsp.request(call.method, call.params, call.id))
        if call.method == "initialize":
            self._watch_client(lsp.process_id)
            self._preload()

    async def _introduce(self, call: Call, client: Introduction) -> None:
        """Answer `initialize`, and only then import all that serves the client, and tell it."""
        assert call.id is not None
        self._succeed(call, introduction_answer(self._language_names()))
        self._is_introduced = True
        await asyncio.sleep(0)  # the answer is written before the imports hold everything up
        await self._start_daemon(client.settings, client.folder)
        self._watch_client(client.process_id)
        self._preload()
        try:
            await self._language_server().request(call.method, call.params, call.id)
        except Exception:
            logger.exception("the language server did not start")
            self.finish(1)

    def _watch_client(self, pid: int | None) -> None:
        """End the session when the client's process ends, if that process is on this machine."""
        if self._is_far:
            return
        if pid is not None and not watch_process(pid, self._client_gone, self._watches):
            self._daemon.add_problem(_NOT_WATCHED.format(pid))

    def _language_server(self) -> "Lifecycle":
        if self._lsp is None:
            from oi_daemon.server.lsp import (
                lifecycle,
            )  # takes half a second, which scripts need not wait

            self._lsp = lifecycle(self._initialize, self._language_names)
        return self._lsp

    async def _initialize(self, settings: dict[str, Any] | None, folder: str | None) -> None:
        """Start the daemon for the language server, unless that was done before it was there."""
        if not self._is_introduced:
            await self._start_daemon(settings, folder)

    async def _start_daemon(self, settings: dict[str, Any] | None, folder: str | None) -> None:
        await self._daemon.start(settings, folder)
        self._started = True

    def _preload(self) -> None:
        if not self._preloaded:
            self._preloaded = True
            self._daemon.preload()

    @property
    def _is_shut_down(self) -> bool:
        return self._lsp is not None and self._lsp.is_shut_down

    def _succeed(self, call: Call, result: Any) -> None:
        if call.id is not None:
            self._outbox.send(answer(call.id, result))

    def _fail(self, call: Call, error: Exception) -> None:
        told = for_a_person(call.method, error)
        if call.id is not None:
            self._refuse(call.id, told)
        else:
            logger.info("the notification %s failed: %s", call.method, told)

    def _refuse(self, request_id: Id | None, error: OIError) -> None:
        self._outbox.send(refusal(request_id, error))
