"""A scripted OpenAI-compatible server on loopback: it answers each request with the next reply.

In async tests:     async with ScriptedServer(text("Hi")) as server: ... server.url
In blocking tests:  with ScriptedServer.in_thread(text("Hi")) as server: ...
As a program:       python -m tests.fakes.openai_server --port 8123

Replies are values made by `text`, `tool_call`, `function_call`, `markdown`, `raw`, `error` and
`page`; adding two gives one reply with the deltas of both, and `but` changes the way it is sent.
"""

import argparse
import asyncio
import itertools
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

from tests.patience import PATIENCE

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
PIECE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer to `/chat/completions`, and the way it is sent."""

    deltas: tuple[Mapping[str, Any] | bytes, ...] = ()
    """What streams; bytes are put on the wire as they are."""
    finish_reason: str | None = "stop"
    """None: the stream ends without one, and without `[DONE]`."""
    usage: Mapping[str, Any] | None = field(default_factory=lambda: USAGE)
    """Sent last, where the request asked for it."""
    delay: float = 0.0
    """Seconds before each delta."""
    hold_after: int | None = None
    """Send so many deltas, then wait for `release()` or for the client to go."""
    drop_after: int | None = None
    """Send so many deltas, then cut the connection."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """A whole body in place of a stream."""
    content_type: str = "application/json"

    def __add__(self, other: "Reply") -> "Reply":
        return replace(other, deltas=self.deltas + other.deltas)

    def but(self, **changes: Any) -> "Reply":
        """The same reply sent in another way, such as `text("Hi").but(drop_after=1)`."""
        return replace(self, **changes)


def text(*parts: str) -> Reply:
    """A message, one content delta for each part."""
    return Reply(deltas=tuple({"content": part} for part in parts))


def reasoning(*parts: str) -> Reply:
    """Thinking, one delta of `reasoning_content` for each part."""
    return Reply(deltas=tuple({"reasoning_content": part} for part in parts))


markdown = text
"""The same: a message whose parts hold fences."""


def tool_call(
    arguments: Mapping[str, Any] | Sequence[str], *, name: str = "execute", index: int = 0
) -> Reply:
    """A tool call; a list of arguments is sent delta by delta, an object in pieces."""
    first = {"index": index, "id": f"call_{index}", "type": "function"}
    head = {"tool_calls": [first | {"function": {"name": name, "arguments": ""}}]}
    rest = (
        {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
        for part in _parts(arguments)
    )
    return Reply(deltas=(head, *rest), finish_reason="tool_calls")


def function_call(arguments: Mapping[str, Any] | Sequence[str], *, name: str = "execute") -> Reply:
    """A legacy function call."""
    head = {"function_call": {"name": name, "arguments": ""}}
    rest = ({"function_call": {"arguments": part}} for part in _parts(arguments))
    return Reply(deltas=(head, *rest), finish_reason="function_call")


def raw(*events: bytes) -> Reply:
    """Bytes in the stream, such as `b"data: {oops\\n\\n"`."""
    return Reply(deltas=events)


def error(
    status: int,
    message: str = "Something is wrong.",
    *,
    code: str | None = None,
    param: str | None = None,
    type: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An error in OpenAI's shape."""
    body = {"error": {"message": message, "type": type, "param": param, "code": code}}
    return Reply(status=status, headers=headers or {}, body=json.dumps(body).encode())


def page(html: str = "<html><body>Sign in</body></html>", *, status: int = 200) -> Reply:
    """A web page where an API was expected."""
    return Reply(status=status, body=html.encode(), content_type="text/html")


def example() -> list[Reply]:
    """The documentation's 34/24: a turn that runs code, then answers."""
    arguments = ['{"language": "python", "code": "34', " /", " ", "24", '"}']
    return [tool_call(arguments), text("The", " result", " is", " 1", ".", "416", "6", "...")]


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    body: dict[str, Any]
    headers: dict[str, str]
    """Names in lower case."""
    path: str


