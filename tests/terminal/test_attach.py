"""`interpreter --attach`, in a terminal and in a pipe: what runs in the shared daemon goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.server.shared import stopped_at_the_end
from tests.talk import code
from tests.terminal.conftest import Open
from tests.terminal.terminal import COMMAND, CTRL_C, DOWN, ENTER, Terminal

QUESTION = "Run this code?"
WAIT = """\
import os, time
print('be' + 'gun')
while not os.path.exists({path!r}):
    time.sleep(0.01)
print('ov' + 'er')"""


@pytest.fixture(autouse=True)
def daemon() -> Iterator[None]:
    with stopped_at_the_end():
        yield


def left(terminal: Open, words: str, until: str, *answers: str) -> None:
    """Ask in a terminal with the shared daemon, and kill it when it shows this."""
    it: Terminal = terminal("--shared")
    it.wait_for_prompt()
    it.say(words)
    for answer in answers:
        it.wait_for(QUESTION)
        it.say(answer)
    it.wait_for(until)
    it.process.kill()
    it.process.wait()


def piped(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env={**os.environ, **environ},
        input="",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_killed_terminals_question_is_asked_again_and_the_conversation_goes_on(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(code("x = 6 * 7\nprint(x)"), text("It is 42."), text("Bye."))
    left(terminal, "Compute", QUESTION)
    it = terminal("--attach")
    it.wait_for(QUESTION)
    assert "> Compute" in it.text
    assert "x = 6 * 7" in it.text
    it.say("y")
    it.wait_for("It is 42.")
    it.wait_for_prompt()
    assert "42" in it.lines
    it.say("%who")
    it.wait_for(lambda shown: "int" in shown)
    it.say("Thanks")
    it.wait_for("Bye.")


def test_a_block_that_runs_is_followed_to_its_end(
    terminal: Open, server: ThreadedServer, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    server.enqueue(code(WAIT.format(path=str(go))), text("Done."))
    left(terminal, "Wait", "begun", "y")
    it = terminal("--attach")
    it.wait_for("begun")
    go.touch()
    it.wait_for("Done.")
    it.wait_for_prompt()
    assert [line for line in it.lines if line in ("begun", "over")] == ["begun", "over"]


def test_ctrl_c_stops_the_turn_that_is_followed(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(code("print('be' + 'gun')\nwhile True: pass"))
    left(terminal, "Loop", "begun", "y")
    it = terminal("--attach")
    it.wait_for("begun")
    it.type(CTRL_C)
    it.wait_for("Interrupted.")
    it.wait_for_prompt()
    it.say("%history")
    it.wait_for("  python  ")


def test_of_several_conversations_one_is_chosen_and_in_a_pipe_they_are_listed(
    terminal: Open, server: ThreadedServer, environ: dict[str, str]
) -> None:
    server.enqueue(text("One."), text("Two."))
    left(terminal, "First words", "One.")
    left(terminal, "Second words", "Two.")
    done = piped(environ, "--attach")
    second, first = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "First words  (idle, 2 messages)" in first
    assert "Second words" in second
    it = terminal("--attach")
    it.wait_for("First words")
    it.type(DOWN + ENTER)
    it.wait_for("One.")
    it.wait_for_prompt()
    it.say(f"%attach {second.split()[0]}")
    it.wait_for("Two.")
    it.wait_for_prompt()
    assert "One." in piped(environ, "--attach", first.split()[0]).stdout


def test_in_a_pipe_nothing_that_waits_is_declined(
    terminal: Open, server: ThreadedServer, environ: dict[str, str]
) -> None:
    server.enqueue(code("print(6 * 7)"), text("It is 42."))
    left(terminal, "Compute", QUESTION)
    done = piped(environ, "-y", "--attach")
    assert done.returncode == 0
    assert "[output]\n42\n" in done.stdout


def test_without_anything_to_attach_to_it_says_so(environ: dict[str, str]) -> None:
    done = piped(environ, "--attach")
    assert done.returncode == 1
    assert "has no running conversation" in done.stderr
    assert "There is no conversation gone" in piped(environ, "--attach", "gone").stderr


def test_a_private_conversation_cannot_attach(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%attach")
    it.wait_for("interpreter --shared")
    it.say("%help")
    it.wait_for("%attach [ID]")
