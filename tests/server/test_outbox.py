"""The outgoing queue: never blocks, bounded, in order, and joins text only while it must."""

import asyncio
import fcntl
import json
import os
import select
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.messages import (
    ActiveLine,
    Chunk,
    CodeChunk,
    ConversationState,
    EndOfExecution,
    Executing,
    MessageChunk,
    Output,
)
from oi_daemon.protocol.framing import Framing
from oi_daemon.protocol.methods import chunk_params
from oi_daemon.server import outbox
from oi_daemon.server.outbox import HIGH_WATER, JOIN_LIMIT, Outbox


class Pipe:
    """An outbox and the end that its client reads."""

    def __init__(self) -> None:
        self.reads, self.writes = os.pipe()
        self.broken = 0
        self.outbox = Outbox(self.writes, self._broke)
        self.seq = 0

    def _broke(self) -> None:
        self.broken += 1

    def put(self, *chunks: Chunk, conversation: str = "c", turn: int = 1) -> None:
        for chunk in chunks:
            self.seq += 1
            self.outbox.chunk(
                chunk_params(chunk, conversation, turn, self.seq, ConversationState.RUNNING)
            )

    async def fill(self) -> None:
        """Let nothing more fit: from now on the client is slow."""
        for _ in range(3):
            self.put(Output("x" * 30_000), ActiveLine(1))
        while not self.outbox._blocked:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def read(self) -> list[dict[str, Any]]:
        """The params of all that is queued, read by a client that wakes up."""
        data = await read_all(self.reads, self.outbox)
        return [json.loads(line)["params"] for line in data.splitlines()]

    async def read_after_fill(self) -> list[dict[str, Any]]:
        return (await self.read())[6:]


async def read_all(fd: int, outbox: Outbox) -> bytes:
    os.set_blocking(fd, False)
    data = b""
    while True:
        await asyncio.sleep(0)
        try:
            data += os.read(fd, 1 << 20)
        except BlockingIOError:
            if not outbox.pending_bytes:
                return data


@pytest.fixture
async def pipe() -> AsyncIterator[Pipe]:
    pipe = Pipe()
    yield pipe
    await asyncio.sleep(0)
    os.close(pipe.reads)
    os.close(pipe.writes)


async def test_a_client_that_reads_gets_each_chunk_as_it_was(pipe: Pipe) -> None:
    pipe.put(MessageChunk("a"), MessageChunk("b"), Output("c"), Output("d"))
    assert [params["chunk"] for params in await pipe.read()] == [
        {"message": "a"},
        {"message": "b"},
        {"output": "c"},
        {"output": "d"},
    ]


async def test_text_is_joined_while_the_client_is_slow(pipe: Pipe) -> None:
    """`seq` is the last one's, `first_seq` the first's."""
    await pipe.fill()
    pipe.put(Output("1\n"), Output("2\n"), Output("3\n"), MessageChunk("m"))
    joined, single = await pipe.read_after_fill()
    assert joined["chunk"] == {"output": "1\n2\n3\n"}
    assert joined["seq"] - joined["first_seq"] == 2
    assert single["chunk"] == {"message": "m"}
    assert "first_seq" not in single


@pytest.mark.parametrize(
    "chunk",
    [ActiveLine(1), EndOfExecution(), Executing("x", "python")],
    ids=lambda chunk: type(chunk).__name__,
)
async def test_what_is_no_text_is_never_joined(pipe: Pipe, chunk: Chunk) -> None:
    await pipe.fill()
    pipe.put(chunk, chunk, Output("a"), chunk, Output("b"))
    kinds = [next(iter(params["chunk"])) for params in await pipe.read_after_fill()]
    kind = next(iter(chunk_params(chunk, "c", 1, 1, ConversationState.RUNNING).chunk))
    assert kinds == [kind, kind, "output", kind, "output"]


async def test_other_kinds_turns_and_conversations_stay_apart(pipe: Pipe) -> None:
    await pipe.fill()
    pipe.put(Output("a"), CodeChunk("b"), MessageChunk("c"))
    pipe.put(MessageChunk("d"), turn=2)
    pipe.put(MessageChunk("e"), turn=2, conversation="other")
    texts = [next(iter(params["chunk"].values())) for params in await pipe.read_after_fill()]
    assert texts == list("abcde")


