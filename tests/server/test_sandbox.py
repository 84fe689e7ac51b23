"""The setting `sandbox`, over the wire."""

from pathlib import Path
from typing import Any

import pytest

from oi_daemon.execution.sandbox import landlock
from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import code, ready
from tests.wire_client import WireClient

pytestmark = pytest.mark.skipif(
    landlock.version() < landlock.LEAST, reason="this system has no Landlock to test it with"
)


def execute(client: WireClient, source: str) -> str:
    result: dict[str, Any] = client.result("oi/execute", {"language": "python", "code": source})
    return str(result["messages"][-1]["output"])


def test_a_change_takes_effect_at_once_and_is_told(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    write = f"open({str(tmp_path / 'outside')!r}, 'w').write('x')"
    with WireClient() as client:
        client.result("oi/settings/set", {"settings": {"cwd": str(own)}})
        assert execute(client, write) == "1"
        client.result("oi/settings/set", {"settings": {"sandbox": "write-protect"}})
        refused = execute(client, write)
        assert refused.startswith("[The interpreters were started again")
        assert "PermissionError" in refused
        more = {"sandbox_folders": str(tmp_path)}
        client.result("oi/settings/set", {"settings": more})
        assert execute(client, write).endswith("1")
        client.result("oi/settings/set", {"settings": {"sandbox": "none"}})
        execute(client, "x = 5")
        assert execute(client, "x") == "5"


def test_the_model_is_told_what_was_refused(server: ThreadedServer, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    server.enqueue(code(f"open({str(tmp_path / 'outside')!r}, 'w')"), text("I may not."))
    with WireClient() as client:
        ready(client, server.url, auto_run=True, cwd=str(own), sandbox="write-protect")
        client.result("oi/chat", {"message": "Write there"})
    assert "with the setting sandbox = write-protect" in str(server.requests[-1])
