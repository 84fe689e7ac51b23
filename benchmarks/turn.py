"""Speed of whole turns over real stdio, each figure beside a floor measured in the same run.

python benchmarks/turn.py
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from tests.fakes.openai_server import (
    Reply,
    ScriptedServer,
    ThreadedServer,
    example,
    text,
    tool_call,
)
from tests.fakes.responses import custom_call, message, response
from tests.talk import ready, wait_for, wait_for_chunk
from tests.wire_client import WireClient

ROUNDS = 21
STOPPED = {
    "while True: pass": "while True: pass",
    "time.sleep(60)": "time.sleep(60)",
    "await asyncio.sleep(60)": "await asyncio.sleep(60)",
    "a child process": "subprocess.run(['sleep', '60'])",
}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        ScriptedServer.in_thread() as server,
        daemon(home) as client,
    ):
        ready(client, server.url, auto_run=True)
        round_trips(client, server)
        long_code(client, server)
        long_message(client, server)
        interrupts(client)
        flood(client)


def round_trips(client: WireClient, server: ThreadedServer) -> None:
    """The smallest request is the floor."""
    floor = typical(lambda: client.result("oi/interrupt"))
    block = {"language": "python", "code": "pass"}
    client.result("oi/execute", block)
    report("oi/execute of `pass`", typical(lambda: client.result("oi/execute", block)), floor)

    def turn() -> None:
        server.enqueue(*example())
        client.result("oi/stream", {"message": "What's 34/24?"})
        client.result("oi/history/undo")

    turn()
    report("a turn of 34/24", typical(turn), floor)


def long_code(client: WireClient, server: ThreadedServer) -> None:
    """20,000 tokens of code by each API; 5,000 are the floor."""

    def by_chat(pieces: list[str]) -> Reply:
        return tool_call(['{"language": "python", "code": "[', *pieces, ']"}'])

    def by_responses(pieces: list[str]) -> Reply:
        return response(custom_call("python", "[", *pieces, "]"))

    stream_code(client, server, by_chat, text("."))
    client.result("oi/settings/set", {"settings": {"api": "responses"}})
    stream_code(client, server, by_responses, response(message(".")), ", by /responses")
    client.result("oi/settings/set", {"settings": {"api": "auto"}})


def stream_code(
    client: WireClient,
    server: ThreadedServer,
    code: Callable[[list[str]], Reply],
    answer: Reply,
    suffix: str = "",
) -> None:
    """Stream a block, whose code is a list of ones, and report the time that it takes."""

    process = psutil.Process(client.process.pid)

    def stream(tokens: int) -> tuple[float, float]:
        server.enqueue(code(["1, "] * tokens), answer)
        before = cpu(process)
        seconds = timed(lambda: client.result("oi/stream", {"message": "Go"}))
        used = cpu(process) - before
        client.notifications.clear()
        client.result("oi/history/undo")
        return seconds, used

    stream(5_000)
    few, many = ([stream(n) for _ in range(7)] for n in (5_000, 20_000))
    for index, name in enumerate(("20,000 code tokens, against 5,000", "  CPU of the daemon")):
        report(name + suffix, *(median(figures[index] for figures in runs) for runs in (many, few)))


def long_message(client: WireClient, server: ThreadedServer) -> None:
    """20,000 tokens of text: chunks a second, and the daemon's CPU for each."""
    server.enqueue(text(*["word "] * 20_000))
    process = psutil.Process(client.process.pid)
    before = cpu(process)
    seconds = timed(lambda: client.result("oi/stream", {"message": "Go"}))
    used = cpu(process) - before
    print(f"{'20,000 message tokens':44} {20_000 / seconds:9,.0f} chunks/s")
    print(f"{'  CPU of the daemon for each':44} {used / 20_000 * 1e6:9.1f} us")


def interrupts(client: WireClient) -> None:
    """From the request to the turn's result."""
    imports = {"language": "python", "code": "import asyncio, subprocess, time"}
    client.result("oi/execute", imports)
    floor = typical(lambda: client.result("oi/interrupt"))
    for name, code in STOPPED.items():

        def stop(code: str = code) -> float:
            client.notifications.clear()
            turn = client.send("oi/execute", {"language": "python", "code": code})
            wait_for_chunk(client, "active_line")
            time.sleep(0.05)  # into the middle of it
            return timed(lambda: (client.send("oi/interrupt"), client.answer(turn)))

        report(f"interrupt of {name}", median(stop() for _ in range(ROUNDS)), floor)


def flood(client: WireClient) -> None:
    """200,000 prints to a client that does not read meanwhile: growth of the daemon's memory."""
    process = psutil.Process(client.process.pid)
    before = process.memory_info().rss
    code = "for i in range(200000): print(i)\nprint('the end')"
    started = time.perf_counter()
    turn = client.send("oi/execute", {"language": "python", "code": code})
    worst = before
    while time.perf_counter() - started < 3:
        worst = max(worst, process.memory_info().rss)
        time.sleep(0.01)
    wait_for(client, lambda params: "the end" in params["chunk"].get("output", ""))
    client.answer(turn)
    print(f"{'200,000 prints, unread: memory grows by':44} {(worst - before) / 1e6:9.1f} MB")


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def typical(work: Callable[[], Any]) -> float:
    return median(timed(work) for _ in range(ROUNDS))


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(name: str, seconds: float, floor: float) -> None:
    print(
        f"{name:44} {seconds * 1e3:9.2f} ms   floor {floor * 1e3:7.2f} ms   x{seconds / floor:.1f}"
    )


@contextmanager
def daemon(home: str) -> Iterator[WireClient]:
    with WireClient(environ={"HOME": home}) as client:
        client.result("oi/status")
        yield client


if __name__ == "__main__":
    main()
