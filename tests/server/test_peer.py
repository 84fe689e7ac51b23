"""Two-way JSON-RPC: both sides ask, answer, notify and take back, over pieces of bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from oi_daemon.errors import InvalidError, RequestError
from oi_daemon.protocol.jsonrpc import Call
from oi_daemon.server.peer import Peer, PeerError, PeerGoneError

CANCEL = "$/cancel_request"


class Wire:
    """A handler, the other side's messages to it, and what it is sent, in one."""

    def __init__(self, **settings: Any) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.calls: list[str] = []
        self.serve: Callable[[Call], Awaitable[Any]] = self._echo
        self.limits: list[int] = []
        self.peer = Peer(self, self, cancel=CANCEL, **settings)
        self._bytes: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.running = asyncio.create_task(self.peer.run(self._read()))

    async def _echo(self, call: Call) -> Any:
        return call.params

    async def _read(self) -> AsyncIterator[bytes]:
        while (data := await self._bytes.get()) is not None:
            yield data

    # The handler

    async def request(self, call: Call) -> Any:
        self.calls.append(call.method)
        return await self.serve(call)

    async def notification(self, call: Call) -> None:
        self.calls.append(call.method)
        if call.method == "breaks":
            raise ZeroDivisionError

    # The sink

    def send(self, message: Any) -> None:
        self.sent.put_nowait(json.loads(json.dumps(message)))

    async def drain(self) -> None:
        pass

    async def below(self, limit: int) -> None:
        self.limits.append(limit)

    # The other side

    def put(self, *messages: dict[str, Any]) -> None:
        lines = (json.dumps({"jsonrpc": "2.0", **message}) for message in messages)
        self._bytes.put_nowait("".join(line + "\n" for line in lines).encode())

    def end(self) -> None:
        self._bytes.put_nowait(None)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    await wire.peer.close()
    wire.end()
    await wire.running


async def forever(call: Call) -> Any:
    await asyncio.Event().wait()


async def test_a_request_is_answered_by_what_the_handler_returns(wire: Wire) -> None:
    wire.put({"id": "a", "method": "echo", "params": [1, 2]})
    assert await wire.sent.get() == {"jsonrpc": "2.0", "id": "a", "result": [1, 2]}


async def test_a_line_in_pieces_is_one_message(wire: Wire) -> None:
    for piece in (b'{"jsonrpc":"2.0","id":1,', b'"method":"echo"', b"}\n"):
        wire._bytes.put_nowait(piece)
    assert (await wire.sent.get())["id"] == 1


async def test_headers_are_no_messages(wire: Wire) -> None:
    wire._bytes.put_nowait(b"Content-Length: 2\r\n\r\n{}\n")
    assert (await wire.sent.get())["error"]["code"] == RequestError.PARSE


async def test_requests_begin_in_their_order_and_do_not_hold_up_each_other(wire: Wire) -> None:
    wire.serve = forever
    wire.put({"id": 1, "method": "first"}, {"method": "second"}, {"id": 3, "method": "third"})
    wire.put({"id": 3, "method": "again"})
    assert "still running" in (await wire.sent.get())["error"]["message"]
    assert wire.calls == ["first", "second", "third"]


async def test_a_refusal_has_its_code_and_a_fault_says_where_the_details_are(wire: Wire) -> None:
    async def fail(call: Call) -> Any:
        raise InvalidError("cwd: not there") if call.method == "refuse" else ZeroDivisionError

    wire.serve = fail
    wire.put({"id": 1, "method": "refuse"}, {"id": 2, "method": "break"})
    refused = (await wire.sent.get())["error"]
    assert (refused["code"], refused["message"]) == (-32602, "cwd: not there")
    broken = (await wire.sent.get())["error"]
    assert broken["code"] == -32603
    assert "has the details" in broken["message"]


async def test_a_notification_that_fails_ends_nothing(wire: Wire) -> None:
    wire.put({"method": "breaks"}, {"id": 2, "method": "echo"})
    assert (await wire.sent.get())["id"] == 2


async def test_what_is_no_request_is_refused(wire: Wire) -> None:
    wire.put({"id": 1})
    assert (await wire.sent.get())["error"]["code"] == RequestError.INVALID


