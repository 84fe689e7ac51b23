"""The library in threads, in asyncio and in forked processes."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from oi_daemon import BusyError, Interpreter
from tests.client.programs import SILENT, code
from tests.fakes.openai_server import ThreadedServer, text
from tests.patience import PATIENCE


def test_a_second_thread_is_told_that_a_turn_is_under_way(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("a", "b").but(hold_after=1))
    chat = threading.Thread(target=interpreter.chat, args=["Hi"], kwargs={"display": False})
    chat.start()
    server.wait_held()
    for call in (lambda: interpreter.chat("And I?"), interpreter.reset):
        with pytest.raises(BusyError, match="thread"):
            call()
    server.release()
    chat.join(30)
    assert interpreter.messages[-1]["message"] == "ab"


def test_a_stream_of_another_thread_is_not_left_by_a_call_from_here(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("a", "b"))
    begun, go_on = threading.Event(), threading.Event()
    heard: list[str] = []

    def listen() -> None:
        for chunk in interpreter.chat("Hi", stream=True):
            heard.append(chunk["message"])
            begun.set()
            go_on.wait(30)

    listening = threading.Thread(target=listen)
    listening.start()
    begun.wait(30)
    with pytest.raises(BusyError, match="thread"):
        interpreter.chat("And I?", display=False)
    go_on.set()
    listening.join(30)
    assert heard == ["a", "b"]


def test_a_stream_is_not_disturbed_by_a_thread_that_reads_the_messages(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    words = [f"{number} " for number in range(300)]
    server.enqueue(text(*words))
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            try:
                assert interpreter.messages
            except BusyError:
                ended.wait(0.001)

    stream = interpreter.chat("Count", stream=True)
    heard = next(stream)["message"]
    watching = threading.Thread(target=watch)
    watching.start()
    heard += "".join(chunk["message"] for chunk in stream)
    ended.set()
    watching.join(30)
    assert heard == "".join(words)


def test_a_turn_is_interrupted_from_another_thread(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    """It ends as usual; what was said and the variables are kept, and the next turn is whole."""
    interpreter.auto_run = True
    assert not interpreter.interrupt()
    server.enqueue(code("x = 1\nprint('go', flush=True)\nimport time\ntime.sleep(600)"))
    going = threading.Event()

    def listen() -> None:
        for chunk in interpreter.chat("Sleep", stream=True, display=False):
            if "output" in chunk:
                going.set()

    listening = threading.Thread(target=listen)
    listening.start()
    going.wait(PATIENCE)
    assert interpreter.interrupt()
    listening.join(PATIENCE)
    assert interpreter.last_turn["status"] == "interrupted"
    assert interpreter.messages[-1]["output"].startswith("go\n")
    server.enqueue(code("print(x + 1)"), text("Two."))
    assert interpreter.chat("And?", display=False)[-2]["output"] == "2"


def test_a_stream_may_be_handed_from_thread_to_thread(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("a", "b", "c"))
    stream = interpreter.chat("Hi", stream=True)
    heard = []
    for _ in range(3):
        with ThreadPoolExecutor(1) as pool:
            heard.append(pool.submit(next, stream).result())
    assert heard == [{"message": "a"}, {"message": "b"}, {"message": "c"}]
    assert list(stream) == []


async def test_calls_block_inside_asyncio_and_run_in_its_threads(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("print(1)"), SILENT, text("Two."))
    chunks = list(interpreter.chat("One", stream=True))
    assert {"output": "1\n"} in chunks
    messages = await asyncio.to_thread(interpreter.chat, "Two", display=False)
    assert messages[-1] == {"role": "assistant", "message": "Two."}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_goes_on_in_a_conversation_and_a_daemon_of_its_own(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("Before."), text("In the child."), text("After."))
    interpreter.chat("First", display=False)
    assert _in_a_fork(lambda: len(interpreter.chat("Second", display=False))) == 4
    assert interpreter.chat("Third", display=False) == [
        {"role": "user", "message": "First"},
        {"role": "assistant", "message": "Before."},
        {"role": "user", "message": "Third"},
        {"role": "assistant", "message": "After."},
    ]


def _in_a_fork(call: Callable[[], int]) -> int:
    """What a call gives, as a small number, in a forked process."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(call())
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def test_what_was_said_can_be_read_while_another_thread_waits_for_more(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("One."), text("Two", " and more").but(hold_after=1))
    interpreter.chat("First", display=False)
    heard = threading.Event()

    def listen() -> None:
        for _ in interpreter.chat("Second", stream=True, display=False):
            heard.set()

    chat = threading.Thread(target=listen)
    chat.start()
    assert heard.wait(30)
    said = [message["message"] for message in interpreter.messages]
    assert said == ["First", "One.", "Second", "Two"]
    assert interpreter.usage["input_tokens"] == 100
    server.release()
    chat.join(30)
    assert interpreter.messages[-1]["message"] == "Two and more"