class ScriptedServer:
    """Answers requests with its replies in order; then with `cycle` for ever, if there is one."""

    def __init__(self, *replies: Reply, cycle: Sequence[Reply] = (), port: int = 0) -> None:
        self.requests: list[Request] = []
        self.models: Sequence[str | Mapping[str, Any]] = ["gpt-4", "gpt-4o-mini"]
        """The list of models: their names, or their objects."""
        self.respond: Callable[[dict[str, Any]], Reply] | None = None
        """Makes the reply from the request's body, in place of the script."""
        self.beside: tuple[Callable[[dict[str, Any]], bool], Reply] | None = None
        """A condition for a request's body, and the reply to each that meets it."""
        self.disconnected = asyncio.Event()
        """Set when a client has gone in the middle of a stream."""
        self.sent = asyncio.Event()
        """Set when a stream was written to its end."""
        self.held = asyncio.Event()
        """Set when a reply waits at its `hold_after`."""
        self._port = port
        self._script = deque(map(_Rendered, replies))
        self._cycle = itertools.cycle([_Rendered(reply) for reply in cycle]) if cycle else None
        self._released = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.body for request in self.requests]

    def enqueue(self, *replies: Reply) -> None:
        self._script.extend(map(_Rendered, replies))

    def clear(self) -> None:
        """Forget the replies that were not asked for."""
        self._script.clear()

    def release(self) -> None:
        """Let the replies that are held go on, now and later."""
        self._released.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def serve_forever(self) -> None:
        assert self._server is not None
        await self._server.serve_forever()

    @classmethod
    @contextmanager
    def in_thread(cls, *replies: Reply, cycle: Sequence[Reply] = ()) -> Iterator["ThreadedServer"]:
        """The server on a loop of its own, for tests that block."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()

        async def start() -> ScriptedServer:
            return await cls(*replies, cycle=cycle).__aenter__()

        server = asyncio.run_coroutine_threadsafe(start(), loop).result()
        try:
            yield ThreadedServer(server, loop)
        finally:
            asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while request := await _read_request(reader):
                await self._answer(*request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(
        self,
        method: str,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if method == "GET" and request.path.endswith("/models"):
            models = [
                {"object": "model", **({"id": model} if isinstance(model, str) else model)}
                for model in self.models
            ]
            body = json.dumps({"object": "list", "data": models}).encode()
            writer.write(_whole(Reply(body=body)))
            return
        self.requests.append(request)
        if self.beside and self.beside[0](request.body):
            reply = _Rendered(self.beside[1])
        else:
            reply = _Rendered(self.respond(request.body)) if self.respond else self._next()
        if reply.reply.body is not None:
            writer.write(_whole(reply.reply))
            await writer.drain()
            return
        writer.write(_STREAM_HEAD)
        stream = asyncio.ensure_future(self._stream(reply, request, writer))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({stream, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not stream.done() or (stream.exception() and not reply.reply.drop_after):
                self.disconnected.set()
                raise ConnectionResetError
            await stream
        finally:
            stream.cancel()
            gone.cancel()
            await asyncio.gather(stream, gone, return_exceptions=True)

    async def _stream(
        self, rendered: "_Rendered", request: Request, writer: asyncio.StreamWriter
    ) -> None:
        reply = rendered.reply
        await self._send(rendered.events[: _first_stop(reply)], reply.delay, writer)
        if reply.drop_after is not None:
            writer.close()  # what was sent arrives, the end of the body never does
            raise ConnectionResetError
        if reply.hold_after is not None:
            self.held.set()
            await self._released.wait()
            await self._send(rendered.events[_first_stop(reply) :], reply.delay, writer)
        options = request.body.get("stream_options") or {}
        with_usage = options.get("include_usage") and reply.usage is not None
        ending = [rendered.finish, *([rendered.usage] if with_usage else []), b"data: [DONE]\n\n"]
        if reply.finish_reason is not None:
            await self._send(ending, 0, writer)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        self.sent.set()

    async def _send(
        self, events: Sequence[bytes], delay: float, writer: asyncio.StreamWriter
    ) -> None:
        if delay:
            for event in events:
                await asyncio.sleep(delay)
                writer.write(_chunked(event))
                await writer.drain()
            return
        data = b"".join(events)
        for start in range(0, len(data), PIECE):
            writer.write(_chunked(data[start : start + PIECE]))
            await writer.drain()

    def _next(self) -> "_Rendered":
        if self._script:
            return self._script.popleft()
        if self._cycle:
            return next(self._cycle)
        return _Rendered(error(400, "The script has no further reply."))


class ThreadedServer:
    """A handle on a server that runs in another thread."""

    def __init__(self, server: ScriptedServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def requests(self) -> list[Request]:
        return self._server.requests

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return self._server.bodies

    def enqueue(self, *replies: Reply) -> None:
        self._server.enqueue(*replies)

    def set_models(self, names: Sequence[str]) -> None:
        """List these models from now on."""
        self._server.models = [*names]

    def clear(self) -> None:
        """Forget the replies that were not asked for."""
        self._server.clear()

    def answer(self, asked: Callable[[dict[str, Any]], bool], reply: Reply) -> None:
        """Give this reply to each request whose body meets the condition, beside the script."""
        self._server.beside = (asked, reply)

    def respond(self, reply: Callable[[dict[str, Any]], Reply]) -> None:
        """Make each reply from the request's body, in place of the script."""
        self._server.respond = reply

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._server.release)

    def wait_disconnected(self, timeout: float = PATIENCE) -> None:
        """Until a client has gone in the middle of a stream."""
        self._wait(self._server.disconnected, timeout)

    def wait_held(self, timeout: float = PATIENCE) -> None:
        """Until a reply waits at its `hold_after`."""
        self._wait(self._server.held, timeout)

    def _wait(self, event: asyncio.Event, timeout: float) -> None:
        waiting = asyncio.wait_for(event.wait(), timeout)
        asyncio.run_coroutine_threadsafe(waiting, self._loop).result()


