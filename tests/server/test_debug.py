"""`debug_mode` tells every step on stderr, and nowhere else."""

from typing import Any

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import chunks, code, ready
from tests.wire_client import INSTALLED, WireClient

STEPS = ("request:", "print(6 * 7)", "it ran for", "reply:", "cost=")
ON: dict[str, Any] = {"debug_mode": True}


@pytest.mark.parametrize("how", ["a setting", "of one turn", "a flag"])
def test_every_step_is_told_on_stderr(server: ThreadedServer, how: str) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    command = [*INSTALLED, "--debug"] if how == "a flag" else INSTALLED
    with WireClient(command) as client:
        ready(client, server.url, auto_run=True, **(ON if how == "a setting" else {}))
        once = {"settings": ON} if how == "of one turn" else {}
        client.result("oi/stream", {"message": "Go", **once})
        client.close_input()
        client.exit_code()
        stderr = client.stderr()
    assert [step for step in STEPS if step not in stderr] == []
    assert {"output": "42\n"} in chunks(client)


def test_without_it_nothing_is_told(server: ThreadedServer) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    with WireClient() as client:
        ready(client, server.url, auto_run=True)
        client.result("oi/stream", {"message": "Go"})
        client.close_input()
        client.exit_code()
        assert client.stderr() == ""
