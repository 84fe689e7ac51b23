"""An interrupt belongs to its turn from the moment that the request is taken.

OI_TEST_INTERRUPTS is how many are sent: few as a rule, 10,000 to be sure. OI_TEST_LANGUAGES names
the languages of the blocks, between spaces.
"""

import json
import os
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import code, ready
from tests.wire_client import WireClient, request

COUNT = int(os.environ.get("OI_TEST_INTERRUPTS", "40"))
SEED = int(os.environ.get("OI_TEST_SEED", "1"))

PYTHON = (
    "while True: pass",
    "while True: print(1)",
    "import time; time.sleep(60)",
    "import asyncio; await asyncio.sleep(60)",
    "import subprocess; subprocess.run(['sleep', '60'])",
    "import os; os.system('sleep 60')",
    "input('? ')",
    "import threading; threading.Event().wait()",
    "def f(): return f()\nwhile True:\n    try: f()\n    except RecursionError: pass",
    "async def f():\n    while True: pass\nawait f()",
    "sorted(range(10**5), key=lambda i: -i) and [j for i in range(10**4) for j in range(10**4)]",
    "1",
)
SHELL = (
    "while :; do :; done",
    "sleep 60",
    "while :; do echo 1; done",
    "while :; do i=$((i + 1)); done",
    "cat",
    "yes",
    "sleep 60 | cat",
    "f() { while :; do sleep .01; done; }; f",
    "for i in {1..1000000}; do j=$i; done",
    ":",
)
JAVASCRIPT = (
    "for (;;) {}",
    "await new Promise(() => {})",
    "await new Promise((done) => setTimeout(done, 60000))",
    "for (;;) console.log(1)",
    "setInterval(() => {}, 10)",
    "const f = () => { for (;;) f2() }; const f2 = () => 1; f()",
    "require('child_process').execSync('sleep 60')",
    "while (true) await null",
    "1",
)
R = (
    "repeat {}",
    "Sys.sleep(60)",
    "repeat cat(1)",
    "for (i in 1:1e9) j <- i",
    "m <- matrix(runif(250000), 500); repeat m %*% m",
    "system('sleep 60')",
    "f <- function() repeat g(); g <- function() 1; f()",
    "tryCatch(repeat {}, error = function(e) 1)",
    "1",
)
BLOCKS = {"python": PYTHON, "shell": SHELL, "javascript": JAVASCRIPT, "r": R}
LANGUAGES = os.environ.get("OI_TEST_LANGUAGES", " ".join(BLOCKS)).split()
SET = {"python": "x = {}", "shell": "x={}", "javascript": "var x = {}", "r": "x <- {}"}
SHOW = {
    "python": "print(x)",
    "shell": "echo $x",
    "javascript": "console.log(x)",
    "r": "cat(x, '\\n', sep = '')",
}
CRASH = {
    "python": "import os; os._exit(1)",
    "shell": "kill -9 $$",
    "javascript": "process.reallyExit(1)",
    "r": "q()",
}


@dataclass
class Tally:
    """What came of the interrupts."""

    stopped: list[tuple[float, str]] = field(default_factory=list)
    """For each interrupt that was answered by a yes: the milliseconds to the end of its turn, and
    what ran."""
    late: int = 0
    """Interrupts that found nothing to stop any more."""
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    """Blocks that did not stop, with the output."""

    def report(self) -> str:
        slowest = sorted(self.stopped)
        times = [milliseconds for milliseconds, _ in slowest]
        p50, p99 = (times[int(len(times) * part)] for part in (0.5, 0.99))
        return (
            f"{len(times)} stopped, {self.late} too late; lost {len(self.lost)}, doubled"
            f" {len(self.doubled)}, killed {len(self.killed)}; p50 {p50:.0f} ms, p99 {p99:.0f} ms,"
            f" max {times[-1]:.0f} ms; slowest: {slowest[-5:]}"
        )


