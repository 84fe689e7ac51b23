"""How fast the daemon answers, over stdio, while its model server attacks it; and its memory.

python benchmarks/hostile.py [seconds for each attack]

Each figure stands beside that of the same daemon at rest, in the same run.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from tests.fakes.hostile_server import (
    Attack,
    HostileServer,
    endless,
    endless_error,
    endless_heads,
    event,
    gzip_bomb,
    many_calls,
    slow_head,
    stream,
    tiny_chunks,
    whole,
)

SECONDS = 3.0
BETWEEN = 0.01
"""Seconds between two requests for the status."""
WORDS = event(content="word " * 100)
ATTACKS: dict[str, Callable[[], Attack]] = {
    "gzip bomb, one line": lambda: gzip_bomb(b"x", 1000),
    "gzip bomb, words": lambda: gzip_bomb(event(content="x" * 4000), 500),
    "gzip bomb in an error": lambda: gzip_bomb(b"x", 1000, "400 Bad"),
    "one endless line": lambda: endless(b"x"),
    "endless answer": lambda: endless(WORDS),
    "endless small pieces": lambda: endless(event(content="ab")),
    "endless comments": lambda: endless(b": keep-alive\n\n"),
    "endless empty events": lambda: endless(b'data: {"choices": []}\n\n'),
    "tiny chunks": lambda: tiny_chunks,
    "endless heads": lambda: endless_heads,
    "a million calls": lambda: many_calls(1_000_000),
    "endless error": lambda: endless_error,
    "deeply nested": lambda: whole("200 OK", b"[" * 900_000),
    "slow head": lambda: slow_head(0.2),
    "Retry-After": lambda: whole("429 Slow", b"{}", "Retry-After: 50"),
}
NORMAL = stream(WORDS)


class Daemon:
    """A daemon over stdio, whose answers are timed when they arrive."""

    def __init__(self, settings: dict[str, object]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "oi_daemon", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._answers: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        self._last_id = 0
        self._early: dict[int, tuple[float, dict[str, Any]]] = {}
        threading.Thread(target=self._read, daemon=True).start()
        self.ask("oi/settings/set", {"settings": settings})

    def send(self, method: str, params: dict[str, object] | None = None) -> tuple[int, float]:
        """Send a request: its id, and when it was sent."""
        self._last_id += 1
        call = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params or {}}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(call).encode() + b"\n")
        started = time.perf_counter()
        self.process.stdin.flush()
        return self._last_id, started

    def answer(self, request: int) -> tuple[float, dict[str, Any]]:
        """Wait for an answer: when it came, and what it is."""
        while request not in self._early:
            arrived, answer = self._answers.get(timeout=60)
            self._early[answer["id"]] = arrived, answer
        return self._early.pop(request)

    def has_answered(self, request: int) -> bool:
        while not self._answers.empty():
            arrived, answer = self._answers.get()
            self._early[answer["id"]] = arrived, answer
        return request in self._early

    def ask(self, method: str, params: dict[str, object] | None = None) -> float:
        """Seconds until the answer to a request."""
        request, started = self.send(method, params)
        return self.answer(request)[0] - started

    def memory(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            arrived = time.perf_counter()
            if not line.startswith(b'{"jsonrpc":"2.0","method"'):
                self._answers.put((arrived, json.loads(line)))


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as place, hostile() as (url, attack):
        for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            os.environ[name] = place
        settings: dict[str, object] = {
            "api_base": url,
            "api_key": "sk-benchmark",
            "model": "gpt-4o",
        }
        daemon = Daemon(settings)
        for _ in range(3):
            daemon.ask("oi/stream", {"message": "Hi"})
        rest = sorted(daemon.ask("oi/status") for _ in range(int(seconds / BETWEEN)))
        print(f"at rest: status {ms(median(rest))}, slowest {ms(rest[-1])}")
        before, slowest, cut = daemon.memory(), 0.0, 0.0
        for name in ATTACKS:
            attack(name)
            status, interrupt, end, ended = attacked(daemon, seconds)
            slowest, cut = max(slowest, status[-1]), max(cut, interrupt)
            print(
                f"{name}: status {ms(median(status))} ({median(status) / median(rest):.1f} times"
                f" rest), slowest {ms(status[-1])} of {len(status)}; interrupt {ms(interrupt)},"
                f" {'the turn had ended' if ended else f'its turn ended after {ms(end)}'};"
                f" memory {(daemon.memory() - before) / 2**20:+.0f} MB"
            )
        print(
            f"all attacks: status at most {ms(slowest)}, interrupt at most {ms(cut)}"
            f" (goal: 50 ms), memory {(daemon.memory() - before) / 2**20:+.0f} MB (goal: 64)"
        )
        daemon.process.kill()


def attacked(daemon: Daemon, seconds: float) -> tuple[list[float], float, float, bool]:
    """Ask during turns for so long: times of status, sorted, and of an interrupt and its turn."""
    status: list[float] = []
    until = time.perf_counter() + seconds
    daemon.ask("oi/history/set", {"messages": []})
    turn, _ = daemon.send("oi/stream", {"message": "Hi"})
    while time.perf_counter() < until:
        status.append(daemon.ask("oi/status"))
        time.sleep(BETWEEN)
        if daemon.has_answered(turn):
            daemon.answer(turn)
            daemon.ask("oi/history/set", {"messages": []})
            turn, _ = daemon.send("oi/stream", {"message": "Hi"})
    request, started = daemon.send("oi/interrupt")
    arrived, answer = daemon.answer(request)
    end, _ = daemon.answer(turn)
    return sorted(status), arrived - started, end - started, not answer["result"]["interrupted"]


@contextmanager
def hostile() -> Iterator[tuple[str, Any]]:
    """A model server in a process of its own: its URL, and what sets its attack by its name."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def attack(name: str) -> None:
            stdin.write(f"{name}\n")
            stdin.flush()
            stdout.readline()

        try:
            yield stdout.readline().strip(), attack
        finally:
            process.kill()


def serve() -> None:
    with HostileServer(NORMAL) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            server.attack = ATTACKS[line.strip()]()
            print("set", flush=True)


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
