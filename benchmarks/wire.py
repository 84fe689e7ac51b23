"""Speed and memory of the wire, each figure beside a floor measured in the same run.

python benchmarks/wire.py
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from oi_daemon.messages import ConversationState, Output
from oi_daemon.protocol.framing import Framing
from oi_daemon.protocol.methods import chunk_params
from oi_daemon.server.outbox import Outbox
from tests.wire_client import INSTALLED, WireClient

ROUNDS = 11
CHUNKS = 100_000


def main() -> None:
    starting()
    asyncio.run(sending())
    answering()


def starting() -> None:
    """From nothing to the first answer, and the memory then."""
    floors, initialized, scripted = [], [], []
    for _ in range(ROUNDS):
        floors.append(timed(import_pygls))
        initialized.append(first_answer("initialize", Framing.HEADERS))
        scripted.append(first_answer("oi/status", Framing.LINES))
    floor = median(floors)
    ratio = median(took / floor for (took, _), floor in zip(initialized, floors, strict=True))
    print(f"initialize answered: {median(took for took, _ in initialized) * 1000:.0f} ms,")
    print(f"  {ratio:.2f} times the import of pygls alone ({floor * 1000:.0f} ms)")
    print(f"  memory then: {max(size for _, size in initialized) / 2**20:.0f} MB")
    print(f"a script's first answer: {median(took for took, _ in scripted) * 1000:.0f} ms")


def import_pygls() -> None:
    subprocess.run([sys.executable, "-c", "import pygls.lsp.server"], check=True)


def first_answer(method: str, framing: Framing) -> tuple[float, int]:
    start = time.perf_counter()
    with WireClient(INSTALLED, framing) as client:
        client.result(method, {})
        took = time.perf_counter() - start
        return took, psutil.Process(client.process.pid).memory_info().rss


async def sending() -> None:
    """Chunks through the queue to a client that reads, against bare writes of the same bytes."""
    params = chunk_params(Output("a word "), "conversation", 1, 1, ConversationState.RUNNING)
    body = json.dumps({"jsonrpc": "2.0", "method": "oi/chunk", "params": {"chunk": params.chunk}})
    frame = f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    ours, bare = [], []
    for _ in range(5):
        with reader() as fd:
            start = time.perf_counter()
            for _ in range(CHUNKS):
                os.write(fd, frame)
            bare.append(time.perf_counter() - start)
        with reader() as fd:
            outbox = Outbox(fd, lambda: None)
            outbox.framing = Framing.HEADERS
            start = time.perf_counter()
            for seq in range(CHUNKS):
                outbox.chunk(
                    chunk_params(
                        Output("a word "), "conversation", 1, seq, ConversationState.RUNNING
                    )
                )
                if seq % 16 == 0:
                    await asyncio.sleep(0)
                await outbox.drain()
            await outbox.below(0)
            ours.append(time.perf_counter() - start)
    took, floor = median(ours), median(bare)
    print(
        f"a chunk through the queue: {took / CHUNKS * 1e6:.1f} us, {CHUNKS / took:,.0f} a second,"
    )
    print(f"  {took / floor:.2f} times one bare write each ({floor / CHUNKS * 1e6:.1f} us)")


class reader:
    """A process that reads as fast as it can."""

    def __enter__(self) -> int:
        self._process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert self._process.stdin
        return self._process.stdin.fileno()

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def answering() -> None:
    """Round trips of a warm daemon, against a process that echoes lines."""
    with WireClient(INSTALLED) as client:
        client.result("oi/status")
        client.result("oi/status")
        ours = median(timed(lambda: client.result("oi/settings/get")) for _ in range(2000))
    with subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as echo:
        assert echo.stdin
        assert echo.stdout
        line, out, into = b"x" * 80 + b"\n", echo.stdout, echo.stdin
        floor = median(timed(lambda: (into.write(line), out.read(200))) for _ in range(2000))
        into.close()
    print(f"a request and its answer: {ours * 1e6:.0f} us,")
    print(f"  {ours / floor:.1f} times a line through cat ({floor * 1e6:.0f} us)")


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
