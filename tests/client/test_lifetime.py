"""The daemon's life: begun at need, ended with the program, and lost in the middle of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from oi_daemon import ConnectionLostError, Interpreter
from tests.client.programs import code, environment, run
from tests.fakes.openai_server import ThreadedServer, text
from tests.processes import command_line

LOOP = "import time\nwhile True:\n    time.sleep(0.01)"
BEGUN = """
import psutil
from oi_daemon import Interpreter

interpreter = Interpreter()
stream = interpreter.chat("Loop", stream=True)
while next(stream).get("active_line") != 3:
    pass
print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
"""


def daemon() -> psutil.Process:
    (only,) = (child for child in psutil.Process().children() if "oi_daemon" in command_line(child))
    return only


def killed() -> None:
    process = daemon()
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("ending", "exit_code"),
    [("", 0), ("raise SystemExit(3)", 3), ("1 / 0", 1), ("import os; os._exit(4)", 4)],
    ids=["its end", "sys.exit", "an error", "os._exit"],
)
def test_nothing_is_left_of_a_program_that_ends_in_the_middle_of_a_turn(
    server: ThreadedServer, tmp_path: Path, ending: str, exit_code: int
) -> None:
    server.enqueue(code(LOOP))
    done = run(BEGUN + ending, tmp_path, environment(server))
    assert done.returncode == exit_code, done.stderr
    _see_them_end(done.stdout)
    if exit_code in (0, 3):
        assert done.stderr == ""


def test_nothing_is_left_of_a_program_that_is_killed(
    server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(code(LOOP))
    done = run(f"{BEGUN}\nimport os; os.kill(os.getpid(), 9)", tmp_path, environment(server))
    assert done.returncode == -9
    _see_them_end(done.stdout)


def _see_them_end(printed: str) -> None:
    pids = [int(pid) for pid in printed.split()]
    assert len(pids) >= 2
    for pid in pids:
        try:
            psutil.Process(pid).wait(10)
        except psutil.NoSuchProcess:
            pass


def test_a_daemon_killed_in_mid_turn_is_started_again_with_all_that_was_heard(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.conversation_history = False
    server.enqueue(text("First."), text("Half", " a").but(hold_after=2), text("Whole."))
    interpreter.chat("One", display=False)
    stream = interpreter.chat("Two", stream=True)
    assert [next(stream), next(stream)] == [{"message": "Half"}, {"message": " a"}]
    killed()
    with pytest.raises(ConnectionLostError, match="next call"):
        next(stream)
    messages = interpreter.chat("Three", display=False)
    said = ["One", "First.", "Two", "Half a", "Three", "Whole."]
    assert [message["message"] for message in messages] == said
    asked = server.bodies[-1]["messages"][1:]
    assert [message["content"] for message in asked] == said[:-1]


def test_what_was_undone_and_reset_stays_so_when_the_daemon_dies(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("First."), text("Second."))
    interpreter.chat("One", display=False)
    interpreter.chat("Two", display=False)
    interpreter.undo()
    killed()
    interpreter.saved()
    assert [message["message"] for message in interpreter.messages] == ["One", "First."]
    killed()
    interpreter.reset()
    assert interpreter.messages == []
    assert interpreter.usage["input_tokens"] == 200


def test_a_saved_conversation_is_readable_before_any_chat_and_goes_on(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("First."), text("Second."))
    interpreter.chat("One", display=False)
    interpreter.close()
    conversation = interpreter.conversation
    with Interpreter(conversation=conversation, api_base=server.url, api_key="k") as again:
        assert [message["message"] for message in again.messages] == ["One", "First."]
        again.chat("Two", display=False)
        assert len(again.messages) == 4
    with Interpreter() as other:
        other.conversation = conversation
        assert len(other.messages) == 4
        assert [found["title"] for found in other.saved()["conversations"]] == ["One"]


def test_messages_assigned_to_a_saved_conversation_take_its_place(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("First."))
    interpreter.chat("One", display=False)
    interpreter.close()
    with Interpreter(conversation=interpreter.conversation) as again:
        again.messages = [{"role": "user", "message": "Mine"}]
        assert again.messages == [{"role": "user", "message": "Mine"}]


def test_start_does_not_wait_for_the_daemon(interpreter: Interpreter) -> None:
    interpreter.start()
    process = daemon()
    interpreter.start()
    interpreter.saved()
    assert daemon() == process


def test_without_display_a_falsy_value_runs_nothing_either(
    interpreter: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(code(f"open({str(tmp_path / 'made')!r}, 'w')"))
    interpreter.chat("Go", display=0)  # type: ignore[call-overload]
    assert not (tmp_path / "made").exists()


def test_import_interpreter_is_quick_and_starts_nothing() -> None:
    source = "import sys, interpreter; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", source],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    heavy = {"asyncio", "difflib", "msgspec", "openai", "platformdirs", "pygls", "rich", "tomllib"}
    assert not heavy & set(done.stdout.split())
    imports = re.findall(r"^import time:.*\| +interpreter$", done.stderr, re.MULTILINE)
    assert len(imports) == 1
