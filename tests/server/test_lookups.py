"""Variables, documentation and completions over the wire and from the library."""

from pathlib import Path

import pytest

from oi_daemon import Interpreter
from tests.talk import wait_for_chunk
from tests.wire_client import WireClient


def execute(client: WireClient, code: str) -> None:
    client.result("oi/execute", {"language": "python", "code": code})


def test_variables_are_told_over_the_wire() -> None:
    with WireClient() as client:
        assert client.result("oi/variables") == {"variables": [], "more": 0, "unanswered": []}
        execute(client, "x = 5\nimport os")
        found = client.result("oi/variables", {"limit": 1})
        variable = {"name": "x", "type": "int", "language": "python", "preview": "5"}
        assert found == {"variables": [variable], "more": 1, "unanswered": []}


def test_they_are_told_while_a_block_runs() -> None:
    with WireClient() as client:
        code = "import time\nx = 5\nprint('runs')\ntime.sleep(60)"
        turn = client.send("oi/execute", {"language": "python", "code": code})
        wait_for_chunk(client, "output")
        [variable, _] = client.result("oi/variables", {"language": "python"})["variables"]
        assert variable["preview"] == "5"
        place = {"language": "python", "code": "time.slee", "position": 9}
        assert client.result("oi/complete", place)["matches"] == ["sleep"]
        assert (
            "sleep("
            in client.result("oi/inspect", place | {"code": "time.sleep"})["data"]["text/plain"]
        )
        client.result("oi/interrupt")
        assert client.answer(turn)["result"]["status"] == "interrupted"


def test_no_key_is_in_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-0123456789abcdefghijklmnopqrstuvwxyz"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with WireClient() as client:
        parts = f"'{key[:20]}' + '{key[20:]}'"
        execute(client, f"key = {parts}\nlate = 'x' * 60 + key\nwithin = {{'key': [key]}}")
        text = str(client.result("oi/variables"))
        assert "[key]" in text
        assert key[:8] not in text
        place = {"language": "python", "code": "late", "position": 4}
        assert key[:8] not in str(client.result("oi/inspect", place))


def test_the_library_tells_variables(tmp_path: Path) -> None:
    with Interpreter(cwd=str(tmp_path), conversation_history=False) as interpreter:
        assert interpreter.variables() == []
        interpreter.execute("python", "prices = {'a': 1}")
        [variable] = interpreter.variables("python")
        assert (variable["name"], variable.get("size")) == ("prices", 1)
        assert interpreter.complete("prices['")["matches"] == ["a"]
        assert "prices: dict" in interpreter.inspect("prices")["text/plain"]
