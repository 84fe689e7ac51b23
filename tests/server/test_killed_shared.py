"""Whoever is killed at whatever moment: what was finished is kept, the next client is served at
once, and in the end nothing is left.

OI_TEST_SHARED_KILLS is in how many rounds: few as a rule, 1,000 to be sure.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.openai_server import Reply, ScriptedServer, text
from tests.processes import command_line
from tests.server.shared import client, ran, socket_path, stopped_at_the_end
from tests.talk import KEY, code
from tests.wire_client import WireClient, eventually

COUNT = int(os.environ.get("OI_TEST_SHARED_KILLS", "8"))
SEED = int(os.environ.get("OI_TEST_SEED", "1"))
IN_A_CONVERSATION = 8
"""Rounds that go on in the same conversations."""

SLOW = """\
import time
for number in range(20):
    print(number, flush=True)
    time.sleep(0.005)
print("ran {}")
"""


@dataclass
class Work:
    """What is asked for in one round, and has not been answered yet."""

    kind: str
    conversation: str
    request: int
    last: str
    """What the conversation holds when the work is done."""
    chunks: int = 0
    """How many chunks have told of it."""


@dataclass
class Kept:
    """What the daemon has said is finished."""

    turns: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)
    """The messages of each turn, by the conversation."""
    value: int | None = None
    """What the variable holds; None if that is not known, or the interpreter has died."""

    def add(self, work: Work, answer: dict[str, Any], number: int) -> None:
        if "result" not in answer:
            return
        messages = saved(number) if work.kind == "save" else answer["result"]["messages"]
        self.turns.setdefault(work.conversation, []).append(messages)

    def missing(self, conversation: str, messages: list[dict[str, Any]]) -> str:
        """Which turn the conversation has lost; nothing if it has all, in their order."""
        place = 0
        for turn in self.turns.get(conversation, []):
            while messages[place : place + len(turn)] != turn:
                place += 1
                if place > len(messages):
                    return f"{turn} is not in {messages}"
            place += len(turn)
        return ""


def saved(number: int) -> list[dict[str, Any]]:
    """Messages that a client has saved itself."""
    return [
        {"role": "user", "message": f"Keep {number}"},
        {"role": "assistant", "message": f"Kept {number}."},
    ]


def reply(body: dict[str, Any]) -> Reply:
    """The model writes a block for the number that it is told, and says so after it has run."""
    messages = body["messages"]
    asked = max(place for place, each in enumerate(messages) if each["role"] == "user")
    number = str(messages[asked]["content"]).split()[-1]
    if asked < len(messages) - 1:
        return text("Done", " with", f" {number}").but(delay=0.005)
    return text("Let", " me", " see.").but(delay=0.005) + code(SLOW.format(number))


class Rounds:
    """In each, somebody is killed while work is under way."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self.died = Counter[str]()
        self._home = home
        self._environ = environ
        self._chance = random.Random(SEED)
        self._kept = Kept()
        self._number = 0
        self._next = self._client()
        self._next.result("oi/status")

    def go(self, number: int) -> None:
        """One round."""
        self._number = number
        victim = self._chance.choice(tuple(VICTIMS))
        self.died[victim] += 1
        with ExitStack() as clients:
            first = clients.enter_context(self._next)
            works = self._begin(first)
            other = clients.enter_context(self._client())
            attaching = other.send(
                "oi/attach", {"conversation": self._chance.choice(works).conversation}
            )
            self._listen(first, works, self._chance.choice((0, 0.02, 0.2, 0.5)))
            before = self._family()
            VICTIMS[victim](self, first)
            self._next = self._client()
            assert "pid" in self._next.result("oi/status"), victim
            if victim in ENDS_THE_DAEMON:
                assert first.exit_code() == 1
                with suppress(EOFError):  # it was served by the one that was killed
                    assert "result" in other.answer(attaching)
                eventually(lambda: not any(map(lives, before)), "all have ended")
            else:
                self._finish(works, whole=victim not in ENDS_A_WORKER)
            if victim not in ENDS_A_CLIENT | ENDS_THE_DAEMON:
                while any(first.answered(work.request) is None for work in works):
                    first.read_one()
            self._note(first, works)
            if victim in ENDS_THE_DAEMON | ENDS_A_WORKER:
                self._kept.value = None
            self._check({work.conversation for work in works})
            if self._kept.value is not None:
                assert self._run("print(kept)") == str(self._kept.value)

    def close(self) -> None:
        """Everything that was finished is there, from the first round on."""
        with self._next:
            self._check(set(self._kept.turns))

    def _client(self) -> WireClient:
        return client(self._environ)

    def _conversation(self, kind: str) -> str:
        if kind == "save":  # what is saved takes the place of what was there
            return f"save-{self._number}"
        return f"{kind}-{self._number // IN_A_CONVERSATION}"

    def _begin(self, first: WireClient) -> list[Work]:
        """Ask for work of each kind, in an order of chance."""
        first.notifications.clear()
        kinds = ["chat", "block", "question", "save"]
        self._chance.shuffle(kinds)
        return [self._ask(first, kind) for kind in kinds]

    def _ask(self, first: WireClient, kind: str) -> Work:
        number, conversation = self._number, self._conversation(kind)
        here = {"conversation": conversation}
        last = f"Done with {number}"
        match kind:
            case "chat":
                params = {"message": f"Go {number}", "settings": {"auto_run": True}}
                request = first.send("oi/stream", {**here, **params})
            case "question":
                request = first.send("oi/stream", {**here, "message": f"Ask {number}"})
            case "block":
                source = SLOW.format(number) + f"kept = {number}"
                request = first.send("oi/execute", {**here, "language": "python", "code": source})
                last = f"ran {number}"
            case _:
                request = first.send("oi/history/set", {**here, "messages": saved(number)})
                last = f"Kept {number}."
        return Work(kind, conversation, request, last)

    def _listen(self, first: WireClient, works: list[Work], most: float) -> None:
        """Read what comes until a moment of chance."""
        until = time.monotonic() + most * self._chance.random()
        while (left := until - time.monotonic()) > 0 and first.readable(left):
            first.read_one()
        for work in works:
            told = (each["params"].get("conversation") for each in first.notifications)
            work.chunks = sum(1 for conversation in told if conversation == work.conversation)

    def _family(self) -> list[psutil.Process]:
        """The daemon, its guards and its workers."""
        found = []
        for process in ours(self._home):
            if "--stdio" not in command_line(process):
                found.append(process)
        return found

    # Who dies

    def client_dies(self, first: WireClient) -> None:
        first.hang_up()

    def door_dies(self, first: WireClient) -> None:
        first.process.send_signal(self._chance.choice((signal.SIGKILL, signal.SIGTERM)))

    def both_die(self, first: WireClient) -> None:
        first.process.kill()
        first.hang_up()

    def daemon_dies(self, first: WireClient) -> None:
        self._kill_daemon(signal.SIGKILL)

    def daemon_is_ended(self, first: WireClient) -> None:
        self._kill_daemon(signal.SIGTERM)

    def daemon_is_stopped(self, first: WireClient) -> None:
        assert ran("stop", "--yes").returncode == 0

    def all_die_again_and_again(self, first: WireClient) -> None:
        """Also those that have just been started, and whoever was starting the daemon."""
        self._kill_daemon(signal.SIGKILL)
        for _ in range(3):
            with self._client() as starter, self._client() as second:
                time.sleep(0.15 * self._chance.random())  # a moment of chance
                starter.process.kill()
                if self._chance.random() < 0.5:
                    self._kill_daemon(signal.SIGKILL)
                else:
                    assert "pid" in second.result("oi/status")

    def worker_dies(self, first: WireClient) -> None:
        self._kill_one(lambda line: "python_worker" in line or "/bash" in line)

    def guard_dies(self, first: WireClient) -> None:
        self._kill_one(lambda line: "oi-guard" in line or "oi-watch" in line)

    def _kill_daemon(self, number: signal.Signals) -> None:
        for process in self._family():
            if command_line(process)[-2:] == ["oi-daemon", "--shared"]:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    def _kill_one(self, is_wanted: Callable[[str], bool]) -> None:
        found = [each for each in self._family() if is_wanted(" ".join(command_line(each)))]
        if found:
            with suppress(psutil.NoSuchProcess):
                self._chance.choice(found).kill()

    # What came of it

    def _finish(self, works: list[Work], *, whole: bool) -> None:
        """What was begun goes on to its end, a question after the next client's yes."""
        following = self._next
        for work in works:
            attached = following.result("oi/attach", {"conversation": work.conversation})
            approval = attached.get("turn", {}).get("approval")
            while approval is None and attached["state"] != "idle":
                message = following.read_one()
                params = message.get("params", {})
                if params.get("conversation") == work.conversation:
                    approval = params.get("approval")
                    if params["chunk"].get("event", {}).get("kind") == "ended":
                        break
            if approval is not None:
                name = approval["id"] if isinstance(approval, dict) else approval
                answer = {"conversation": work.conversation, "approval": name, "decision": "run"}
                following.result("oi/approve", answer)
        eventually(self._is_idle, "all turns end")
        for work in works:
            if whole and work.chunks:
                assert work.last in str(self._messages(work.conversation)), work

    def _is_idle(self) -> bool:
        status = self._next.result("oi/status")["conversations"]
        return all(each["state"] == "idle" for each in status)

    def _note(self, first: WireClient, works: list[Work]) -> None:
        """Note what the first client was told of, which may be dead."""
        if not first.has_hung_up:
            first.process.kill()
            first.drain()
        for work in works:
            answer = first.answered(work.request)
            if work.kind == "block":
                has_run = work.chunks or (answer and "result" in answer)
                self._kept.value = self._number if has_run else None
            if answer is not None:
                self._kept.add(work, answer, self._number)

    def _check(self, conversations: set[str]) -> None:
        for conversation in conversations:
            missing = self._kept.missing(conversation, self._messages(conversation))
            assert not missing, conversation

    def _messages(self, conversation: str) -> list[dict[str, Any]]:
        got = self._next.result("oi/history/get", {"conversation": conversation})
        return list(got["messages"])

    def _run(self, source: str) -> str:
        params = {
            "conversation": self._conversation("block"),
            "language": "python",
            "code": source,
        }
        return str(self._next.result("oi/execute", params)["messages"][0].get("output"))


