"""The real daemon against a model server that means harm: memory, time and texts are bounded."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from oi_daemon.messages.text import without_controls
from tests.fakes.hostile_server import (
    Attack,
    HostileServer,
    endless,
    endless_error,
    endless_heads,
    event,
    gzip_bomb,
    many_calls,
    silent_error,
    slow_head,
    stream,
    tiny_chunks,
    whole,
)
from tests.talk import ready
from tests.wire_client import WireClient

GROWTH = 64 << 20
"""Bytes by which the daemon may grow, by all attacks together."""
PROMPT = 1.0
"""Seconds of processor time within which the daemon must answer.

It is meant to be 0.05; chunks that wait for this slow reader come before an answer, and count.
"""
EVIL = "\x1b[2J\x1b]52;c;AAAA\x07\u202eevil"
JSON = "Content-Type: application/json"
WORDS = event(content="word " * 100)
CALL = {
    "index": 0,
    "function": {"name": "execute", "arguments": '{"language": "python", "code": "'},
}
CODE = event(tool_calls=[{"index": 0, "function": {"arguments": "x"}}])


@dataclass
class Victim:
    """A daemon whose model server is hostile."""

    client: "Client"
    server: HostileServer
    process: psutil.Process
    before: int
    """Its memory after an ordinary turn."""
    slowest: float = 0.0
    """The longest time that an answer of it took; other programs of this machine count too."""
    busiest: float = 0.0
    """The most processor time that it took for an answer, which is what it can help."""

    def attack(self, attack: Attack) -> int:
        """Ask the hostile model in an empty conversation; return the request's id."""
        self.client.result("oi/history/set", {"messages": []})
        self.server.attack = attack
        return self.client.send("oi/stream", {"message": "Hi"})

    def watch(self, request_id: int) -> dict[str, object]:
        """Ask for the status until the turn has ended; return its answer."""
        while True:
            self.ask("oi/status")
            if done := self.client.done(request_id):
                return done
            time.sleep(0.01)

    def processor_time(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def ask(self, method: str) -> object:
        """Return a result that must come at once."""
        started, used = time.monotonic(), self.processor_time()
        result = self.client.result(method)
        self.slowest = max(self.slowest, time.monotonic() - started)
        busy = self.processor_time() - used
        self.busiest = max(self.busiest, busy)
        assert busy < PROMPT, method
        grown = self.process.memory_info().rss - self.before
        assert grown < GROWTH, f"{grown >> 20} MB"
        return result


class Client(WireClient):
    """Can look for an answer without waiting for it."""

    def done(self, request_id: int) -> dict[str, object] | None:
        found = [answer for answer in self._answers if answer["id"] == request_id]
        if not found:
            return None
        self._answers.remove(found[0])
        return found[0]


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    with HostileServer(stream(WORDS)) as server, Client() as client:
        assert isinstance(client, Client)
        ready(client, server.url, model="gpt-4o", auto_run=True)
        for _ in range(3):
            client.result("oi/stream", {"message": "Hi"})
        process = psutil.Process(client.process.pid)
        it = Victim(client, server, process, process.memory_info().rss)
        yield it
        grown = (process.memory_info().rss - it.before) / (1 << 20)
        print(  # noqa: T201
            f"\ngrown by {grown:.0f} MB; the slowest answer took {it.slowest * 1e3:.0f} ms,"
            f" {it.busiest * 1e3:.0f} ms of processor time"
        )


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        pytest.param(gzip_bomb(b"x", 1000), "larger than a megabyte", id="gzip bomb, one line"),
        pytest.param(
            gzip_bomb(event(content="x" * 4000), 500), "1,000,000 characters", id="gzip bomb, words"
        ),
        pytest.param(
            gzip_bomb(b": keep-alive\n\n", 1000), "larger than 64 megabytes", id="gzip bomb, idle"
        ),
        pytest.param(
            gzip_bomb(b"x", 1000, "400 Bad"), "HTTP 400", id="gzip bomb in an error's body"
        ),
        pytest.param(endless(b"x"), "larger than a megabyte", id="one endless line"),
        pytest.param(endless(WORDS), "1,000,000 characters", id="an endless answer"),
        pytest.param(endless(event(content="ab")), "1,000,000 characters", id="small pieces"),
        pytest.param(endless(event(tool_calls=[CALL])), "read|characters", id="endless call"),
        pytest.param(many_calls(1_000_000), "more than 128 calls", id="a million calls"),
        pytest.param(endless_error, "HTTP 500", id="an endless error"),
        pytest.param(silent_error, "HTTP 400", id="an error's body that never comes"),
        pytest.param(whole("200 OK", b"[" * 900_000), "not an OpenAI", id="deeply nested"),
        pytest.param(
            stream(b'data: {"x": ' + b"[" * 900_000 + b"\n\n"), "not an OpenAI", id="nested event"
        ),
        pytest.param(
            whole("429 Slow", b"{}", "Retry-After: 86400"), "wait for 24 hours", id="a day's wait"
        ),
        pytest.param(
            whole("400 Bad", json.dumps({"error": {"message": EVIL}}).encode(), JSON),
            "evil",
            id="an evil text",
        ),
        pytest.param(
            whole("200 OK", b"", "Content-Encoding: br"), "not asked for", id="odd compression"
        ),
    ],
)
def test_an_attack_ends_with_an_error_that_says_what_happened(
    victim: Victim, attack: Attack, words: str
) -> None:
    answer = victim.watch(victim.attack(attack))
    assert "error" in answer, answer
    message = answer["error"]["message"]  # type: ignore[index]
    assert re.search(words, message), message
    assert message == without_controls(message)
    assert len(message) < 3000


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(slow_head(0.2), id="a slow head"),
        pytest.param(endless(b": keep-alive\n\n"), id="endless comments"),
        pytest.param(endless(b'data: {"choices": []}\n\n'), id="endless empty events"),
        pytest.param(tiny_chunks, id="tiny chunks"),
        pytest.param(endless_heads, id="endless heads"),
        pytest.param(endless(WORDS), id="an endless answer"),
        pytest.param(whole("429 Slow", b"{}", "Retry-After: 50"), id="a wait of almost a minute"),
    ],
)
def test_an_interrupt_ends_it_at_once(victim: Victim, attack: Attack) -> None:
    turn = victim.attack(attack)
    for _ in range(5):
        victim.ask("oi/status")
    victim.ask("oi/interrupt")
    used = victim.processor_time()
    assert victim.client.answer(turn)["result"]["status"] == "interrupted"
    assert victim.processor_time() - used < PROMPT


