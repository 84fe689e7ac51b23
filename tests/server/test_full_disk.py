"""What a person is told, over the wire, while the disk takes nothing more."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import ready
from tests.wire_client import WireClient, eventually

TALK = {"conversation": "talk"}
NO_ROOM = 16
"""Bytes that a file may have on the full disk: less than any conversation has."""


@pytest.fixture
def client(server: ThreadedServer) -> Iterator[WireClient]:
    with WireClient() as started:
        ready(started, server.url, "talk")
        yield started


def fill_the_disk(client: WireClient, room: int = NO_ROOM) -> None:
    """Let no file of the daemon grow beyond this: what it writes more fails, for root as well."""
    pid = client.process.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, most))


def free_the_disk(client: WireClient) -> None:
    fill_the_disk(client, resource.RLIM_INFINITY)


def ask(client: WireClient, server: ThreadedServer, message: str) -> list[str]:
    """Run a turn, which ends well; return the notices about saves."""
    del client.notifications[:]
    server.enqueue(text(f"{message}."))
    assert client.result("oi/stream", {**TALK, "message": message})["status"] == "done"
    chunks = [notification["params"]["chunk"] for notification in client.notifications]
    notices = [chunk["notice"] for chunk in chunks if "notice" in chunk]
    assert {notice["kind"] for notice in notices} <= {"save"}
    return [notice["message"] for notice in notices]


def problems(client: WireClient) -> list[str]:
    listed: list[str] = client.result("oi/status")["problems"]
    return listed


def said(client: WireClient) -> list[str]:
    return [m["message"] for m in client.result("oi/history/get", TALK)["messages"]]


def test_a_full_disk_is_told_once_and_its_end_too(
    client: WireClient, server: ThreadedServer, home: Path
) -> None:
    fill_the_disk(client)
    [notice] = ask(client, server, "One")
    assert "not saved" in notice
    assert "File too large" in notice
    assert problems(client) == [notice]
    assert ask(client, server, "Two") == []

    free_the_disk(client)
    eventually(lambda: problems(client) == [], "it is saved again")
    assert ask(client, server, "Three") == ["The conversation is saved again."]
    with WireClient() as later:
        assert said(later) == ["One", "One.", "Two", "Two.", "Three", "Three."]


def test_a_file_that_cannot_grow_is_told_once_while_the_journal_can(
    client: WireClient, server: ThreadedServer
) -> None:
    long = "A long question. " * 100
    assert ask(client, server, long) == []
    fill_the_disk(client, 2 * len(long))
    told = [notice for number in range(6) for notice in ask(client, server, f"{number}" * 200)]
    assert len(told) == 1
    assert "saved beside the conversation's file, but not in it" in told[0]
    assert problems(client) == told
    with WireClient() as later:  # reads the journal too
        assert said(later)[-1] == f"{5}" * 200 + "."


def test_a_daemon_that_ends_on_a_full_disk_has_told_so(
    client: WireClient, server: ThreadedServer, home: Path
) -> None:
    """It ends all the same, and leaves no half of a file."""
    fill_the_disk(client)
    assert ask(client, server, "One")
    client.close_input()
    assert client.exit_code() == 0
    assert list(home.rglob("*__talk.json")) == []
