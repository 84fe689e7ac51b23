"""A small model that repeats itself, on a scripted server."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from oi_daemon.messages import CodeMessage, Executing, Message, NoticeChunk, UserMessage
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.local.servers import LocalModels
from oi_daemon.model.models import Models
from oi_daemon.settings import Settings
from tests.fakes.openai_server import ScriptedServer, markdown
from tests.model.asked import SPOKEN, Asked

FAILED = CodeMessage("python", "open('x')", "FileNotFoundError: x")
AGAIN = markdown("```python\nopen('x')\n```")


class SmallModel(LocalModels):
    """Finds a small model at a URL."""

    def __init__(self, url: str) -> None:
        super().__init__(ports=())
        self._url = url

    async def resolve(
        self, settings: Settings, on_load: Callable[[str], None] | None = None
    ) -> Endpoint:
        return Endpoint(api_base=self._url, api_key="k", model="small", is_small=True)


@pytest.fixture
async def small(warm: Models) -> AsyncIterator[Asked]:
    async with ScriptedServer() as server:
        models = Models(SmallModel(server.url), **SPOKEN, retry_delays=())
        yield Asked(server, models)
        await models.close()


def executed(asked: Asked) -> list[str]:
    return [part.code for part in asked.parts if isinstance(part, Executing)]


async def test_a_repeated_block_is_not_run_and_the_folder_is_shown(
    small: Asked, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    small.server.enqueue(AGAIN, markdown("```python\nopen('data.csv')\n```"))
    messages: list[Message] = [UserMessage("Sum it."), FAILED]
    await small.reply(messages, cwd=str(tmp_path))
    assert executed(small) == ["open('data.csv')"]
    assert "a,b" in small.body["messages"][-1]["content"]
    assert small.body["temperature"] > small.server.bodies[0]["temperature"]
    assert [part.kind for part in small.parts if isinstance(part, NoticeChunk)] == ["model"]


async def test_a_model_that_only_repeats_itself_is_stopped_and_that_is_said(small: Asked) -> None:
    small.server.enqueue(AGAIN, AGAIN, AGAIN)
    await small.reply([UserMessage("Sum it."), FAILED])
    assert executed(small) == []
    assert "again and again" in small.message


async def test_the_same_code_may_run_in_another_turn(small: Asked) -> None:
    small.server.enqueue(AGAIN)
    await small.reply([UserMessage("Sum it."), FAILED, UserMessage("Try again.")])
    assert executed(small) == ["open('x')"]
