"""Ctrl-C at any moment of a turn: the prompt is back, nothing runs on, nothing is lost."""

import json
import random
from pathlib import Path

from tests.fakes.openai_server import ScriptedServer, ThreadedServer, text
from tests.talk import KEY, code
from tests.terminal.terminal import CTRL_C, CTRL_D, ENTER, Terminal

ROUNDS = 10
RUN_ON = """\
import itertools, time
for n in itertools.count():
    with open({path!r}, "a") as file: print(n, file=file)
    print("tick", n)
    time.sleep(0.01)"""


def test_at_any_moment_the_prompt_is_back_and_nothing_is_lost(tmp_path: Path, home: Path) -> None:
    ran = tmp_path / "ran"
    words = [f"word{n} " for n in range(60)]
    turn = text(*words).but(delay=0.005) + code(RUN_ON.format(path=str(ran)))
    with ScriptedServer.in_thread(cycle=[turn.but(delay=0.005)]) as server:
        environ = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
        with Terminal("-y", environ=environ) as it:
            interrupt(it, ran, ROUNDS, random.Random(1))
            it.type(CTRL_D)
            assert it.wait() == 0
    assert "Traceback" not in it.text
    (saved,) = home.rglob("conversations/*.json")
    messages = json.loads(saved.read_text())
    asked = [message["message"] for message in messages if message["role"] == "user"]
    rounds = [f"round {n}" for n in range(ROUNDS)]
    assert asked == [name for name in rounds if name in asked]
    assert len(asked) >= ROUNDS - 2  # one may be stopped before it was asked


def interrupt(it: Terminal, ran: Path, rounds: int, moments: random.Random) -> None:
    """Interrupt so many turns at random moments; the prompt comes back and the code has ended."""
    it.wait_for_prompt()
    for n in range(rounds):
        it.say(f"round {n}")
        it.wait_for(lambda _: it.last_line not in (">", f"> round {n}"))  # noqa: B023
        it.watch(moments.uniform(0, 1.2))
        it.type(CTRL_C)
        it.wait_for_prompt()
        size = ran.stat().st_size if ran.exists() else 0
        it.say("%history")
        it.wait_for_prompt()
        assert (ran.stat().st_size if ran.exists() else 0) == size


def test_right_behind_enter_it_stops_the_turn_too(server: ThreadedServer) -> None:
    server.enqueue(text("Never said").but(hold_after=0))
    environ = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
    with Terminal(environ=environ) as it:
        it.wait_for_prompt()
        it.type(f"Wait{ENTER}{CTRL_C}")
        it.wait_for("Interrupted.")
        it.wait_for_prompt()
