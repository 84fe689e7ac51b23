"""A model server on loopback that means harm: each request gets the answer of `attack`."""

import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

Attack = Callable[[socket.socket, threading.Event], None]
"""Writes an answer to a request, until the client or the test is gone (the event)."""

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
MEGABYTE = 1 << 20


class HostileServer:
    """Answers with `attack`, which may be changed; counts the bytes of what it was asked."""

    def __init__(self, attack: Attack) -> None:
        self.attack = attack
        self.attacks: list[Attack] = []
        """Answers of the next requests, which come before `attack`."""
        self.requests: list[bytes] = []
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._socket.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.requests.append(_read_request(connection))
                attack = self.attacks.pop(0) if self.attacks else self.attack
                attack(connection, self._closing)
            except OSError:
                pass


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-len")),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def event(**delta: object) -> bytes:
    """One event with this delta."""
    choices = [{"index": 0, "delta": delta, "finish_reason": None}]
    return b"data: " + json.dumps({"choices": choices}).encode() + b"\n\n"


def stream(*events: bytes) -> Attack:
    """An answer that streams these events and ends properly."""

    def attack(connection: socket.socket, _: threading.Event) -> None:
        end = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
        connection.sendall(STREAM_HEAD + b"Connection: close\r\n\r\n" + b"".join(events) + end)

    return attack


def endless(data: bytes) -> Attack:
    """A stream in which these bytes are repeated without end."""

    def attack(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(STREAM_HEAD + b"\r\n")
        block = data * max(1, 65536 // len(data))
        while not closing.is_set():
            connection.sendall(block)

    return attack


def tiny_chunks(connection: socket.socket, closing: threading.Event) -> None:
    """A stream without end, in HTTP chunks of one byte each."""
    connection.sendall(STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    events = b"".join(b"1\r\n%c\r\n" % byte for byte in event(content="a") * 100)
    while not closing.is_set():
        connection.sendall(events)


def endless_heads(connection: socket.socket, closing: threading.Event) -> None:
    """Heads that only say that the answer is to come."""
    while not closing.is_set():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def gzip_bomb(content: bytes, megabytes: int, status: str = "200 OK") -> Attack:
    """A body of many megabytes that is sent as some kilobytes."""
    packer = zlib.compressobj(9, wbits=31)
    block = content * (MEGABYTE // len(content))
    packed = b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()

    def attack(connection: socket.socket, _: threading.Event) -> None:
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
            f"Content-Length: {len(packed)}\r\n\r\n"
        )
        connection.sendall(head.encode() + packed)

    return attack


def many_calls(count: int) -> Attack:
    """A stream of a million calls, or as many as this."""

    def events() -> Iterator[bytes]:
        for index in range(count):
            function = {"name": "execute", "arguments": "{"}
            yield event(tool_calls=[{"index": index, "function": function}])

    def attack(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(STREAM_HEAD + b"\r\n")
        block: list[bytes] = []
        for each in events():
            block.append(each)
            if len(block) == 500:
                connection.sendall(b"".join(block))
                block = []
        connection.sendall(b"".join(block))

    return attack


def slow_head(seconds: float) -> Attack:
    """A byte of the head at a time."""

    def attack(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not closing.wait(seconds):
            connection.sendall(b"x")

    return attack


def whole(status: str, body: bytes = b"", *headers: str) -> Attack:
    """A whole answer with these headers."""

    def attack(connection: socket.socket, _: threading.Event) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode() + body)

    return attack


def endless_error(connection: socket.socket, closing: threading.Event) -> None:
    """An error whose body has no end."""
    connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\n\r\n")
    while not closing.is_set():
        connection.sendall(b'{"error": "' + b"x" * 65536)


def silent_error(connection: socket.socket, closing: threading.Event) -> None:
    """An error whose body never comes."""
    connection.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{")
    closing.wait()