VICTIMS: dict[str, Callable[[Rounds, WireClient], None]] = {
    "client": Rounds.client_dies,
    "door": Rounds.door_dies,
    "client and door": Rounds.both_die,
    "daemon": Rounds.daemon_dies,
    "daemon, by SIGTERM": Rounds.daemon_is_ended,
    "daemon, by stop": Rounds.daemon_is_stopped,
    "all, repeatedly": Rounds.all_die_again_and_again,
    "worker": Rounds.worker_dies,
    "guard": Rounds.guard_dies,
}
ENDS_A_CLIENT = {"client", "door", "client and door"}
ENDS_THE_DAEMON = {"daemon", "daemon, by SIGTERM", "daemon, by stop", "all, repeatedly"}
ENDS_A_WORKER = {"worker"}


def ours(home: Path) -> Iterator[psutil.Process]:
    """All processes that live in this home."""
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            environ = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
            if f"HOME={home}".encode() in environ and lives(process):
                yield process


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def in_a_home(home: Path) -> Iterator[dict[str, str]]:
    """A model server, and the environment that leads clients to it; nothing is left at the end."""
    with ScriptedServer.in_thread() as server:
        server.respond(reply)
        with stopped_at_the_end():
            yield {"OI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
    eventually(lambda: not list(ours(home)), "all processes have ended")
    assert [path for path in socket_path().parent.iterdir() if path.is_socket()] == []


@pytest.mark.timeout(max(300, COUNT * 20))
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_nothing_finished_is_lost_nothing_is_left_and_the_next_is_served(home: Path) -> None:
    with in_a_home(home) as environ:
        rounds = Rounds(home, environ)
        for number in range(COUNT):
            try:
                rounds.go(number)
            except BaseException as error:
                error.add_note(f"round {number} of seed {SEED}, {rounds.died}")
                raise
        rounds.close()
    sys.stdout.write(f"\nseed {SEED}, {COUNT} rounds: {dict(rounds.died)}\n")
