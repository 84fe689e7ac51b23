"""A block waits for an answer: which one lets it run, and what the others do."""

import sys
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import code
from tests.terminal.conftest import Open
from tests.terminal.terminal import CTRL_C, CTRL_D, ENTER, Terminal

QUESTION = "Run this code?"


@pytest.fixture
def asked(terminal: Open, server: ThreadedServer) -> Terminal:
    """A terminal in which `print(6 * 7)` waits."""
    server.enqueue(code("print(6 * 7)"))
    it = terminal()
    it.wait_for_prompt()
    it.say("Answer?")
    it.wait_for(QUESTION)
    return it


def test_yes_runs_it(asked: Terminal, server: ThreadedServer) -> None:
    server.enqueue(text("It is 42."))
    asked.say("y")
    asked.wait_for("It is 42.")
    assert "42" in asked.lines


@pytest.mark.parametrize("said", ["", "what?", "yep", "y please"])
def test_anything_that_is_no_answer_asks_again(asked: Terminal, said: str) -> None:
    asked.say(said)
    if said:
        asked.wait_for("Please say")
    asked.say("s")
    asked.wait_for_prompt()
    assert "not run" in asked.text


def test_no_skips_it_and_the_model_goes_on(asked: Terminal, server: ThreadedServer) -> None:
    server.enqueue(text("As you like."))
    asked.say("n")
    asked.wait_for("As you like.")
    assert "not run: declined" in asked.text
    assert "42" not in asked.lines


def test_no_and_a_word_is_the_next_message(asked: Terminal, server: ThreadedServer) -> None:
    server.enqueue(text("With seven, then."))
    asked.say("n, use a variable")
    asked.wait_for("With seven, then.")
    assert "> use a variable" in asked.lines
    assert server.bodies[-1]["messages"][-1]["content"] == "use a variable"


def test_stop_ends_the_turn(asked: Terminal, server: ThreadedServer) -> None:
    asked.say("s")
    asked.wait_for_prompt()
    assert len(server.requests) == 1


def test_always_runs_this_one_and_the_next_unasked(asked: Terminal, server: ThreadedServer) -> None:
    server.enqueue(code("print('unasked')"), text("Done."))
    asked.say("a")
    asked.wait_for("Done.")
    assert "unasked" in asked.lines


def test_always_is_shown_at_the_prompt_and_can_be_taken_back(
    asked: Terminal, server: ThreadedServer
) -> None:
    server.enqueue(text("Done."), text("Fresh."))
    asked.say("a")
    asked.wait_for("auto_run >")
    asked.say("%auto_run false")
    asked.wait_for("You are asked before code runs.")
    asked.wait_for(lambda text: asked.last_line == ">")


def test_a_reset_ends_always(asked: Terminal, server: ThreadedServer) -> None:
    server.enqueue(text("Done."), code("print('new')"))
    asked.say("a")
    asked.wait_for("auto_run >")
    asked.say("%reset")
    asked.wait_for(lambda text: asked.last_line == ">")
    asked.say("Again")
    asked.wait_for(QUESTION)


@pytest.mark.parametrize("keys", [CTRL_D, CTRL_C])
def test_the_end_of_input_and_an_interrupt_are_a_no(asked: Terminal, keys: str) -> None:
    asked.type(keys)
    asked.wait_for_prompt()
    assert "42" not in asked.lines
    assert "Traceback" not in asked.text


def test_what_the_editor_leaves_is_what_runs(
    terminal: Open, server: ThreadedServer, environ: dict[str, str]
) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    it = terminal(environ=environ | {"EDITOR": "sed -i s/7/8/"})
    it.wait_for_prompt()
    it.say("Answer?")
    it.wait_for(QUESTION)
    it.say("e")
    it.wait_for("Done.")
    assert "48" in it.lines
    assert "print(6 * 8)" in it.text
    assert "print(6 * 7)" not in it.text


def test_an_editor_that_is_left_without_a_change_asks_again(
    terminal: Open, server: ThreadedServer, environ: dict[str, str]
) -> None:
    server.enqueue(code("print(6 * 7)"))
    it = terminal(environ=environ | {"EDITOR": "true", "VISUAL": ""})
    it.wait_for_prompt()
    it.say("Answer?")
    it.wait_for(QUESTION)
    it.say("e")
    it.say("s")
    it.wait_for_prompt()
    assert "42" not in it.lines


def test_one_question_is_asked_about_too(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    it = terminal("Answer?")
    it.wait_for(QUESTION)
    it.type("y" + ENTER)
    assert it.wait() == 0
    assert "42" in it.lines


def test_a_word_with_a_no_does_not_reach_a_code_that_runs(
    asked: Terminal, server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(code("print('second')"), text("Done."))
    asked.say("no twice")
    asked.wait_for(lambda shown: "second" in shown)
    asked.wait_for(QUESTION)
    asked.say("y")
    asked.wait_for("Done.")
    assert "second" in asked.lines
    assert "42" not in asked.lines


@pytest.mark.parametrize("more", ["", ", display=True"])
def test_the_documentations_loop_asks_in_its_own_way(
    terminal: Open, server: ThreadedServer, more: str
) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    loop = f"""
import interpreter
for chunk in interpreter.chat("Answer?", stream=True{more}):
    if "executing" in chunk:
        if input("Press ENTER to run this code.") != "":
            break
"""
    it = terminal("-c", loop, command=sys.executable)
    it.wait_for("Press ENTER to run this code.")
    assert "print(6 * 7)" in it.text
    it.type(ENTER)
    it.wait_for("Done.")
    assert "42" in it.lines
    assert it.wait() == 0
