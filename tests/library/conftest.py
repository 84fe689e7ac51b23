"""An object of the library, for tests that converse with a scripted model."""

from collections.abc import Iterator

import pytest

from oi_daemon import Interpreter
from tests.fakes.openai_server import ThreadedServer


@pytest.fixture
def interpreter(server: ThreadedServer) -> Iterator[Interpreter]:
    with Interpreter(api_base=server.url, api_key="sk-test-0123456789") as it:
        yield it
