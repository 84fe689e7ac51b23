"""What the daemon reports of itself, and how it says that something went wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, error, text
from tests.talk import ready, wait_for_chunk
from tests.wire_client import WireClient


@pytest.fixture
def client(server: ThreadedServer) -> Iterator[WireClient]:
    with WireClient() as started:
        ready(started, server.url)
        yield started


def test_a_folder_that_does_not_exist_is_a_problem(client: WireClient, tmp_path: Path) -> None:
    assert client.result("oi/status")["problems"] == []
    gone = str(tmp_path / "gone")
    client.result("oi/settings/set", {"settings": {"cwd": gone}})
    [problem] = client.result("oi/status")["problems"]
    assert f"the folder {gone} does not exist" in problem
    client.result("oi/settings/set", {"settings": {"cwd": str(tmp_path)}})
    assert client.result("oi/status")["problems"] == []


def test_the_state_is_retrying_while_a_retry_is_waited_for_and_no_longer(
    client: WireClient, server: ThreadedServer
) -> None:
    retry = error(429, headers={"Retry-After": "0.3"})
    server.enqueue(retry, retry, text("Hi", " there."))
    turn = client.send("oi/stream", {"message": "Hello"})
    wait_for_chunk(client, "notice")
    [now] = client.result("oi/status")["conversations"]
    assert now["state"] == "retrying"
    assert client.answer(turn)["result"]["status"] == "done"

    states = [notification["params"]["state"] for notification in client.notifications]
    assert states == ["retrying", "retrying", *["thinking"] * (len(states) - 2)]
    assert len(states) > 2
    [then] = client.result("oi/status")["conversations"]
    assert then["state"] == "idle"


def test_the_state_is_idle_after_the_last_retry_has_failed(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(error(429, headers={"Retry-After": "0.01"}), error(400, "No."))
    assert "No." in client.call("oi/stream", {"message": "Hello"})["error"]["message"]
    [now] = client.result("oi/status")["conversations"]
    assert now["state"] == "idle"


def test_an_error_message_has_no_control_characters(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(error(400, "\x1b]52;c;cm0gLXJm\x07\x1b[2JNo\u202e such\x9b31m thing"))
    message = client.call("oi/stream", {"message": "Hi"})["error"]["message"]
    assert "No such31m thing" in message
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(message)
