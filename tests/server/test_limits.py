"""The settings about what code may take hold in the next turn, and a model is told."""

import json
import sys
from collections.abc import Iterator

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import code, ready
from tests.wire_client import WireClient


@pytest.fixture
def client(server: ThreadedServer) -> Iterator[WireClient]:
    with WireClient() as it:
        ready(it, server.url, auto_run=True)
        it.result("oi/execute", {"language": "python", "code": "import os\nx = 41"})
        yield it


def test_a_block_is_stopped_and_the_model_goes_on(
    client: WireClient, server: ThreadedServer
) -> None:
    client.result("oi/settings/set", {"settings": {"max_seconds": 1}})
    server.enqueue(code("x += 1\nwhile True: pass"), code("print(x)"), text("42"))
    result = client.result("oi/stream", {"message": "Go"})
    assert result["status"] == "done"
    assert "`max_seconds`" in result["messages"][1]["output"]
    assert "`max_seconds`" in json.dumps(server.requests[1].body)
    assert result["messages"][2]["output"] == "42"


@pytest.mark.skipif(sys.platform != "linux", reason="copies are kept on Linux only")
@pytest.mark.parametrize("kept", [True, False])
def test_a_crash_is_told_to_the_model(
    client: WireClient, server: ThreadedServer, kept: bool
) -> None:
    client.result("oi/settings/set", {"settings": {"crash_proof": kept}})
    client.result("oi/execute", {"language": "python", "code": "x = 42"})
    server.enqueue(code("os._exit(3)"), code("print('x' in globals())"), text("So it is."))
    messages = client.result("oi/stream", {"message": "Go"})["messages"]
    variables = "as they were before this block" if kept else "lost"
    told = f"Python ended with exit code 3 at line 1. Its variables are {variables}."
    assert told in messages[1]["output"]
    assert told in json.dumps(server.requests[1].body)
    assert messages[2]["output"] == str(kept)
