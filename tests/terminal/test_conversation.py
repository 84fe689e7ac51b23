"""A conversation in the terminal: what is typed, and what is shown."""

import json
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, error, example, reasoning, text
from tests.talk import code
from tests.terminal.conftest import Open
from tests.terminal.terminal import ALT_ENTER, COMMAND, CTRL_C, CTRL_D, DOWN, ENTER, UP

QUESTION = "Run this code?"
WAIT = """\
import os, time
print('begun')
while not os.path.exists({path!r}):
    time.sleep(0.01)
print('over')"""
PICTURE = """\
class Picture:
    def _repr_png_(self):
        return b"\\x89PNG\\r\\n\\x1a\\n"
Picture()"""


def test_a_question_and_its_answer(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(*example())
    it = terminal()
    it.wait_for_prompt()
    it.say("What's 34/24?")
    it.wait_for(QUESTION)
    assert "34 / 24" in it.text
    it.say("y")
    it.wait_for("The result is 1.4166...")
    it.wait_for_prompt()
    assert "1.4166666666666667" in it.lines
    assert QUESTION not in it.text
    it.type(CTRL_D)
    assert it.wait() == 0


def test_markdown_is_shown_once_and_whole(terminal: Open, server: ThreadedServer) -> None:
    items = "".join(f"{n}. This is item number {n}, of many.\n\n" for n in range(1, 61))
    answer = (
        f"# Items\n\nHere they **are**:\n\n{items}\n| a | b |\n|---|---|\n| x | y |\n\nThat's all."
    )
    pieces = [answer[start : start + 7] for start in range(0, len(answer), 7)]
    server.enqueue(text(*pieces).but(delay=0.002))
    it = terminal()
    it.wait_for_prompt()
    it.say("List")
    it.wait_for("That's all.")
    it.wait_for_prompt()
    for n in range(1, 61):
        assert it.text.count(f"This is item number {n},") == 1
    assert it.text.count("Items") == 1
    assert "Here they are:" in it.text
    assert "**" not in it.text


def test_the_active_line_is_marked_while_it_runs(
    terminal: Open, server: ThreadedServer, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    server.enqueue(code(WAIT.format(path=str(go))), text("Done."))
    it = terminal("-y")
    it.wait_for_prompt()
    it.say("Wait")
    it.wait_for(lambda shown: "❱ 3" in shown or "❱ 4" in shown)
    it.wait_for("begun")
    assert "running" in it.last_line
    go.touch()
    it.wait_for("Done.")
    assert "❱" not in it.text
    assert it.text.count("begun") == 2  # in the code, and in the output
    assert "over" in it.lines


def test_a_retry_is_counted_down_and_leaves_nothing(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(error(429, "Slow down.", headers={"retry-after": "3"}), text("At last."))
    it = terminal()
    it.wait_for_prompt()
    it.say("Hurry")
    it.wait_for("Rate limited (HTTP 429: Slow down).")
    for seconds in (3, 2, 1):
        it.wait_for(f"trying again in {seconds} s")
    it.wait_for("At last.")
    it.wait_for_prompt()
    assert it.lines == ["> Hurry", "At last.", ">"]


def test_what_is_waited_for_is_said_and_ctrl_c_leaves_nothing_of_it(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(text("never").but(hold_after=0))
    it = terminal("--model", "gpt-5.1")
    it.wait_for_prompt()
    it.say("Think")
    it.wait_for("waiting for gpt-5.1, 3 s · Ctrl-C stops it")
    it.type(CTRL_C)
    it.wait_for("Interrupted.")
    it.wait_for_prompt()
    assert it.lines == ["> Think", "Interrupted.", ">"]


def test_thinking_is_shown_then_one_line_and_a_magic_command_shows_all(
    terminal: Open, server: ThreadedServer
) -> None:
    thought = reasoning("First I divide.", "\n\nThen I round.")
    server.enqueue((thought + text("About 1.42.")).but(hold_after=2))
    it = terminal()
    it.wait_for_prompt()
    it.say("What's 34/24?")
    it.wait_for(lambda shown: "thinking" in shown and "  Then I round." in shown)
    server.release()
    it.wait_for("About 1.42.")
    it.wait_for_prompt()
    assert it.lines[0] == "> What's 34/24?"
    assert it.lines[1].startswith("thought for ")
    assert it.lines[2:] == ["About 1.42.", ">"]
    it.say("%thinking")
    it.wait_for("First I divide.")


def test_ctrl_c_while_the_model_thinks_leaves_nothing_of_it(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue((reasoning("Hm.") + text("never")).but(hold_after=1))
    it = terminal(columns=20)
    it.wait_for_prompt()
    it.say("Think")
    it.wait_for("  Hm.")
    it.type(CTRL_C)
    it.wait_for_prompt()
    assert it.lines == ["> Think", "Interrupted.", ">"]


def test_in_a_pipe_there_is_no_thinking(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(reasoning("Hm.") + text("Hello."))
    it = terminal("-c", f"{COMMAND} Hi | cat", command="/bin/sh")
    it.wait()
    assert it.lines == ["Hello."]


def test_debug_mode_shows_every_step_above_what_is_live(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello."))
    it = terminal("-d")
    it.wait_for_prompt()
    it.say("Hi")
    it.wait_for("request: tools, gpt-4")
    it.wait_for("Last turn: 100 tokens in, 20 out")
    assert "waiting for" not in it.text


def test_tokens_and_cost_of_each_turn_are_shown_where_they_are_wanted(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello."), text("Hello again."))
    it = terminal("--show_usage")
    it.wait_for_prompt()
    it.say("Hi")
    it.wait_for("Last turn: 100 tokens in, 20 out, $0.0042.")
    it.wait_for_prompt()
    assert "This session" not in it.text


def test_a_large_output_is_shown_whole(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(code("for n in range(3000): print('row', n)"), text("Done."))
    it = terminal("-y", lines=20)
    it.wait_for_prompt()
    it.say("Print")
    it.wait_for("Done.", timeout=60)
    it.wait_for_prompt()
    assert [line for line in it.lines if line.startswith("row")] == [
        f"row {n}" for n in range(3000)
    ]


def test_a_size_that_the_shell_has_exported_is_not_believed(
    terminal: Open, server: ThreadedServer, environ: dict[str, str]
) -> None:
    server.enqueue(text("word " * 30))
    it = terminal(environ=environ | {"COLUMNS": "40", "LINES": "10"})
    it.wait_for_prompt()
    it.say("Talk")
    it.wait_for("word")
    it.wait_for_prompt()
    assert max(map(len, it.lines)) > 70


def test_a_long_block_is_shown_whole_before_it_is_asked_about(
    terminal: Open, server: ThreadedServer
) -> None:
    source = "\n".join(f"x{n} = {n}" for n in range(1, 51))
    server.enqueue(code(source), text("Done."))
    it = terminal(lines=20)
    it.wait_for_prompt()
    it.say("Go")
    it.wait_for(QUESTION)
    shown = [line for line in it.lines if " = " in line]
    assert [line.split()[-1] for line in shown] == [str(n) for n in range(1, 51)]
    it.say("y")
    it.wait_for("Done.")
    it.wait_for_prompt()
    assert it.text.count("x25 = 25") == 1


def test_several_lines_are_one_message(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(text("Read."))
    it = terminal()
    it.wait_for_prompt()
    it.type("first" + ALT_ENTER + "second\\" + ENTER)
    it.type("\x1b[200~third\nfourth\x1b[201~" + ENTER)
    it.wait_for("Read.")
    assert server.bodies[0]["messages"][-1]["content"] == "first\nsecond\nthird\nfourth"


def test_what_was_typed_comes_back_in_the_next_conversation_and_is_private(
    terminal: Open, server: ThreadedServer, home: Path
) -> None:
    server.enqueue(text("One."), text("Two."))
    first = terminal()
    first.wait_for_prompt()
    first.say("remember me")
    first.wait_for("One.")
    first.wait_for_prompt()
    first.type(CTRL_D)
    assert first.wait() == 0
    (kept,) = home.rglob("prompt_history")
    assert kept.stat().st_mode & 0o077 == 0
    second = terminal()
    second.wait_for_prompt()
    second.type(UP)
    second.wait_for("> remember me")
    second.type(ENTER)
    second.wait_for("Two.")


def test_without_history_nothing_is_kept(
    terminal: Open, server: ThreadedServer, home: Path
) -> None:
    server.enqueue(text("One."))
    it = terminal("--no-conversation_history")
    it.wait_for_prompt()
    it.say("forget me")
    it.wait_for("One.")
    it.wait_for_prompt()
    it.type(CTRL_D)
    it.wait()
    kept = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".log"]
    assert kept == []


def test_ctrl_c_clears_the_line_and_a_second_one_leaves(terminal: Open) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.type("half a thought" + CTRL_C)
    it.wait_for("again quits")
    assert "half a thought" not in it.text
    it.type("other")
    it.wait_for("> other")
    assert "again quits" not in it.text
    it.type(CTRL_C + CTRL_C)
    assert it.wait() == 0
    assert "Traceback" not in it.text


def test_an_error_is_told_and_the_conversation_goes_on(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(error(401, "Incorrect API key provided."), text("Better."))
    it = terminal()
    it.wait_for_prompt()
    it.say("Hi")
    it.wait_for("OPENAI_API_KEY")
    it.wait_for_prompt()
    it.say("Again")
    it.wait_for("Better.")


def test_an_unknown_model_is_answered_by_a_choice_that_is_kept(
    terminal: Open, server: ThreadedServer, home: Path
) -> None:
    server.enqueue(error(404, "The model `gpt-4` does not exist", code="model_not_found"))
    server.enqueue(text("Hello."))
    it = terminal()
    it.wait_for_prompt()
    it.say("Hi")
    it.wait_for("gpt-4o-mini")
    it.type(DOWN + ENTER)
    it.wait_for("Hello.")
    assert server.bodies[-1]["model"] == "gpt-4o-mini"
    (config,) = home.rglob("config.toml")
    assert 'model = "gpt-4o-mini"\n' in config.read_text()


def test_the_one_question_where_the_default_model_is_gone(
    terminal: Open, server: ThreadedServer, home: Path
) -> None:
    """`interpreter "What's 34/24?"`, with a key and no setting: Enter takes the best model."""
    server.set_models(["text-embedding-3-large", "gpt-5.4-mini", "gpt-6-sol", "whisper-1"])
    server.enqueue(error(404, "The model `gpt-4` does not exist", code="model_not_found"))
    server.enqueue(*example())
    it = terminal("-y", "What's 34/24?")
    it.wait_for("› gpt-6-sol")
    assert "whisper" not in it.text
    it.type(ENTER)
    it.wait_for("The result is")
    assert [body["model"] for body in server.bodies] == ["gpt-4", "gpt-6-sol", "gpt-6-sol"]
    (config,) = home.rglob("config.toml")
    assert 'model = "gpt-6-sol"\n' in config.read_text()


def test_input_of_the_running_code_is_asked_for(terminal: Open, server: ThreadedServer) -> None:
    server.enqueue(code("print('Hi', input('Name? '))"), text("Bye."))
    it = terminal("-y")
    it.wait_for_prompt()
    it.say("Greet")
    it.wait_for("Name? ")
    it.say("Ada")
    it.wait_for("Bye.")
    assert "Hi Ada" in it.text


def test_a_picture_is_kept_and_named(terminal: Open, server: ThreadedServer, home: Path) -> None:
    server.enqueue(code(PICTURE), text("Done."))
    it = terminal("-y", columns=200)
    it.wait_for_prompt()
    it.say("Draw")
    it.wait_for("Done.")
    (picture,) = home.rglob("*.png")
    assert f"[picture: {picture}]" in it.text
    assert picture.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours_there_is_text_alone(
    terminal: Open, server: ThreadedServer, environ: dict[str, str], setting: dict[str, str]
) -> None:
    server.enqueue(code("print('out')"), text("*Done*."))
    it = terminal("-y", "Go", environ=environ | setting)
    assert it.wait() == 0
    assert b"\x1b" not in it.received
    assert it.lines == ["[python]", "print('out')", "[output]", "out", "*Done*."]


def test_the_conversation_is_saved_as_it_was(
    terminal: Open, server: ThreadedServer, home: Path
) -> None:
    server.enqueue(*example())
    it = terminal("-y", "What's 34/24?")
    assert it.wait() == 0
    (saved,) = home.rglob("conversations/*.json")
    assert [message["role"] for message in json.loads(saved.read_text())] == [
        *("user", "assistant", "assistant")
    ]


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_a_table_is_folded_and_no_word_of_it_is_cut(
    terminal: Open, server: ThreadedServer, columns: int
) -> None:
    """Also where no space divides the words."""
    words = "日本の東京にある高さ三百三十三メートルの電波塔です"
    server.enqueue(text(f"| 名前 | 説明 |\n|---|---|\n| 塔 | {words}。 |\n\nDone."))
    it = terminal("Table?", columns=columns)
    assert it.wait() == 0
    assert "…" not in it.text
    assert set(words) <= set(it.text)
