"""Ctrl-C, and whatever else a signal raises, at any moment of a turn."""

import os
import random
import signal
import threading
import time
from typing import Any

import pytest

from oi_daemon import Interpreter
from tests.client.programs import SILENT, code
from tests.fakes.openai_server import ThreadedServer, text

LOOP = "import time\nx = 1\nwhile True:\n    time.sleep(0.01)"


def test_ctrl_c_at_random_moments_leaves_the_conversation_whole_and_nothing_running(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.context_window = 100_000  # all turns fit, so none asks for a summary
    interpreter.execute("python", "kept = 0; import os, time")
    moments = random.Random(34)
    daemon = interpreter._connection
    for turn in range(50):
        server.enqueue(text("I", " count.") + code("kept += 1\ntime.sleep(60)"))
        before = len(interpreter.messages)
        _interrupted(interpreter, moments.randrange(9), moments.uniform(0, 0.1))
        said = [message.get("message", "") for message in interpreter.messages[before:]]
        assert said in ([], *(["Count", "I count.", ""][:n] for n in (1, 2, 3))), turn
    (message,) = interpreter.execute("python", "print(0 < kept <= 50)")
    assert message["output"] == "True"
    assert interpreter._connection is daemon


def _interrupted(interpreter: Interpreter, chunks: int, after: float) -> None:
    """A turn that never ends by itself, interrupted so many seconds after so many chunks."""
    ctrl_c = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    try:
        if chunks == 0:
            ctrl_c.start()
        for number, _ in enumerate(interpreter.chat("Count", stream=True), 1):
            if number == chunks:
                ctrl_c.start()
    except KeyboardInterrupt:
        return
    finally:
        ctrl_c.cancel()
    raise AssertionError("the turn ended by itself")


def test_ctrl_c_in_the_middle_of_a_block_raises_and_keeps_the_variables(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(LOOP))
    stream = interpreter.chat("Loop", stream=True)
    while next(stream).get("active_line") != 4:
        pass
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    assert interpreter.messages[-1]["code"] == LOOP
    assert interpreter.execute("python", "x")[0]["output"] == "1"


def test_a_second_ctrl_c_ends_even_code_that_ignores_the_first_and_keeps_the_conversation(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{LOOP}"))
    stream = interpreter.chat("Loop", stream=True)
    while next(stream).get("active_line") != 5:
        pass
    for seconds in (0.05, 0.3):
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    try:
        while time.monotonic() - began < 0.5:
            time.sleep(0.01)  # the second one comes, wherever the first was answered by then
    except KeyboardInterrupt:
        pass
    said = [message["role"] for message in interpreter.messages]
    assert said == ["user", "assistant"]
    assert interpreter.execute("python", "1 + 1")[0]["output"] == "2"


def test_an_exception_of_ones_own_in_the_loop_stops_what_runs(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(LOOP))

    def fail() -> None:
        for chunk in interpreter.chat("Loop", stream=True):
            if chunk.get("active_line") == 4:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    _see_that_nothing_runs(interpreter)


def _see_that_nothing_runs(interpreter: Interpreter) -> None:
    with interpreter._daemon() as remote:
        status = remote.status()
    assert status is not None
    assert status.state == "idle"


def test_leaving_the_loop_stops_what_runs_before_anything_else_is_called(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(LOOP))
    for chunk in interpreter.chat("Loop", stream=True):
        if chunk.get("active_line") == 4:
            break
    _see_that_nothing_runs(interpreter)


def test_a_stream_that_is_kept_is_left_by_the_next_call(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(LOOP), text("Next."))
    kept = interpreter.chat("Loop", stream=True)
    while next(kept).get("active_line") != 4:
        pass
    assert list(interpreter.chat("And now?", stream=True)) == [{"message": "Next."}]
    assert list(kept) == []


def test_messages_can_be_read_and_settings_assigned_in_the_middle_of_a_loop(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("One", " two"), text("Three"))
    seen: list[Any] = []
    for chunk in interpreter.chat("Count", stream=True):
        interpreter.temperature = 0.5
        seen.append((chunk["message"], interpreter.messages[0]["message"]))
    interpreter.chat("On", display=False)
    interpreter.close()
    assert [message["message"] for message in interpreter.messages][::2] == ["Count", "On"]
    assert seen == [("One", "Count"), (" two", "Count")]
    assert [body.get("temperature") for body in server.bodies] == [None, 0.5]


def test_auto_run_turned_off_in_the_middle_of_a_turn_is_heeded_at_once(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.auto_run = True
    server.enqueue(code("1"), code("2"), SILENT)
    asked = []
    for chunk in interpreter.chat("Go", stream=True):
        if "executing" in chunk:
            asked.append(interpreter.awaits_approval)
        if "end_of_execution" in chunk:
            interpreter.auto_run = False
            assert interpreter.messages
    assert asked == [False, True]


def test_nothing_that_the_daemon_does_reaches_the_programs_stderr(
    interpreter: Interpreter, server: ThreadedServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.enqueue(code("import sys; sys.stderr.write('red')"), SILENT)
    interpreter.auto_run = True
    interpreter.chat("Go", display=False)
    interpreter.close()
    assert capfd.readouterr() == ("", "")


def test_debug_mode_tells_every_step_on_stderr_and_never_the_key(
    interpreter: Interpreter, server: ThreadedServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.enqueue(text("Hi"))
    interpreter.debug_mode = True
    interpreter.chat("Hello", display=False)
    interpreter.close()
    printed, told = capfd.readouterr()
    assert printed == ""
    assert "gpt-4" in told
    assert "sk-test" not in told


def test_a_turn_is_interrupted_while_the_model_is_silent(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("a", "b").but(hold_after=1))
    stream = interpreter.chat("Hi", stream=True)
    next(stream)
    stream.close()  # the model is silent until the end of this test
    server.wait_disconnected()