async def test_a_joined_chunk_is_bounded_and_nothing_is_lost(pipe: Pipe) -> None:
    await pipe.fill()
    texts = [f"{number:06}\n" for number in range(40_000)]
    pipe.put(*map(Output, texts))
    chunks = [params["chunk"]["output"] for params in await pipe.read_after_fill()]
    assert "".join(chunks) == "".join(texts)
    assert max(map(len, chunks)) <= JOIN_LIMIT
    assert len(chunks) < 10


async def test_an_answer_comes_after_the_chunks_before_it(pipe: Pipe) -> None:
    await pipe.fill()
    pipe.put(Output("a"), Output("b"))
    pipe.outbox.send({"params": {"chunk": "the answer"}})
    pipe.put(Output("c"))
    assert [message["chunk"] for message in await pipe.read_after_fill()] == [
        {"output": "ab"},
        "the answer",
        {"output": "c"},
    ]


async def test_fast_chunks_are_written_together_and_answers_at_once(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe.outbox.send({"params": 0})
    await pipe.read()
    monkeypatch.setattr(outbox, "_CHUNKS_APART", 1000)
    pipe.put(Output("a"), Output("b"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert pipe.outbox.pending_bytes
    pipe.outbox.send({"params": 1})
    first, second, answer = await pipe.read()
    assert [first["chunk"], second["chunk"], answer] == [{"output": "a"}, {"output": "b"}, 1]


async def test_a_producer_waits_while_too_much_is_queued(pipe: Pipe) -> None:
    """The queue stays bounded, and the loop goes on meanwhile."""
    most = 0

    async def produce() -> None:
        nonlocal most
        for number in range(30_000):
            pipe.put(ActiveLine(number))
            most = max(most, pipe.outbox.pending_bytes)
            await pipe.outbox.drain()

    producing = asyncio.create_task(produce())
    for _ in range(50):
        await asyncio.sleep(0)
    assert not producing.done()
    assert pipe.outbox.pending_bytes > HIGH_WATER // 2
    lines: list[dict[str, Any]] = []
    while not producing.done():
        lines += await pipe.read()
    lines += await pipe.read()
    assert [line["chunk"]["active_line"] for line in lines] == list(range(30_000))
    assert most < HIGH_WATER + 1000


async def test_a_client_that_is_gone_is_noticed_and_holds_nobody_up() -> None:
    pipe = Pipe()
    await pipe.fill()
    pipe.put(*[ActiveLine(1)] * 20_000)
    waiting = [asyncio.create_task(pipe.outbox.drain()), asyncio.create_task(pipe.outbox.below(0))]
    await asyncio.sleep(0)
    os.close(pipe.reads)
    await asyncio.gather(*waiting)
    assert pipe.broken
    pipe.put(Output("into nothing"))
    assert pipe.outbox.pending_bytes == 0
    await asyncio.sleep(0)
    os.close(pipe.writes)


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="pipes have one size here")
async def test_a_pipe_that_the_client_has_made_smaller_holds_nobody_up(pipe: Pipe) -> None:
    """Nothing that the daemon knew of its size before is true any more."""
    pipe.put(ActiveLine(1))
    await pipe.read()
    fcntl.fcntl(pipe.reads, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)
    pipe.put(*map(ActiveLine, range(2, 500)))
    assert [params["chunk"]["active_line"] for params in await pipe.read()] == [*range(2, 500)]


async def test_header_framing_counts_bytes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outbox = Outbox(ours.fileno(), lambda: None)
        outbox.framing = Framing.HEADERS
        outbox.send({"text": "é"})
        await outbox.below(0)
        assert theirs.recv(100) == b'Content-Length: 13\r\n\r\n{"text":"\xc3\xa9"}'


async def test_a_socket_takes_more_than_it_holds() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outbox = Outbox(ours.fileno(), lambda: None)
        outbox.send("x" * 3_000_000)
        assert len(await read_all(theirs.fileno(), outbox)) == 3_000_003


async def test_a_regular_file_is_written(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        outbox = Outbox(file.fileno(), lambda: None)
        outbox.send("x" * 3_000_000)
        await outbox.below(0)
    assert (tmp_path / "out").stat().st_size == 3_000_003
