"""Thousands of malformed, cut, oversized and hostile frames: each answered once, nothing breaks."""

import json
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import psutil
import pytest

from oi_daemon.protocol.framing import MAX_FRAME, Framing
from tests.wire_client import FAKE, INSTALLED, WireClient, request

FRAMES = int(os.environ.get("OI_TEST_FRAMES", "5000"))
GROWTH = 16 * 1024 * 1024

Piece = tuple[bytes, list[Any]]
"""Bytes, and the ids of the answers that they must get."""

METHODS = (
    "oi/settings/get",
    "oi/history/set",
    "oi/execute",
    "oi/nothing",
    "nothing",
    "",
    "shutdown",
    "textDocument/hover",
    "$/whatever",
    "__class__",
    "oi/__init__",
    "rpc.discover",
)
VALUES: Sequence[Any] = (
    None,
    True,
    0,
    -1,
    2**63,
    2**200,
    0.1,
    "",
    "\x00",
    "\ud800",
    "é\U0001f600" * 50,
    "Content-Length: 5\r\n\r\n{}",
    [],
    {},
    [[[[]]]],
    {"jsonrpc": "2.0", "id": 1, "method": "exit"},
    {"__proto__": 1, "$schema": 2, "class": 3, "type_name": 4},
    {"message": 5},
    {"language": "python", "code": None},
    {"conversation": "", "messages": [1]},
    {"settings": {"api_key": 5}},
)
NO_IDS: Sequence[Any] = (None, True, 1.5, [], {}, [1])
NO_JSON = (
    b"",
    b"{",
    b"}",
    b"nothing",
    b'{"jsonrpc": "2.0", "id": 1, "method": ',
    b'{"jsonrpc": "2.0", "id": 1, "method": "oi/status"}}',
    b'{"jsonrpc": "2.0", "id": 01}',
    b"{'jsonrpc': '2.0'}",
    b'{"a": "\xff\xfe"}',
    b'{"a": NaN}',
    b'{"a": 1e9999}',
    b'{"a": "\x01"}',
    b"\x00" * 50,
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"\x1f\x8b\x08\x00",
    b"GET / HTTP/1.1",
)
NO_REQUEST: Sequence[Any] = ([], [request(1, "oi/status")] * 3, 5, "x", None, False)


