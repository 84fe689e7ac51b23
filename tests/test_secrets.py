"""The key is in the request to the model and nowhere else."""

from pathlib import Path

import pytest

from oi_daemon import Interpreter
from tests.fakes.openai_server import ThreadedServer, error, text
from tests.talk import KEY, code, ready
from tests.wire_client import WireClient

PRINTS = "import os, sys; print(sys.argv, list(globals()), 6 * 7)"


def test_nothing_that_leaves_the_daemon_holds_the_key(home: Path, server: ThreadedServer) -> None:
    server.enqueue(
        code(PRINTS), text("Done."), error(401, f"Incorrect API key provided: {KEY}."), text("Ok.")
    )
    with WireClient() as client:
        ready(client, server.url, auto_run=True, debug_mode=True)
        heard = [
            client.call("oi/stream", {"message": "Go"}),
            client.call("oi/stream", {"message": "Again"}),
            client.call("oi/stream", {"message": "Hi", "settings": {"api_key": f" {KEY}\u00e9"}}),
            client.call("oi/settings/set", {"settings": {"api_key": 7}}),
            client.call("oi/settings/set", {"settings": {"api_key": KEY}}),
            client.call("oi/settings/get"),
            client.call("oi/status"),
            client.call("oi/history/get"),
        ]
        client.close_input()
        heard += [*client.rest(), *client.notifications]
        client.exit_code()
        assert KEY not in client.stderr()
    assert KEY not in str(heard)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert written(home)
    assert [path for path in written(home) if KEY.encode() in path.read_bytes()] == []


def test_settings_get_tells_only_whether_there_is_a_key(server: ThreadedServer) -> None:
    with WireClient() as client:
        assert client.result("oi/settings/get")["api_key"] is False
        ready(client, server.url)
        assert client.result("oi/settings/get")["api_key"] is True


def test_code_does_not_get_a_key_that_is_a_setting(server: ThreadedServer) -> None:
    with WireClient() as client:
        ready(client, server.url)
        environment = {"language": "python", "code": "import os; print(dict(os.environ))"}
        assert KEY not in str(client.result("oi/execute", environment))


def test_the_object_does_not_show_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    interpreter = Interpreter(api_key=KEY)
    assert KEY not in repr(interpreter)
    assert KEY not in str(vars(interpreter)["_settings"])


def written(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]