def test_a_wait_is_announced(victim: Victim) -> None:
    del victim.client.notifications[:]
    turn = victim.attack(whole("429 Slow", EVIL.encode(), "Retry-After: 50"))
    while not (notices := [n["params"] for n in victim.client.notifications]):
        victim.client.read_one()
    notice = notices[0]["chunk"]["notice"]
    assert (notice["kind"], notice["seconds"]) == ("retry", 50)
    assert notices[0]["state"] == "retrying"
    assert notice["message"] == without_controls(notice["message"])
    victim.ask("oi/interrupt")
    assert victim.client.answer(turn)["result"]["status"] == "interrupted"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_the_conversation_is_not_redirected_to_another_server(victim: Victim, status: str) -> None:
    with HostileServer(stream(WORDS)) as other:
        location = f"Location: {other.url}/chat/completions"
        answer = victim.watch(victim.attack(whole(status, b"", location)))
        assert other.url.removesuffix("/v1") in answer["error"]["message"]  # type: ignore[index]
        assert "was not sent there" in answer["error"]["message"]  # type: ignore[index]
        assert other.requests == []


def test_afterwards_an_ordinary_turn_goes_well(victim: Victim) -> None:
    answer = victim.watch(victim.attack(stream(WORDS)))
    assert answer["result"]["status"] == "done"  # type: ignore[index]