class Hostile:
    """Makes pieces; the seed makes them the same every time."""

    def __init__(self, framing: Framing, seed: int) -> None:
        self._random = random.Random(seed)
        self._framing = framing
        self._last_id = 0

    def piece(self) -> Piece:
        common = [self.call] * 4 + [self.no_json, self.no_request, self.no_id, self.no_answer]
        lines = [self.blank, self.rubbish]
        headers = [self.odd_headers, self.cut, self.too_long, self.bad_length]
        kinds: list[Callable[[], Piece]] = common
        kinds += lines if self._framing is Framing.LINES else headers
        return self._random.choice(kinds)()

    def oversized(self) -> Piece:
        body = b'{"jsonrpc":"2.0","id":0,"big":"' + b"x" * MAX_FRAME + b'"}'
        return self._frame(body), [None]

    def call(self) -> Piece:
        body, number = self._call()
        return self._frame(body), [number]

    def no_json(self) -> Piece:
        body = self._random.choice(NO_JSON[1:] if self._framing is Framing.LINES else NO_JSON)
        return self._frame(body), [None]

    def no_request(self) -> Piece:
        return self._frame(json.dumps(self._random.choice(NO_REQUEST)).encode()), [None]

    def no_id(self) -> Piece:
        message = request(self._random.choice(NO_IDS), self._random.choice(METHODS))
        return self._frame(json.dumps(message).encode()), [None]

    def no_answer(self) -> Piece:
        """Notifications, and answers to what nobody asked."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "params": self._random.choice(VALUES)}
        kind = self._random.choice(["notification", "cancel", "answer"])
        if kind == "answer":
            message |= {"id": 1, "result": self._random.choice(VALUES)}
        else:
            message["method"] = (
                "$/cancelRequest" if kind == "cancel" else self._random.choice(METHODS)
            )
        return self._frame(json.dumps(message).encode()), []

    def blank(self) -> Piece:
        return self._random.choice([b"\n", b"  \r\n", b"\t\n"]), []

    def rubbish(self) -> Piece:
        line = bytes(self._random.choices(range(128, 256), k=self._random.randint(1, 200)))
        return line + b"\n", [None]

    def odd_headers(self) -> Piece:
        body, number = self._call()
        name = self._random.choice([b"content-length", b"CONTENT-LENGTH", b"Content-Length \t"])
        before, after = self._random.choices([b"", b"X: y\r\n", b"content-type: a; b=c\n"], k=2)
        end = self._random.choice([b"\n", b"\r\n"])
        header = before + name + b":  %d " % len(body) + end + after + end
        return header + body, [number]

    def cut(self) -> Piece:
        """A frame that breaks off, and a good one."""
        body, _ = self._call()
        frame = self._frame(body)
        end = self._random.randint(frame.index(b"{"), len(frame) - 1)
        good, ids = self.call()
        return frame[:end] + good, [None, *ids]

    def too_long(self) -> Piece:
        """A body of more bytes than were told, and a good frame."""
        body, _ = self._call()
        size = self._random.randint(0, len(body) - 1)
        good, ids = self.call()
        return b"Content-Length: %d\r\n\r\n%b" % (size, body) + good, [None, *ids]

    def bad_length(self) -> Piece:
        body, _ = self._call()
        length = self._random.choice(
            [b"", b"x", b"-5", b"1.5", b"0x10", b"9" * 11, b"9" * 40, b"\xff", b"1 2", b"+7"]
        )
        good, ids = self.call()
        return b"Content-Length: %b\r\n\r\n%b" % (length, body) + good, [None, *ids]

    def _call(self) -> tuple[bytes, int]:
        self._last_id += 1
        params = self._random.choice(VALUES)
        message = request(self._last_id, self._random.choice(METHODS), params)
        if self._random.random() < 0.1:
            message["jsonrpc"] = self._random.choice(["1.0", 2, None, {}])
        if self._random.random() < 0.1:
            message["method"] = self._random.choice([None, 5, [], {}])
        body = json.dumps(message, indent=self._random.choice([None, None, 1]))
        if self._framing is Framing.LINES:
            body = body.replace("\n", "")
        return body.encode(), self._last_id

    def _frame(self, body: bytes) -> bytes:
        if self._framing is Framing.LINES:
            return body + b"\n"
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize("framing", Framing, ids=lambda framing: framing.value)
def test_every_request_is_answered_once_and_memory_stays_flat(framing: Framing) -> None:
    hostile = Hostile(framing, seed=1)
    with WireClient(FAKE, framing) as client:
        process = psutil.Process(client.process.pid)
        exchange(client, [hostile.piece() for _ in range(FRAMES // 5)])
        before = process.memory_info().rss
        pieces = [hostile.piece() for _ in range(FRAMES)]
        for place in (len(pieces) // 3, len(pieces) // 2):
            pieces.insert(place, hostile.oversized())
        exchange(client, pieces)
        assert process.memory_info().rss - before < GROWTH
        client.close_input()
        assert client.exit_code() == 0


def test_the_real_daemon_stands_it_too() -> None:
    hostile = Hostile(Framing.HEADERS, seed=2)
    with WireClient(INSTALLED, Framing.HEADERS) as client:
        exchange(client, [hostile.piece() for _ in range(500)])
        client.write(client.frame(request("status", "oi/status")))
        assert client.answer("status")["result"]["queues"]["requests"] == 1


def exchange(client: WireClient, pieces: list[Piece]) -> None:
    """Send it all while reading, and compare what was answered with what had to be."""
    expected = Counter(number for _, ids in pieces for number in ids)
    data = b"".join(data for data, _ in pieces)
    last = client.frame(request("last", "oi/settings/get"))
    writing = threading.Thread(target=client.write, args=(data + last,))
    writing.start()
    answered: Counter[Any] = Counter()
    while (answer := client.read_one()).get("id") != "last":
        if "method" not in answer:
            answered[answer["id"]] += 1
    writing.join()
    assert answered == expected
