"""Magic commands, in the terminal and in Python's own interactive chat."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, example, text
from tests.terminal.conftest import Open
from tests.terminal.terminal import ALT_ENTER, CTRL_C, CTRL_D, ENTER, Terminal


@pytest.fixture
def talked(terminal: Open, server: ThreadedServer) -> Terminal:
    """A terminal in which one question was answered."""
    server.enqueue(text("Hello."))
    it = terminal()
    it.wait_for_prompt()
    it.say("Hi there")
    it.wait_for("Hello.")
    it.wait_for_prompt()
    return it


def test_help_lists_all_of_them(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%help")
    it.wait_for("%help")
    it.wait_for_prompt()
    for command in ("%debug", "%reset", "%undo", "%save_message", "%load_message", "%budget"):
        assert command in it.text


def test_an_unknown_one_is_explained(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%rest")
    it.wait_for("There is no command %rest. Did you mean %reset?")


def test_tab_completes_them(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.type("%sa\t")
    it.wait_for("> %save_message")


def test_reset_begins_a_new_conversation(talked: Terminal, server: ThreadedServer) -> None:
    talked.say("%reset")
    talked.wait_for("new conversation")
    server.enqueue(text("Who?"))
    talked.say("Again")
    talked.wait_for("Who?")
    assert "Hi there" not in str(server.bodies[-1])


def test_undo_removes_the_last_message_and_its_response(
    talked: Terminal, server: ThreadedServer
) -> None:
    talked.say("%undo")
    talked.wait_for("Removed:")
    server.enqueue(text("Who?"))
    talked.say("Again")
    talked.wait_for("Who?")
    assert "Hi there" not in str(server.bodies[-1])


def test_messages_are_saved_and_loaded(
    talked: Terminal, terminal: Open, server: ThreadedServer, tmp_path: Path
) -> None:
    path = tmp_path / "kept.json"
    talked.say(f"%save_message {path}")
    talked.wait_for("Saved 2 messages")
    assert json.loads(path.read_text()) == [
        {"role": "user", "message": "Hi there"},
        {"role": "assistant", "message": "Hello."},
    ]
    other = terminal()
    other.wait_for_prompt()
    other.say(f"%load_message {path}")
    other.wait_for("Loaded 2 messages")
    server.enqueue(text("Yes."))
    other.say("Do you remember?")
    other.wait_for("Yes.")
    assert "Hi there" in str(server.bodies[-1])


def test_loading_what_is_not_there_is_explained(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%load_message nowhere.json")
    it.wait_for("nowhere.json cannot be read")


def test_debug_is_turned_on_and_off(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%debug true")
    it.wait_for("Debug mode is on.")
    it.say("%debug")
    it.wait_for("Debug mode is off.")
    it.say("%debug perhaps")
    it.wait_for("expected true or false")


def test_the_model_is_told_and_changed(talked: Terminal, server: ThreadedServer) -> None:
    talked.say("%model")
    talked.wait_for("The model is gpt-4.")
    talked.say("%model gpt-4o-mini")
    talked.wait_for("The model is gpt-4o-mini.")
    server.enqueue(text("I am."))
    talked.say("Who are you?")
    talked.wait_for("I am.")
    assert server.bodies[-1]["model"] == "gpt-4o-mini"


def test_what_it_cost_is_told(talked: Terminal) -> None:
    talked.say("%budget")
    talked.wait_for("Last turn: 100 tokens in, 20 out, $0.0042.")
    talked.say("%tokens")
    talked.wait_for(lambda shown: shown.count("This session: 100 tokens in") == 2)


def test_history_lists_the_messages(talked: Terminal) -> None:
    talked.say("%history")
    talked.wait_for("you  Hi there")
    talked.wait_for("model  Hello.")


def test_they_work_in_pythons_interactive_chat(
    terminal: Open, server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(*example())
    it = terminal("-c", "import interpreter; interpreter.chat()", command=sys.executable)
    it.wait_for_prompt()
    it.say("%help")
    it.wait_for("%load_message")
    it.say("What's 34/24?")
    it.wait_for("Run this code?")
    it.say("y")
    it.wait_for("The result is 1.4166...")
    it.wait_for_prompt()
    it.say("%undo")
    it.wait_for("Removed:")
    it.type(CTRL_D)
    assert it.wait() == 0


def test_they_work_where_there_is_no_terminal(
    server: ThreadedServer, environ: dict[str, str], home: Path
) -> None:
    server.enqueue(text("Hello."))
    done = subprocess.run(
        [sys.executable, "-c", "import interpreter; interpreter.chat()"],
        input="Hi\n%history\n%nonsense\n",
        env={**environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Hello." in done.stdout
    assert "you  Hi" in done.stdout
    assert "There is no command %nonsense" in done.stderr


def test_who_lists_the_variables(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%who")
    it.wait_for("There are no variables.")


def test_own_commands_and_code_run_in_the_session_and_the_model_sees_them(
    terminal: Open, server: ThreadedServer
) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%% x = 34 * 17")
    it.wait_for_prompt()
    it.say("! echo $((6 * 7))")
    it.wait_for(lambda _: "42" in it.lines)
    it.wait_for_prompt()
    it.type("%%python" + ALT_ENTER + "for n in range(2):" + ALT_ENTER + "    print(x + n)" + ENTER)
    it.wait_for(lambda _: "578" in it.lines and "579" in it.lines)
    it.wait_for_prompt()
    it.say("%%nonsense 1")
    it.wait_for("nonsense")
    it.wait_for_prompt()
    it.say("%%")
    it.wait_for("There is no code")
    it.wait_for_prompt()
    it.say("%variables")
    it.wait_for(lambda _: any(line.split() == ["x", "int", "578"] for line in it.lines))
    server.enqueue(text("I saw it."))
    it.say("Did you see?")
    it.wait_for("I saw it.")
    assert "34 * 17" in str(server.bodies[-1])


def test_own_code_reads_a_line_and_is_stopped(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%% print('<' + input('Name? ') + '>')")
    it.wait_for("Name?")
    it.say("Ada")
    it.wait_for("<Ada>")
    it.wait_for_prompt()
    it.say("! sleep 100")
    it.wait_for("running shell")
    it.type(CTRL_C)
    it.wait_for("Interrupted.")
    it.wait_for_prompt()


def test_the_last_question_is_asked_again(talked: Terminal, server: ThreadedServer) -> None:
    server.enqueue(text("Good day."))
    talked.say("%retry")
    talked.wait_for("Good day.")
    talked.wait_for_prompt()
    roles = [message["role"] for message in server.bodies[-1]["messages"]]
    assert roles == ["system", "user"]
    assert server.bodies[-1]["messages"][-1]["content"] == "Hi there"


def test_a_message_is_written_in_the_editor(
    terminal: Open, environ: dict[str, str], server: ThreadedServer
) -> None:
    server.enqueue(text("Hello."))
    it = terminal(environ=environ | {"EDITOR": "sed -i s/you/they/"})
    it.wait_for_prompt()
    it.say("%edit Who are you?")
    it.wait_for("Hello.")
    assert server.bodies[-1]["messages"][-1]["content"] == "Who are they?"
    it.wait_for_prompt()
    it.say("%edit")
    it.wait_for("Nothing was written")


def test_the_conversation_is_written_as_other_documents(
    terminal: Open, server: ThreadedServer, tmp_path: Path
) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say("%script")
    it.wait_for("No python code has run")
    it.say("%% print(6 * 7)")
    it.wait_for(lambda _: "42" in it.lines)
    for command, name in {"markdown": "it.md", "jupyter": "it.ipynb", "script": "it.py"}.items():
        it.say(f"%{command} {tmp_path / name}")
        it.wait_for(f"Written to {tmp_path}"[:60])
        it.wait_for(lambda _, name=name: (tmp_path / name).exists())  # type: ignore[misc]
    assert "```python\nprint(6 * 7)\n```" in (tmp_path / "it.md").read_text()
    assert json.loads((tmp_path / "it.ipynb").read_text())["cells"][0]["source"]
    assert (tmp_path / "it.py").read_text() == "print(6 * 7)\n"


def test_the_answer_is_copied_by_the_terminal(
    terminal: Open, environ: dict[str, str], server: ThreadedServer
) -> None:
    server.enqueue(text("Hello."))
    it = terminal(environ=environ | {"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    it.wait_for_prompt()
    it.say("Hi")
    it.wait_for("Hello.")
    it.wait_for_prompt()
    it.say("%copy")
    it.wait_for("Copied 6 characters")
    assert b"\x1b]52;c;SGVsbG8u\x07" in it.received


def test_the_servers_models_are_listed(talked: Terminal) -> None:
    talked.say("%model")
    talked.wait_for("The server has: gpt-4")


def test_the_cost_is_shown_after_each_turn_when_wanted(
    talked: Terminal, server: ThreadedServer
) -> None:
    talked.say("%cost")
    talked.wait_for("This session: 100 tokens in")
    talked.say("%cost on")
    talked.wait_for("are shown after each turn")
    server.enqueue(text("Yes."))
    talked.say("Well?")
    talked.wait_for("Yes.")
    talked.wait_for("Last turn: 100 tokens in, 20 out")
