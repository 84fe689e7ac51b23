"""A block goes on in the background, while its conversation goes on."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import code, ready, wait_for_chunk
from tests.wire_client import WireClient

WAITS = """\
import pathlib, time
print('begun')
while not pathlib.Path('go').exists(): time.sleep(0.01)
"""
ENDS = f"{WAITS}print('ended')\nx = 5"


@pytest.fixture
def client(server: ThreadedServer, tmp_path: Any) -> Iterator[WireClient]:
    with WireClient() as started:
        ready(started, server.url)
        started.result("oi/settings/set", {"settings": {"cwd": str(tmp_path)}})
        yield started


def execute(client: WireClient, source: str, language: str = "python", **more: Any) -> Any:
    return client.result("oi/execute", {"language": language, "code": source, **more})


def until_notice(client: WireClient) -> dict[str, Any]:
    """The notice that a block in the background has ended, once it has come."""
    while True:
        for each in client.notifications:
            notice = each["params"]["chunk"].get("notice")
            if notice and notice["kind"] == "background":
                return dict(notice)
        client.read_one()


def background(client: WireClient) -> list[dict[str, Any]]:
    """What was told of blocks in the background."""
    chunks = [each["params"]["chunk"] for each in client.notifications]
    return [chunk["background"] for chunk in chunks if "background" in chunk]


def written(client: WireClient) -> str:
    return "".join(each["chunk"].get("output", "") for each in background(client))


def test_the_turn_ends_at_once_and_the_output_comes_later(client: WireClient) -> None:
    result = execute(client, ENDS, background=True)
    assert result["status"] == "background"
    [block] = result["messages"]
    assert block["output"].startswith("[The block goes on in the background as b1.")
    [conversation] = client.result("oi/status")["conversations"]
    assert conversation["state"] == "idle"
    [entry] = conversation["background"]
    assert (entry["block"], entry["language"]) == ("b1", "python")

    assert execute(client, "touch go", "shell")["status"] == "done"
    notice = until_notice(client)
    assert notice["message"].startswith("The python block b1 in the background has ended after")
    assert written(client) == "begun\nended\n"
    assert background(client)[-1]["result"]["status"] == "ok"

    assert execute(client, "x")["messages"][0]["output"] == "5"
    [first, *_] = client.result("oi/history/get")["messages"]
    assert first["output"] == "begun\nended"
    assert "background" not in client.result("oi/status")["conversations"][0]


def test_other_code_of_the_language_is_refused_in_words(client: WireClient) -> None:
    execute(client, ENDS, background=True)
    [refused] = execute(client, "print(1)")["messages"]
    assert refused["output"].startswith("[Not run: python runs b1 in the background, for ")
    assert refused["status"] == "error"
    assert refused["error"]["name"] == "BusyError"


def test_a_running_block_of_ones_own_goes_to_the_background(client: WireClient) -> None:
    turn = client.send("oi/execute", {"language": "python", "code": ENDS})
    wait_for_chunk(client, "output")
    assert client.result("oi/background") == {"block": "b1"}
    result = client.answer(turn)["result"]
    assert result["status"] == "background"
    assert result["messages"][0]["output"].startswith("begun\n[The block goes on in the background")

    execute(client, "touch go", "shell")
    until_notice(client)
    assert written(client) == "ended\n"
    client.result("oi/execute", {"language": "shell", "code": ":"})
    [first, *_] = client.result("oi/history/get")["messages"]
    assert first["output"] == "begun\nended"


def test_the_model_goes_on_without_its_block(client: WireClient, server: ThreadedServer) -> None:
    server.enqueue(code(ENDS), text("It runs."))
    params = {"message": "Go", "settings": {"auto_run": True}}
    turn = client.send("oi/stream", params)
    wait_for_chunk(client, "output")
    assert client.result("oi/background") == {"block": "b1"}
    result = client.answer(turn)["result"]
    assert result["status"] == "done"
    assert result["messages"][-1]["message"] == "It runs."
    assert "goes on in the background as b1" in str(server.requests[-1])

    execute(client, "touch go", "shell")
    until_notice(client)


def test_it_is_stopped_by_its_own_request(client: WireClient) -> None:
    execute(client, WAITS, background=True)
    assert client.result("oi/interrupt") == {"interrupted": False}
    assert client.result("oi/background/stop", {"block": "b1"}) == {"stopped": True}
    until_notice(client)
    assert background(client)[-1]["result"]["status"] == "interrupted"
    assert client.result("oi/background/stop") == {"stopped": False}


def test_there_is_no_input_in_the_background(client: WireClient) -> None:
    execute(client, "input('?')", background=True)
    until_notice(client)
    assert background(client)[-1]["result"]["error"]["name"] == "EOFError"


def test_a_reset_ends_it(client: WireClient) -> None:
    execute(client, WAITS, background=True)
    client.result("oi/history/reset")
    until_notice(client)
    assert background(client)[-1]["result"]["status"] == "killed"
    assert client.result("oi/history/get")["messages"] == []
    assert execute(client, "print(1)")["messages"][0]["output"] == "1"


def test_nothing_goes_to_the_background_where_nothing_runs(client: WireClient) -> None:
    assert client.result("oi/background") == {"block": None}
    execute(client, "print(1)")
    assert client.result("oi/background") == {"block": None}
