"""Signals to the program in a terminal: it gives the terminal back, and comes back to it."""

import signal
import termios

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import code
from tests.terminal.conftest import Open
from tests.terminal.terminal import COMMAND, CTRL_C, CTRL_D, ENTER, Terminal

CTRL_Z = "\x1a"
SHOW_CURSOR = b"\x1b[?25h"


@pytest.fixture
def shell(terminal: Open, environ: dict[str, str]) -> Terminal:
    """An interactive shell, in which jobs are controlled."""
    it = terminal("--norc", "-i", command="/bin/bash", environ=environ | {"PS1": "shell: "})
    it.wait_for("shell:")
    return it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_at_the_prompt_the_terminal_is_as_before(terminal: Open, number: int) -> None:
    it = terminal(command=str(COMMAND))  # coverage has a handler of its own
    before = termios.tcgetattr(it.master)
    it.wait_for_prompt()
    assert termios.tcgetattr(it.master) != before
    it.process.send_signal(number)
    assert it.process.wait(10) == -number
    assert termios.tcgetattr(it.master) == before


def test_during_a_turn_the_cursor_is_given_back(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(text("One", " two.").but(hold_after=1))
    it = terminal("Count", command=str(COMMAND))
    it.wait_for("One")
    it.process.send_signal(signal.SIGTERM)
    assert it.wait() == -signal.SIGTERM
    hidden = it.received.rindex(b"\x1b[?25l")
    assert SHOW_CURSOR in it.received[hidden:]


def test_at_the_prompt_it_is_suspended_and_comes_back(
    shell: Terminal, server: ThreadedServer
) -> None:
    server.enqueue(text("Here."))
    shell.say(str(COMMAND))
    shell.wait_for_prompt()
    shell.type("Are you" + CTRL_Z)
    shell.wait_for("Stopped")
    shell.wait_for(lambda _: shell.last_line == "shell:")
    shell.say("fg")
    shell.wait_for(lambda _: shell.last_line == "> Are you")
    shell.type(" there?" + ENTER)
    shell.wait_for("Here.")
    assert server.bodies[-1]["messages"][-1]["content"] == "Are you there?"
    shell.wait_for_prompt()
    shell.type(CTRL_D)
    shell.wait_for(lambda _: shell.last_line == "shell:")


def test_during_a_turn_it_is_suspended_and_comes_back(
    shell: Terminal, server: ThreadedServer
) -> None:
    server.enqueue(text("One", " two.").but(hold_after=1), text("Again."))
    shell.say(str(COMMAND))
    shell.wait_for_prompt()
    shell.say("Count")
    shell.wait_for("One")
    shell.type(CTRL_Z)
    shell.wait_for("Stopped")
    assert SHOW_CURSOR in shell.received[shell.received.rindex(b"\x1b[?25l") :]
    server.release()
    shell.say("fg")
    shell.wait_for("One two.")
    shell.wait_for_prompt()


def test_a_question_is_suspended_and_comes_back(shell: Terminal, server: ThreadedServer) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    shell.say(f"{COMMAND} go")
    shell.wait_for("Run this code?")
    shell.type(CTRL_Z)
    shell.wait_for("Stopped")
    shell.wait_for(lambda _: shell.last_line == "shell:")
    shell.say("fg")
    shell.wait_for(lambda _: "Run this code?" in shell.last_line)
    shell.say("y")
    shell.wait_for("Done.")


def test_where_the_cursor_cannot_be_moved_the_first_ctrl_c_clears_and_the_second_quits(
    terminal: Open, environ: dict[str, str], server: ThreadedServer
) -> None:
    server.enqueue(text("Hello."))
    it = terminal(environ=environ | {"TERM": "dumb"})
    it.wait_for_prompt()
    it.type("half a line" + CTRL_C)
    it.wait_for("(Ctrl-C again quits) >")
    it.say("Hi")
    it.wait_for("Hello.")
    assert server.bodies[-1]["messages"][-1]["content"] == "Hi"
    it.wait_for_prompt()
    it.type(CTRL_C)
    it.wait_for(lambda shown: shown.count("(Ctrl-C again quits) >") == 2)
    it.type(CTRL_C)
    assert it.wait() == 0
