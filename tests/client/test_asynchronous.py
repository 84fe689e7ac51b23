"""The library in asyncio: awaited calls, streams, and cancelled tasks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from oi_daemon import AsyncInterpreter, InvalidError
from tests.client.programs import SILENT, code, environment, run
from tests.fakes.openai_server import ThreadedServer, text
from tests.patience import PATIENCE

SLEEP = "x = 1\nprint('go', flush=True)\nimport time\ntime.sleep(600)"


@pytest.fixture
async def interpreter(server: ThreadedServer) -> AsyncIterator[AsyncInterpreter]:
    async with AsyncInterpreter(api_base=server.url, api_key="sk-test-0123456789") as it:
        yield it


async def test_a_call_is_awaited_and_a_stream_iterated(
    interpreter: AsyncInterpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello."), code("print(1)"), text("Done."))
    messages = await interpreter.chat("Hi")
    assert messages[-1] == {"role": "assistant", "message": "Hello."}
    chunks = [chunk async for chunk in interpreter.chat("Go", stream=True)]
    assert {"output": "1\n"} in chunks
    assert interpreter.messages[-1]["message"] == "Done."
    assert (await interpreter.execute("python", "print(2)"))[0]["output"] == "2"


async def test_the_loop_goes_on_while_a_turn_waits(
    interpreter: AsyncInterpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("a", "b").but(hold_after=1))
    turn = asyncio.create_task(interpreter.chat("Hi"))
    await asyncio.to_thread(server.wait_held)
    assert not turn.done()
    server.release()
    assert (await turn)[-1]["message"] == "ab"


async def test_two_objects_converse_at_once(server: ThreadedServer) -> None:
    server.enqueue(text("a", "b").but(hold_after=1))
    async with (
        AsyncInterpreter(api_base=server.url, api_key="sk-test-0123456789") as one,
        AsyncInterpreter(api_base=server.url, api_key="sk-test-0123456789") as other,
    ):
        held = asyncio.create_task(one.chat("Hi"))
        await asyncio.to_thread(server.wait_held)
        assert (await other.execute("python", "print(3)"))[0]["output"] == "3"
        server.release()
        assert (await held)[-1]["message"] == "ab"


async def test_a_cancelled_task_interrupts_its_turn_and_the_variables_stay(
    interpreter: AsyncInterpreter, server: ThreadedServer
) -> None:
    going = asyncio.Event()
    server.enqueue(code(SLEEP))

    async def listen() -> None:
        async for chunk in interpreter.chat("Sleep", stream=True):
            if "output" in chunk:
                going.set()

    turn = asyncio.create_task(listen())
    await asyncio.wait_for(going.wait(), PATIENCE)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert interpreter.last_turn["status"] == "interrupted"
    assert (await interpreter.execute("python", "print(x + 1)"))[0]["output"] == "2"


async def test_a_call_that_is_cancelled_before_its_turn_begins_runs_nothing(
    interpreter: AsyncInterpreter, server: ThreadedServer
) -> None:
    """Also one that waits behind another: the other goes on."""
    server.enqueue(text("a", "b").but(hold_after=1))
    first = asyncio.create_task(interpreter.chat("Hi"))
    await asyncio.to_thread(server.wait_held)
    second = asyncio.create_task(interpreter.execute("python", "print('never')"))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    server.release()
    assert (await first)[-1]["message"] == "ab"
    assert len(interpreter.messages) == 2


async def test_a_call_that_is_cancelled_while_the_daemon_starts_is_interrupted(
    interpreter: AsyncInterpreter,
) -> None:
    run = asyncio.create_task(interpreter.execute("python", "import time; time.sleep(600)"))
    await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(run), PATIENCE)


async def test_leaving_a_stream_at_a_block_runs_nothing(
    interpreter: AsyncInterpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("x = 1"), SILENT, text("Next."))
    stream = interpreter.chat("Go", stream=True)
    async for chunk in stream:
        if "executing" in chunk:
            break
    await stream.aclose()
    assert interpreter.messages[-1].get("status") == "declined"


async def test_settings_are_attributes(interpreter: AsyncInterpreter) -> None:
    interpreter.temperature = 0.5
    assert interpreter.temperature == 0.5
    with pytest.raises(InvalidError, match="max_output"):
        interpreter.max_output = 0
    with pytest.raises(AttributeError, match="temprature"):
        interpreter.temprature = 1


def test_a_program_may_end_in_the_middle_of_a_call(tmp_path: Path, server: ThreadedServer) -> None:
    """Also one that leaves its loop without cancelling its tasks; and nothing of it stays."""
    server.enqueue(text("a", "b").but(hold_after=1))
    program = """
import asyncio
from oi_daemon import AsyncInterpreter

it = AsyncInterpreter()
loop = asyncio.new_event_loop()
async def begin():
    async for chunk in it.chat("Hi", stream=True):
        print(chunk, it._interpreter._connection._process.pid, flush=True)
        loop.create_task(it.chat("And?"))
        await asyncio.sleep(0)
        return
loop.run_until_complete(begin())
"""
    done = run(program, tmp_path, environment(server) | {"PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stderr
    assert not psutil.pid_exists(int(done.stdout.split()[-1]))
