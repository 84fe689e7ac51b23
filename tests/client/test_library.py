"""The library's object, over a real daemon, real interpreters and a scripted model server."""

import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from oi_daemon import ChunkDict, Interpreter
from oi_daemon.errors import AuthError, InvalidError
from oi_daemon.settings.sources import ConfigurationWarning
from tests.client.programs import WORDS, code
from tests.fakes.openai_server import (
    ThreadedServer,
    error,
    function_call,
    markdown,
    text,
    tool_call,
)
from tests.patience import PATIENCE
from tests.processes import command_line

ARGUMENTS = ['{"language": "python", "code": "34', " /", " ", "24", '"}']
EXAMPLE: list[ChunkDict] = [
    {"language": "python"},
    {"code": "34"},
    {"code": " /"},
    {"code": " "},
    {"code": "24"},
    {"executing": {"code": "34 / 24", "language": "python"}},
    {"active_line": 1},
    {"output": "1.4166666666666667\n"},
    {"active_line": None},
    {"end_of_execution": True},
    *[ChunkDict(message=word) for word in WORDS],
]
DIALECTS = {
    "tools": tool_call(ARGUMENTS),
    "functions": function_call(ARGUMENTS),
    "fences": markdown("```", "python\n", "34", " /", " ", "24", "\n```"),
}
LOOP = "import time\nx = 1\nwhile True:\n    time.sleep(0.01)\n    x += 1"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_documentations_stream_is_exactly_its_chunks(
    interpreter: Interpreter, server: ThreadedServer, dialect: str
) -> None:
    server.enqueue(DIALECTS[dialect], text(*WORDS))
    interpreter.tool_style = "markdown" if dialect == "fences" else "auto"
    chunks = list(interpreter.chat("What's 34/24?", stream=True, display=False))
    assert chunks == EXAMPLE