class Soak:
    """Sends turns and interrupts to one daemon, and looks at what came of each."""

    def __init__(self, client: WireClient, server: ThreadedServer) -> None:
        self.tally = Tally()
        self._client = client
        self._server = server
        self._chance = random.Random(SEED)
        self._values: dict[str, int] = {}
        """What the variable of each language must hold; -1: nothing, as its process is new."""
        self._asked = 0

    def go(self, number: int) -> None:
        language = self._chance.choice(LANGUAGES)
        if language not in self._values:
            self._set(language, number)
        if self._chance.random() < 0.1:
            self._crash(language, number)
        block = self._chance.choice(BLOCKS[language])
        if self._chance.random() < 0.2:
            self._chat(language, block)
        else:
            self._interrupted("oi/execute", {"language": language, "code": block}, block)
        self._check(language, block)

    def _set(self, language: str, value: int) -> None:
        self._values[language] = value
        self._run(language, SET[language].format(value))

    def _crash(self, language: str, number: int) -> None:
        """Python keeps its variables; the others begin anew."""
        told = self._run(language, CRASH[language])
        if language != "python" or "lost" in told:
            del self._values[language]
            if self._chance.random() < 0.5:
                self._set(language, number)
            else:
                self._values[language] = -1

    def _chat(self, language: str, block: str) -> None:
        """A turn in which the model writes the block, slowly or at once."""
        held = self._chance.random() < 0.3
        reply = text("Let", " me", " see")
        written = reply.but(hold_after=2) if held else code(block, language=language)
        self._server.enqueue(written, written, written)  # a turn that was dropped may take one
        self._server.enqueue(*[text("Done.")] * 3)
        self._interrupted("oi/stream", {"message": "Go"}, f"chat: {block}")
        self._server.clear()

    def _interrupted(self, method: str, params: dict[str, Any], what: str) -> None:
        client, together = self._client, self._chance.random() < 0.4
        turn, stop = f"turn {self._asked}", f"stop {self._asked}"
        self._asked += 1
        frames = [request(turn, method, params), request(stop, "oi/interrupt")]
        asked = time.monotonic()
        if together:
            client.write(b"".join(map(client.frame, frames)))
        else:
            client.write(client.frame(frames[0]))
            self._wait(self._chance.choice((0.002, 0.02, 0.1)) * self._chance.random())
            asked = time.monotonic()
            client.write(client.frame(frames[1]))
        stopped = client.answer(stop)["result"]["interrupted"]
        answer = client.answer(turn)
        spent = 1000 * (time.monotonic() - asked)
        status = answer["result"]["status"] if "result" in answer else "error"
        if stopped:
            self.tally.stopped.append((spent, what))
        else:
            self.tally.late += 1
        if stopped != (status == "interrupted"):
            self.tally.lost.append(f"{what}: answered {stopped}, ended {status}")
        told = json.dumps(answer)
        if "was killed" in told or " ended with" in told:
            self.tally.killed.append(f"{what}: {told[-300:]}")
        client.notifications.clear()

    def _wait(self, seconds: float) -> None:
        """Read what comes meanwhile, so that nothing waits for us."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._client.readable(left):
            self._client.read_one()

    def _check(self, language: str, block: str) -> None:
        """The block that follows is not hit, and finds the variable."""
        told = self._run(language, SHOW[language])
        value = self._values[language]
        if value == -1:
            return
        if told.strip() != str(value):
            self.tally.doubled.append(f"after {block}: {told!r} is not {value}")
            self._set(language, value)

    def _run(self, language: str, source: str) -> str:
        turn = self._client.result("oi/execute", {"language": language, "code": source})
        self._client.notifications.clear()
        if turn["status"] != "done":
            self.tally.doubled.append(f"{source}: {turn['status']}")
        return str(turn["messages"][0].get("output", ""))


@pytest.mark.timeout(max(300, COUNT * 5))
def test_none_is_lost_none_hits_another_block_and_variables_are_kept(
    server: ThreadedServer,
) -> None:
    with WireClient() as client:
        ready(client, server.url, auto_run=True)
        soak = Soak(client, server)
        for number in range(COUNT):
            soak.go(number)
    sys.stdout.write(f"\n{soak.tally.report()}\n")
    assert soak.tally.lost == []
    assert soak.tally.doubled == []
    assert soak.tally.killed == []


@pytest.mark.parametrize("language", BLOCKS)
def test_one_that_comes_with_its_block_right_after_a_crash(
    server: ThreadedServer, language: str
) -> None:
    """The block waits in the hand-over then, and there is nothing yet to signal."""
    with WireClient() as client:
        ready(client, server.url, auto_run=True)
        for _ in range(3):
            for block in (SET[language].format(5), CRASH[language]):
                client.result("oi/execute", {"language": language, "code": block})
            endless = {"language": language, "code": BLOCKS[language][0]}
            frames = [request("turn", "oi/execute", endless), request("stop", "oi/interrupt")]
            client.write(b"".join(map(client.frame, frames)))
            assert client.answer("stop")["result"] == {"interrupted": True}
            assert client.answer("turn")["result"]["status"] == "interrupted"
