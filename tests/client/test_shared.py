"""The library over the shared daemon: programs come and go, variables and turns stay."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oi_daemon import Interpreter, InvalidError
from oi_daemon.messages.shapes import ChunkStream
from tests.client.programs import code, environment
from tests.fakes.openai_server import ThreadedServer, text
from tests.server.shared import pid, ran, status, stopped_at_the_end, wait_for_end
from tests.wire_client import eventually

LOOP = "import os, time\nwhile not os.path.exists(go):\n    time.sleep(0.01)\nprint('whole')"
ASK = """
import sys
from oi_daemon import Interpreter, InvalidError

interpreter = Interpreter(shared=True, conversation="c")
stream = interpreter.chat("Do it", stream=True, display=False)
while sys.argv[1] not in next(stream):
    pass
{ending}
"""


@pytest.fixture(autouse=True)
def daemon() -> Iterator[None]:
    with stopped_at_the_end():
        yield


@pytest.fixture
def shared(server: ThreadedServer) -> Iterator[Interpreter]:
    """An object that uses the shared daemon, with the conversation `c`."""
    with Interpreter(
        shared=True, conversation="c", api_base=server.url, api_key="sk-test-0123456789"
    ) as it:
        yield it


def asked(server: ThreadedServer, folder: Path, until: str, ending: str) -> None:
    """Run a program that asks, and ends in this way at the first chunk of a kind."""
    script = folder / "script.py"
    script.write_text(ASK.format(ending=ending))
    subprocess.run(
        [sys.executable, script, until],
        env=environment(server),
        timeout=100,
        check=False,
    )


def clients() -> int:
    """How many clients the daemon serves."""
    found = status()
    return len(found["clients"]) if found else 0


def state() -> str:
    """What the conversation is doing."""
    found = status()
    assert found is not None
    (only,) = found["conversations"]
    return str(only["state"])


def test_variables_outlive_their_program() -> None:
    with Interpreter(shared=True, conversation="c") as first:
        first.execute("python", "x = 21")
    with Interpreter(shared=True, conversation="c") as second:
        assert second.execute("python", "x * 2")[0].get("output") == "42"
        assert [message.get("code") for message in second.messages] == ["x = 21", "x * 2"]


def test_without_the_setting_the_daemon_is_private() -> None:
    with Interpreter(conversation="c") as it:
        it.execute("python", "1")
        assert status() is None


def test_the_setting_is_configured_as_all_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OI_SHARED", "true")
    with Interpreter() as it:
        it.execute("python", "1")
        assert clients() == 1


def test_it_can_be_assigned_in_the_middle_and_the_messages_move_along() -> None:
    with Interpreter(conversation_history=False) as it:
        it.execute("python", "x = 1")
        it.shared = True
        assert it.execute("python", "'x' in dir()")[0].get("output") == "False"
        assert clients() == 1
        it.shared = False
        assert [message.get("code") for message in it.messages] == ["x = 1", "'x' in dir()"]
        eventually(lambda: clients() == 0, "the object has left")


def test_close_only_leaves_and_the_next_call_comes_back(shared: Interpreter) -> None:
    shared.execute("python", "x = 5")
    first = pid()
    shared.close()
    eventually(lambda: clients() == 0, "the object has left")
    assert shared.execute("python", "x")[0].get("output") == "5"
    assert pid() == first


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "sys.exit()",
        "raise ValueError",
        "interpreter.close()",
        "import os; os.kill(os.getpid(), 9)",
    ],
    ids=["its end", "sys.exit", "an error", "close", "kill -9"],
)
def test_the_programs_end_does_not_end_a_block(
    shared: Interpreter, server: ThreadedServer, tmp_path: Path, ending: str
) -> None:
    go = tmp_path / "go"
    server.enqueue(code(f"go = {str(go)!r}\nprint('begun')\n{LOOP}"), text("Done."))
    asked(server, tmp_path, "output", ending)
    assert state() == "running"
    go.touch()
    eventually(lambda: state() == "idle", "the turn ends")
    assert shared.messages[1].get("output") == "begun\nwhole"
    assert shared.messages[-1] == {"role": "assistant", "message": "Done."}


def test_leaving_the_stream_stops_the_turn_as_ever(
    shared: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("while True: pass"))
    stream = shared.chat("Loop", stream=True, display=False)
    while "active_line" not in next(stream):
        pass
    stream.close()
    assert state() == "idle"
    assert shared.last_turn.get("status") == "interrupted"


def test_a_block_that_waits_when_the_program_is_killed_waits_on_and_is_not_run(
    shared: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(code("1 + 1"))
    asked(server, tmp_path, "executing", "import os; os.kill(os.getpid(), 9)")
    eventually(lambda: clients() == 0, "the program is gone")
    assert state() == "approval"
    assert "output" not in shared.messages[-1]
    assert shared.interrupt() is False
    assert state() == "approval"


def test_a_killed_daemon_is_started_again_with_all_messages() -> None:
    with Interpreter(shared=True, conversation_history=False) as it:
        it.execute("python", "x = 1")
        os.kill(first := pid(), signal.SIGKILL)
        wait_for_end(first)
        it.execute("python", "2")
        assert [message.get("code") for message in it.messages] == ["x = 1", "2"]
        assert pid() != first


def test_a_key_reaches_the_model_and_no_code(shared: Interpreter, server: ThreadedServer) -> None:
    server.enqueue(text("Hi"))
    shared.chat("Hi", display=False)
    assert server.requests[0].headers["authorization"] == "Bearer sk-test-0123456789"
    look = "import os; print('sk-test' in str(os.environ), os.getcwd())"
    assert shared.execute("python", look)[0].get("output") == f"False {Path.cwd()}"


def test_a_stopped_daemon_is_told_in_words(shared: Interpreter) -> None:
    shared.execute("python", "1")
    ran("stop", "--yes")
    assert shared.execute("python", "2")[0].get("output") == "2"


# Attaching


def output(stream: ChunkStream | None) -> str:
    """All output of a stream, to its end."""
    assert stream is not None
    return "".join(chunk.get("output", "") for chunk in stream)


def test_who_attaches_in_the_middle_of_a_block_gets_all_of_its_output(
    shared: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    server.enqueue(code(f"go = {str(go)!r}\nprint('begun')\n{LOOP}"), text("Done."))
    asked(server, tmp_path, "output", "import os; os.kill(os.getpid(), 9)")
    messages, stream = shared.attach()
    assert messages == [{"role": "user", "message": "Do it"}]
    assert stream is not None
    kinds = [next(iter(next(stream))) for _ in range(5)]
    assert kinds == ["language", "code", "executing", "active_line", "output"]
    go.touch()
    assert output(stream) == "whole\n"
    assert shared.messages[1].get("output") == "begun\nwhole"
    assert shared.messages[-1].get("message") == "Done."
    assert shared.execute("python", "go")[0].get("output") == repr(str(go))


def test_a_block_that_waits_is_answered_by_who_attaches(
    shared: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(code("print(6 * 7)"), code("print('never')"), text("Done."))
    asked(server, tmp_path, "executing", "import os; os.kill(os.getpid(), 9)")
    _, stream = shared.attach("c")
    assert stream is not None
    seen = ""
    for chunk in stream:
        seen += chunk.get("output", "")
        if "executing" in chunk:
            assert shared.awaits_approval
            shared.approve("run" if "6" in chunk["executing"]["code"] else "skip")
    assert seen == "42\n"
    assert [message.get("output") for message in shared.messages] == [None, "42", None, None]


def test_input_that_waits_is_given_by_who_attaches(
    shared: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(code("print('Hi', input('Name? '))"), text("Done."))
    asked(server, tmp_path, "input", "import os; os.kill(os.getpid(), 9)")
    _, stream = shared.attach()
    assert stream is not None
    for chunk in stream:
        if "input" in chunk:
            assert chunk["input"]["prompt"] == "Name? "
            shared.input("Ann")
    assert "Hi Ann" in str(shared.messages[1].get("output"))


def test_taking_the_chunks_of_another_clients_turn_answers_nothing(
    shared: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("1 + 1"), text("Done."))
    mine = shared.chat("Add", stream=True, display=False)
    while "executing" not in next(mine):
        pass
    with Interpreter(shared=True) as other:
        assert [each["state"] for each in other.running()] == ["approval"]
        _, theirs = other.attach("c")
        assert theirs is not None
        while "executing" not in next(theirs):
            pass
        theirs.close()
        assert state() == "approval"
        _, theirs = other.attach()
        assert [*mine][-1] == {"message": "Done."}
        other.approve("stop")
        assert output(theirs) == "2\n"


def test_attaching_between_turns_gives_the_messages(shared: Interpreter) -> None:
    shared.execute("python", "x = 1")
    with Interpreter(shared=True) as other:
        assert other.running() == [
            {"conversation": "c", "state": "idle", "title": "x = 1", "messages": 1}
        ]
        assert other.attach("c") == (shared.messages, None)
        assert other.execute("python", "x")[0].get("output") == "1"
        with pytest.raises(InvalidError, match="There is no conversation d"):
            other.attach("d")
        assert other.conversation == "c"
    with Interpreter() as alone, pytest.raises(InvalidError, match="daemon of its own"):
        alone.attach("c")


def test_an_interrupt_of_who_attaches_stops_the_turn(
    shared: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(code("while True: pass"))
    asked(server, tmp_path, "active_line", "import os; os.kill(os.getpid(), 9)")
    _, stream = shared.attach()
    assert stream is not None
    next(stream)
    assert shared.interrupt() is True
    output(stream)
    assert state() == "idle"
    assert shared.messages[1].get("status") == "interrupted"