async def test_the_other_side_is_asked_and_answers_in_any_order(wire: Wire) -> None:
    asking = [asyncio.create_task(wire.peer.request(name, {"of": name})) for name in ("a", "b")]
    a, b = await wire.sent.get(), await wire.sent.get()
    assert (a["method"], a["params"], b["method"]) == ("a", {"of": "a"}, "b")
    wire.put({"id": b["id"], "result": "for b"}, {"id": a["id"], "result": "for a"})
    assert await asyncio.gather(*asking) == ["for a", "for b"]


async def test_an_answer_may_be_an_error(wire: Wire) -> None:
    asking = asyncio.create_task(wire.peer.request("ask", None))
    asked = await wire.sent.get()
    wire.put({"id": asked["id"], "error": {"code": -32601, "message": "no such method"}})
    with pytest.raises(PeerError, match="ask: the client refused: no such method") as caught:
        await asking
    assert caught.value.code == -32601


async def test_answers_that_nobody_waits_for_are_ignored(wire: Wire) -> None:
    wire.put({"id": 7, "result": 1}, {"id": None, "error": "what?"}, {"id": 2, "method": "echo"})
    assert (await wire.sent.get())["id"] == 2


async def test_who_stops_waiting_takes_the_request_back(wire: Wire) -> None:
    asking = asyncio.create_task(wire.peer.request("ask", None))
    asked = await wire.sent.get()
    asking.cancel()
    taken_back = await wire.sent.get()
    assert (taken_back["method"], taken_back["params"]) == (CANCEL, {"requestId": asked["id"]})
    wire.put({"id": asked["id"], "result": "too late"}, {"id": 2, "method": "echo"})
    assert (await wire.sent.get())["id"] == 2


async def test_a_request_that_is_taken_back_is_cancelled_and_answered(wire: Wire) -> None:
    wire.serve = forever
    wire.put({"id": 5, "method": "wait"}, {"method": CANCEL, "params": {"requestId": 5}})
    answer = await wire.sent.get()
    assert (answer["id"], answer["error"]["code"]) == (5, RequestError.CANCELLED)


async def test_where_the_protocol_wants_it_a_cancelled_request_gets_no_answer() -> None:
    wire = Wire(answers_cancelled=False)
    wire.serve = forever
    wire.put({"id": 5, "method": "wait"}, {"method": CANCEL, "params": {"requestId": 5}})
    wire.end()
    await wire.running
    await wire.peer.finish()
    assert wire.sent.empty()
    assert wire.limits[-1] == 0


async def test_at_the_end_of_input_what_was_asked_fails_and_what_was_accepted_is_answered() -> None:
    wire = Wire()

    async def ask(call: Call) -> Any:
        try:
            return await wire.peer.request("ask", None)
        except PeerGoneError as error:
            return f"alone: {error}"

    wire.serve = ask
    wire.put({"id": 1, "method": "work"})
    await wire.sent.get()
    wire.end()
    await wire.running
    await wire.peer.finish()
    assert "alone" in wire.sent.get_nowait()["result"]
    with pytest.raises(PeerGoneError):
        await wire.peer.request("ask", None)


async def test_closing_cancels_what_is_open() -> None:
    wire = Wire()
    wire.serve = forever
    wire.put({"id": 1, "method": "wait"})
    wire.end()
    await wire.running
    await wire.peer.close()
    assert wire.sent.get_nowait()["error"]["code"] == RequestError.CANCELLED


async def test_a_message_that_is_too_large_is_refused() -> None:
    wire = Wire(max_frame=100)
    wire.put({"id": 1, "method": "x" * 200}, {"id": 2, "method": "echo"})
    assert "more than 100 bytes" in (await wire.sent.get())["error"]["message"]
    assert (await wire.sent.get())["id"] == 2
    wire.end()
    await wire.running


async def test_too_many_open_requests_are_refused(wire: Wire) -> None:
    wire.serve = forever
    wire.put(*({"id": number, "method": "wait"} for number in range(1001)))
    refused = await wire.sent.get()
    assert (refused["id"], refused["error"]["code"]) == (1000, RequestError.INVALID)
