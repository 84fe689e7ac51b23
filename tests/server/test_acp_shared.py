"""`oi-daemon --acp` by the shared daemon: what a host has begun outlives it, and others see it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acp_host import hosting
from tests.fakes.openai_server import ThreadedServer, text
from tests.server import shared
from tests.talk import code


@pytest.fixture(autouse=True)
def stopped(home: Path) -> Iterator[None]:
    with shared.stopped_at_the_end():
        yield


async def test_variables_and_a_waiting_block_outlive_the_host(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("x = 5"), code("print(x * 5)"), text("Done."))
    async with hosting(server.url, home, shared=True) as host:
        host.choose = lambda: "run" if len(host.asked) == 1 else "wait"
        prompt = asyncio.create_task(host.prompt("Go"))
        await host.until(lambda: len(host.asked) == 2)
        session = host.session
        host.process.kill()
        await host.process.wait()
        prompt.cancel()
        await asyncio.gather(prompt, return_exceptions=True)
    async with hosting(server.url, home, shared=True, begin=False) as again:
        again.session = session
        await again.agent.load_session(cwd=str(home), session_id=session, mcp_servers=[])
        await again.until(lambda: "Done." in again.answer)
        [asked] = again.asked
        assert asked["toolCall"]["rawInput"]["code"] == "print(x * 5)"
        assert [call["status"] for call in again.calls.values()] == ["completed"] * 2
        assert "```\n25\n```" in again.shown
        again.updates.clear()
        await again.prompt("/who")
        assert "x  int  5" in again.answer


async def test_what_another_client_does_in_the_session_is_shown(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("y = 6"), text("Done."))
    async with hosting(server.url, home, shared=True) as host:
        await host.prompt("Go")
        host.updates.clear()
        with shared.client() as editor:
            params = {"conversation": host.session, "language": "python", "code": "print(y * 7)"}
            await asyncio.to_thread(editor.result, "oi/execute", params)
        await host.until(lambda: host.calls and host.call["status"] == "completed")
        assert "```\n42\n```" in host.shown


async def test_the_answer_of_another_client_takes_the_question_back(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("print(1 + 1)"), text("Done."))
    async with hosting(server.url, home, shared=True) as host:
        host.choose = lambda: "wait"
        prompt = asyncio.create_task(host.prompt("Go"))
        await host.until(lambda: host.asked)
        with shared.client() as editor:
            params = {"conversation": host.session, "approval": "approval-1", "decision": "run"}
            given = await asyncio.to_thread(editor.result, "oi/approve", params)
        assert given["accepted"]
        assert (await prompt).stop_reason == "end_turn"
        assert "```\n2\n```" in host.shown
