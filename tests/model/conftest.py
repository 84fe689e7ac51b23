import asyncio
from collections.abc import AsyncIterator

import pytest

from oi_daemon.model.models import Models
from tests.fakes.openai_server import ScriptedServer
from tests.model.asked import SPOKEN, Asked


@pytest.fixture(scope="session")
def warm() -> Models:
    """Importing the openai library takes longer than all tests: do it once, before them."""
    models = Models(**SPOKEN)
    asyncio.run(models.preload())
    asyncio.run(models.close())
    return models


@pytest.fixture
async def asked(warm: Models) -> AsyncIterator[Asked]:
    async with ScriptedServer() as server:
        models = Models(**SPOKEN, retry_delays=(0, 0, 0))
        yield Asked(server, models)
        await models.close()
