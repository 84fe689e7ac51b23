"""A block that a client runs aside: nothing of it is kept, and nobody is told."""

from pathlib import Path
from typing import Any

from tests.talk import chunks
from tests.wire_client import WireClient, eventually


def aside(code: str) -> dict[str, Any]:
    return {"language": "python", "code": code, "aside": True}


def test_its_result_alone_has_its_messages() -> None:
    with WireClient() as client:
        client.result("oi/execute", {"language": "python", "code": "x = 5"})
        seen = len(chunks(client))
        result = client.result("oi/execute", aside("print(x)"))
        assert result["messages"][0]["output"] == "5"
        assert chunks(client)[seen:] == []
        assert len(client.result("oi/history/get")["messages"]) == 1
        assert client.result("oi/status")["conversations"][0]["state"] == "idle"


def test_what_it_asks_for_is_end_of_file() -> None:
    with WireClient() as client:
        result = client.result("oi/execute", aside("input('Name? ')"))
        assert result["messages"][0]["error"]["name"] == "EOFError"


def test_an_interrupt_stops_it(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    code = f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(1000)"
    with WireClient() as client:
        request = client.send("oi/execute", aside(code))
        eventually(begun.exists, "the block has begun")
        assert client.result("oi/interrupt") == {"interrupted": True}
        assert client.answer(request)["result"]["status"] == "interrupted"