def test_how_a_block_ended_is_told_beside_its_last_chunk(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    """The chunk itself is the documentation's."""
    server.enqueue(code("1 / 0"), text("Sorry."))
    assert interpreter.last_result is None
    for chunk in interpreter.chat("Go", stream=True, display=False):
        if "end_of_execution" in chunk:
            assert chunk == {"end_of_execution": True}
            result = interpreter.last_result
    assert result is not None
    assert result["status"] == "error"
    assert result["error"]["name"] == "ZeroDivisionError"
    assert interpreter.last_result == result
    block = interpreter.messages[1]
    assert (block["status"], block["error"]) == ("error", result["error"])


def test_the_conversation_is_stored_in_the_documentations_shape(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("Sure!") + code("print('Hello, World!')"), text("Done."))
    list(interpreter.chat("Hi! Can you print hello world?", stream=True))
    assert interpreter.messages == [
        {"role": "user", "message": "Hi! Can you print hello world?"},
        {"role": "assistant", "message": "Sure!"},
        {
            "role": "assistant",
            "language": "python",
            "code": "print('Hello, World!')",
            "output": "Hello, World!",
        },
        {"role": "assistant", "message": "Done."},
    ]


def test_leaving_the_loop_at_executing_runs_nothing(
    interpreter: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    server.enqueue(code(f"open({str(made)!r}, 'w')"), text("Next."))
    for chunk in interpreter.chat("Go", stream=True):
        if "executing" in chunk:
            break
    assert not made.exists()
    assert "output" not in interpreter.messages[-1]
    assert list(interpreter.chat("And now?", stream=True)) == [{"message": "Next."}]


def test_with_auto_run_too_the_block_runs_only_when_the_next_chunk_is_taken(
    interpreter: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    interpreter.auto_run = True
    server.enqueue(code(f"open({str(made)!r}, 'w')"), text("Next."))
    for chunk in interpreter.chat("Go", stream=True):
        if "executing" in chunk:
            assert not interpreter.awaits_approval
            break
    assert not made.exists()
    assert len(server.requests) == 1
    assert interpreter.messages[-1].get("status") == "declined"
    assert list(interpreter.chat("And now?", stream=True)) == [{"message": "Next."}]


def test_always_is_shown_and_ends_with_its_conversation(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("print(1)"), code("print(2)"), text("Done."))
    asked = 0
    for _ in interpreter.chat("Go", stream=True):
        if interpreter.awaits_approval:
            asked += 1
            interpreter.approve("always")
    assert asked == 1
    assert interpreter.auto_run
    interpreter.reset()
    assert not interpreter.auto_run
    server.enqueue(code("print(3)"))
    assert interpreter.chat("Go", display=False)[-1].get("status") == "declined"


def test_always_can_be_taken_back(interpreter: Interpreter, server: ThreadedServer) -> None:
    server.enqueue(code("print(1)"), code("print(2)"))
    asked = []
    for chunk in interpreter.chat("Go", stream=True):
        if "executing" in chunk:
            asked.append(interpreter.awaits_approval)
            interpreter.approve("stop" if len(asked) > 1 else "always")
        if "end_of_execution" in chunk:
            interpreter.auto_run = False
    assert asked == [True, True]


def test_leaving_the_loop_while_code_runs_stops_it_fifty_times_in_a_row(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.context_window = 100_000  # all turns fit, so none asks for a summary
    for turn in range(50):
        server.enqueue(code(LOOP))
        for chunk in interpreter.chat("Loop", stream=True):
            if chunk.get("active_line") == 4:
                break
        server.enqueue(code(f"print(x > 0, {turn})"), text("Yes."))
        chunks = list(interpreter.chat("Does x live?", stream=True))
        assert {"output": f"True {turn}\n"} in chunks


def test_answers_other_than_taking_the_next_chunk(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("print('model')"), code("print('again')"), text("Fine."))
    output = ""
    for chunk in interpreter.chat("Go", stream=True):
        if chunk.get("executing", {}).get("code") == "print('model')":
            interpreter.approve("run", code="print('mine')")
        elif "executing" in chunk and interpreter.awaits_approval:
            interpreter.approve("skip")
        output += chunk.get("output", "")
    assert output == "mine\n"
    mine, again, fine = interpreter.messages[1:]
    assert mine == {
        "role": "assistant",
        "language": "python",
        "code": "print('mine')",
        "output": "mine",
    }
    assert "output" not in again
    assert fine["message"] == "Fine."
    assert "not run" in str(server.bodies[-1]["messages"])


def test_input_is_answered_in_the_stream(interpreter: Interpreter, server: ThreadedServer) -> None:
    server.enqueue(code("print('Hi', input('Name? '))"), text("Bye."))
    output = ""
    for chunk in interpreter.chat("Greet me", stream=True):
        if "input" in chunk:
            assert chunk["input"] == {"prompt": "Name? ", "password": False}
            interpreter.input("Ada")
        output += chunk.get("output", "")
    assert output.endswith("Hi Ada\n")


def test_messages_are_restored_and_go_on_in_context(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    restored = [
        {"role": "user", "message": "My name is Ada."},
        {"role": "assistant", "message": "Hello Ada."},
    ]
    interpreter.messages = restored
    assert interpreter.messages == restored
    server.enqueue(text("Ada."))
    interpreter.chat("Who am I?", display=False)
    assert "My name is Ada." in str(server.bodies[-1]["messages"])


def test_messages_that_do_not_fit_are_refused_and_change_nothing(interpreter: Interpreter) -> None:
    interpreter.messages = [{"role": "user", "message": "Hi"}]
    with pytest.raises(InvalidError, match=r"messages\[1\]"):
        interpreter.messages = [{"role": "user", "message": "x"}, {"role": "assistant"}]
    assert interpreter.messages == [{"role": "user", "message": "Hi"}]


def test_the_list_of_messages_may_be_changed_in_place(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    """By its own methods, and in its messages; also before there is a daemon, and after turns."""
    messages = interpreter.messages
    messages.append({"role": "user", "message": "I am Ada."})
    server.enqueue(text("Hello."), text("Eve."))
    assert interpreter.chat("Hi", display=False) is messages
    assert "I am Ada." in str(server.bodies[-1]["messages"])
    assert [message["message"] for message in messages] == ["I am Ada.", "Hi", "Hello."]
    messages[0]["message"] = "I am Eve."
    del messages[1:]
    interpreter.chat("Who am I?", display=False)
    asked = str(server.bodies[-1]["messages"])
    assert "I am Eve." in asked
    assert "Ada" not in asked
    assert interpreter.messages is messages
    interpreter.undo()
    assert [message["message"] for message in messages] == ["I am Eve."]
    interpreter.messages = []
    assert messages  # it is the program's alone now
    assert interpreter.messages == []


def test_a_change_in_place_that_does_not_fit_is_told_and_taken_back(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.messages.append({"role": "nobody"})  # type: ignore[typeddict-item]
    with pytest.raises(InvalidError, match=r"was changed.*messages\[0\]\.role"):
        interpreter.chat("Hi", display=False)
    assert interpreter.messages == []
    server.enqueue(text("Hello."))
    assert len(interpreter.chat("Hi", display=False)) == 2


def test_what_does_not_fit_is_a_value_error_and_a_wrong_type_a_type_error() -> None:
    interpreter = Interpreter()
    wrong: list[Any] = ["text", [3], [{"role": "user", "message": 3}]]
    for messages in wrong:
        with pytest.raises(TypeError):
            interpreter.messages = messages
    with pytest.raises(TypeError):
        interpreter.chat(3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="model"):
        interpreter.model = 3  # type: ignore[assignment]
    with pytest.raises(ValueError, match="temperature") as refused:
        interpreter.temperature = -1
    assert not isinstance(refused.value, TypeError)
    assert issubclass(InvalidError, ValueError)


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", "hot"), ("max_output", 0), ("auto_run", "yes"), ("model", 4)],
)
def test_a_setting_is_checked_when_it_is_assigned(name: str, value: Any) -> None:
    interpreter = Interpreter()
    before = getattr(interpreter, name)
    with pytest.raises(InvalidError, match=name):
        setattr(interpreter, name, value)
    assert getattr(interpreter, name) == before


def test_an_unknown_attribute_is_refused() -> None:
    with pytest.raises(AttributeError, match="temprature"):
        Interpreter().temprature = 1


def test_settings_reach_the_request(interpreter: Interpreter, server: ThreadedServer) -> None:
    interpreter.model = "gpt-3.5-turbo"
    interpreter.temperature = 0.7
    interpreter.max_tokens = 100
    interpreter.system_message += "\nRun all shell commands with -y."
    server.enqueue(text("Hi"))
    interpreter.chat("Hi", display=False)
    body = server.bodies[-1]
    assert body["model"] == "gpt-3.5-turbo"
    assert body["temperature"] == 0.7
    assert body["max_tokens"] == 100
    assert "Run all shell commands with -y." in body["messages"][0]["content"]


def test_auto_run_runs_without_being_asked(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.auto_run = True
    server.enqueue(code("print(6 * 7)"), text("42"))
    messages = interpreter.chat("Answer?", display=False)
    assert messages[-2]["output"] == "42"


def test_without_display_and_auto_run_nothing_runs(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("print(6 * 7)"))
    assert "output" not in interpreter.chat("Answer?", display=False)[-1]


def test_an_error_is_raised_by_its_kind_and_never_holds_the_key(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(error(401, "Incorrect API key provided: sk-test-0123456789."))
    with pytest.raises(AuthError) as caught:
        interpreter.chat("Hi", display=False)
    assert "sk-test" not in str(caught.value)
    assert interpreter.messages == []


def test_a_daemon_that_died_is_started_again_with_the_conversation(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("One."))
    interpreter.chat("First", display=False)
    (daemon,) = daemons()
    daemon.kill()
    daemon.wait()
    server.enqueue(text("Two."))
    interpreter.chat("Second", display=False)
    assert [m["message"] for m in interpreter.messages] == ["First", "One.", "Second", "Two."]


def test_without_history_a_daemon_that_died_gets_the_conversation_from_the_object(
    server: ThreadedServer, home: Path
) -> None:
    with Interpreter(api_base=server.url, api_key="k", conversation_history=False) as interpreter:
        server.enqueue(text("One."), text("Two."))
        interpreter.chat("First", display=False)
        (daemon,) = daemons()
        daemon.kill()
        daemon.wait()
        interpreter.chat("Second", display=False)
        assert [m["message"] for m in interpreter.messages] == ["First", "One.", "Second", "Two."]
    assert list(home.rglob("*.json*")) == []


def test_undo_and_reset(interpreter: Interpreter, server: ThreadedServer) -> None:
    server.enqueue(text("One."), text("Two."))
    interpreter.chat("First", display=False)
    interpreter.chat("Second", display=False)
    assert [m["message"] for m in interpreter.undo()] == ["Second", "Two."]
    assert [m["message"] for m in interpreter.messages] == ["First", "One."]
    interpreter.execute("python", "kept = 1")
    interpreter.reset()
    assert interpreter.messages == []
    (message,) = interpreter.execute("python", "kept")
    assert "NameError" in message["output"]


def test_several_objects_are_several_conversations(server: ThreadedServer) -> None:
    with Interpreter() as one, Interpreter() as two:
        one.execute("python", "x = 1")
        two.execute("python", "x = 2")
        assert one.execute("python", "x")[0]["output"] == "1"
        assert two.execute("python", "x")[0]["output"] == "2"


def test_an_object_works_from_a_thread(interpreter: Interpreter, server: ThreadedServer) -> None:
    server.enqueue(code("print(1)"), text("Done."))
    chunks: list[ChunkDict] = []
    thread = threading.Thread(target=lambda: chunks.extend(interpreter.chat("Go", stream=True)))
    thread.start()
    thread.join(60)
    assert {"output": "1\n"} in chunks


def test_close_leaves_no_process(interpreter: Interpreter) -> None:
    interpreter.execute("python", "1")
    (daemon,) = daemons()
    family = [daemon, *daemon.children(recursive=True)]
    interpreter.close()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert alive == []


def test_import_interpreter_is_the_object_and_starts_nothing() -> None:
    import interpreter

    assert isinstance(interpreter, Interpreter)
    assert sys.modules["interpreter"] is interpreter
    assert daemons() == []


def daemons() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "oi_daemon" in command_line(child)]


def test_a_mistake_in_the_configuration_is_told_by_its_line(home: Path) -> None:
    path = home / ".config" / "oi-daemon" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("temperature = 0.5\ntemperatur = 0.5\n")
    with pytest.warns(ConfigurationWarning, match=r"config\.toml, line 2: temperatur") as warned:
        assert Interpreter().temperature == 0.5
    assert warned[0].filename == __file__
