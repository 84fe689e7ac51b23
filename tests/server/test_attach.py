"""A client that attaches itself: what it gets, and that no chunk comes twice or is missing."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from oi_daemon.messages import dump, fold
from oi_daemon.protocol.chunks import from_wire
from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import chunks, code, ready, wait_for, wait_for_approval
from tests.wire_client import WireClient

CONVERSATION = "attached"
SHOWS = (
    "import time\n"
    "for step in range(40):\n"
    "    print(f'\\r{step} %', end='', flush=True)\n"
    "    if step % 8 == 0: print('\\n\\x1b[1mline', step, '\\x1b[0m', flush=True)\n"
    "    time.sleep(0.001)\n"
)
HERE = {"conversation": CONVERSATION}


@pytest.fixture
def client(server: ThreadedServer) -> Iterator[WireClient]:
    with WireClient() as it:
        ready(it, server.url, CONVERSATION)
        yield it


def folded(notifications: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages of one turn whose notifications these are."""
    return fold_of([(each["chunk"], each.get("result")) for each in notifications])


def fold_of(heard: Sequence[tuple[dict[str, Any], Any]]) -> list[dict[str, Any]]:
    return [dump(message) for message in fold(from_wire(chunk, result) for chunk, result in heard)]


def continued(turn: Mapping[str, Any], later: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The turn's messages, by what a client got when it attached itself and what came later."""
    begun = [(chunk, None) for chunk in turn["unfinished"]]
    rest = [(each["chunk"], each.get("result")) for each in later]
    return [*turn["messages"][: turn["finished"]], *fold_of([*begun, *rest])]


def test_a_conversation_between_turns(client: WireClient) -> None:
    client.result("oi/execute", {**HERE, "language": "python", "code": "print(1)"})
    attached = client.result("oi/attach", HERE)
    assert attached.pop("settings") == client.result("oi/settings/get", HERE)
    assert attached == {
        "conversation": CONVERSATION,
        "messages": [
            {"role": "assistant", "language": "python", "code": "print(1)", "output": "1"}
        ],
        "state": "idle",
        "last_seq": client.notifications[-1]["params"]["seq"],
    }


def test_what_waits_for_an_approval_is_there(client: WireClient, server: ThreadedServer) -> None:
    server.enqueue(text("I ") + code("x = 1"), text("Done."))
    turn = client.send("oi/stream", {**HERE, "message": "Go"})
    approval = wait_for_approval(client)
    attached = client.result("oi/attach", HERE)
    assert attached["state"] == "approval"
    assert attached["messages"] == [{"role": "user", "message": "Go"}]
    assert attached["turn"]["approval"] == {"id": approval, "code": "x = 1", "language": "python"}
    client.result("oi/approve", {**HERE, "approval": approval, "decision": "run"})
    assert {"event": {"kind": "answered", "approval": approval}} in chunks(client)
    assert client.answer(turn)["result"]["status"] == "done"
    assert chunks(client)[-1] == {"event": {"kind": "ended", "status": "done"}}


def test_an_input_that_waits_is_there(client: WireClient) -> None:
    turn = client.send("oi/execute", {**HERE, "language": "python", "code": "print(input('? '))"})
    input = wait_for(client, lambda params: params.get("input"))["input"]
    attached = client.result("oi/attach", HERE)
    assert attached["turn"]["active_line"] == 1
    assert attached["turn"]["input"] == {"id": input, "prompt": "? ", "password": False}
    client.result("oi/input", {**HERE, "input": input, "value": "yes"})
    assert client.answer(turn)["result"]["messages"][0]["output"].endswith("yes")


def test_the_words_that_begin_a_turn_are_an_event(
    client: WireClient, server: ThreadedServer
) -> None:
    client.result("oi/attach", HERE)
    server.enqueue(text("Hello."))
    client.result("oi/stream", {**HERE, "message": "Hi"})
    assert chunks(client)[0] == {"event": {"kind": "begun", "message": "Hi"}}


def test_a_turn_that_fails_is_an_event(client: WireClient, server: ThreadedServer) -> None:
    client.result("oi/attach", HERE)
    change = {**HERE, "settings": {"api_base": "http://127.0.0.1:1", "api_key": "local"}}
    client.result("oi/settings/set", change)
    error = client.call("oi/stream", {**HERE, "message": "Hi"})["error"]
    failed = {"kind": "ended", "status": "failed", "message": error["message"]}
    assert chunks(client)[-1] == {"event": failed}


def test_without_an_attached_client_there_are_no_events(
    client: WireClient, server: ThreadedServer
) -> None:
    client.result("oi/attach", HERE)
    client.result("oi/detach", HERE)
    server.enqueue(text("Hello."))
    turn = client.result("oi/stream", {**HERE, "message": "Hi"})
    assert chunks(client) == [{"message": "Hello."}]
    assert turn["last_seq"] == client.notifications[-1]["params"]["seq"]


def test_a_change_of_the_messages_is_an_event(client: WireClient) -> None:
    client.result("oi/execute", {**HERE, "language": "python", "code": "1"})
    client.result("oi/attach", HERE)
    before = len(client.notifications)
    client.result("oi/history/undo", HERE)
    assert chunks(client)[before:] == [{"event": {"kind": "changed"}}]


def test_at_any_moment_nothing_is_missing_and_nothing_comes_twice(
    client: WireClient, server: ThreadedServer
) -> None:
    """Also in the middle of an output, whose cursor is somewhere, and of a word."""
    client.result("oi/settings/set", {**HERE, "settings": {"auto_run": True}})
    moments = random.Random(13)
    for _ in range(4):
        words = [f"wo{number}" for number in range(30)]
        block = (text(*words) + code(SHOWS)).but(delay=0.0005)
        server.enqueue(block, text(*words).but(delay=0.0005))
        begun = len(client.notifications)
        turn = client.send("oi/stream", {**HERE, "message": "Go"})
        asked = []
        while client.notifications[begun:][-1:] == [] or not _ended(client):
            client.read_one()
            if moments.random() < 0.2:
                asked.append(client.send("oi/attach", HERE))
        result = client.answer(turn)["result"]
        snapshots = [client.answer(request)["result"] for request in asked]
        heard = [each["params"] for each in client.notifications[begun:]]
        assert folded(heard) == result["messages"][1:]
        for snapshot in snapshots:
            if turn_so_far := snapshot.get("turn"):
                earlier = [each for each in heard if each["seq"] <= snapshot["last_seq"]]
                later = [each for each in heard if each["seq"] > snapshot["last_seq"]]
                assert turn_so_far["messages"] == folded(earlier)
                assert continued(turn_so_far, later) == result["messages"][1:]
        assert any(snapshot.get("turn") for snapshot in snapshots)


def _ended(client: WireClient) -> bool:
    chunk = client.notifications[-1]["params"]["chunk"]
    return bool(chunk.get("event", {}).get("kind") == "ended")