class _Rendered:
    """A reply as bytes, made once."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.events = [
            delta if isinstance(delta, bytes) else _event([_choice(delta, None)])
            for delta in reply.deltas
        ]
        if self.events and not isinstance(reply.deltas[0], bytes):
            self.events[0] = (
                _event([_choice({"role": "assistant", "content": ""}, None)]) + (self.events[0])
            )
        self.finish = _event([_choice({}, reply.finish_reason)])
        self.usage = _event([], usage=reply.usage)


def _first_stop(reply: Reply) -> int | None:
    return reply.drop_after if reply.drop_after is not None else reply.hold_after


def _parts(arguments: Mapping[str, Any] | Sequence[str]) -> Sequence[str]:
    if not isinstance(arguments, Mapping):
        return arguments
    whole = json.dumps(arguments)
    return [whole[start : start + 7] for start in range(0, len(whole), 7)]


def _choice(delta: Mapping[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _event(choices: list[dict[str, Any]], usage: Mapping[str, Any] | None = None) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "gpt-4"}
    return b"data: " + json.dumps(head | {"choices": choices, "usage": usage}).encode() + b"\n\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _whole(reply: Reply) -> bytes:
    body = reply.body or b""
    headers = {"Content-Type": reply.content_type, "Content-Length": len(body), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, Request] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
    data = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, Request(json.loads(data) if data else {}, headers, path)


async def _main(port: int) -> None:
    async with ScriptedServer(cycle=example(), port=port) as server:
        print(server.url, flush=True)  # noqa: T201 - a program that says where it is
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A server that answers every turn with 34/24.")
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_main(parser.parse_args().port))
