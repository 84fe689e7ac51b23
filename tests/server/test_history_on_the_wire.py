"""Where conversations are kept, over the wire and over a restart of the daemon."""

from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import ready
from tests.wire_client import WireClient

TALK = {"conversation": "talk"}


def said(client: WireClient) -> list[str]:
    return [m["message"] for m in client.result("oi/history/get", TALK)["messages"]]


@pytest.mark.parametrize(
    "place", [{"conversation_filename": "my.json"}, {"conversation_history_path": "kept"}]
)
def test_a_conversation_goes_on_after_a_restart_wherever_it_is_kept(
    server: ThreadedServer, home: Path, place: dict[str, str]
) -> None:
    where = {name: value.replace("kept", str(home / "kept")) for name, value in place.items()}
    for message in ("One", "Two"):
        with WireClient() as client:
            ready(client, server.url, "talk", **where)
            server.enqueue(text(f"{message}."))
            client.result("oi/stream", {**TALK, "message": message})
            client.close_input()
            client.exit_code()
    with WireClient() as client:
        ready(client, server.url, "talk", **where)
        assert said(client) == ["One", "One.", "Two", "Two."]
    assert len(list(home.rglob("*.json"))) == 1


def test_deleting_removes_the_file_wherever_it_is(server: ThreadedServer, home: Path) -> None:
    with WireClient() as client:
        kept = home / "kept"
        ready(client, server.url, "talk", conversation_history_path=str(kept))
        server.enqueue(text("Hi."))
        client.result("oi/stream", {**TALK, "message": "Hello"})
        assert list(kept.glob("*.json"))
        assert client.result("oi/history/delete", TALK) == {"deleted": True}
        assert list(kept.glob("*.json")) == []
        assert client.result("oi/history/delete", TALK) == {"deleted": False}


@pytest.mark.parametrize("name", ["..", ".", "a/b.json", "y" * 300])
def test_a_file_name_that_cannot_be_is_refused(name: str) -> None:
    with WireClient() as client:
        wrong = {"settings": {"conversation_filename": name}}
        error = client.call("oi/settings/set", wrong)["error"]
        assert error["code"] == -32602
        assert "conversation_filename" in error["message"]


def test_a_turn_that_failed_at_once_leaves_no_file(server: ThreadedServer, home: Path) -> None:
    with WireClient() as client:
        error = client.call("oi/stream", {"message": "Hello"})["error"]
        assert error["data"]["kind"] == "auth"
        assert client.result("oi/history/get")["messages"] == []
    assert list(home.rglob("*.json")) == []


def test_undoing_everything_removes_the_file(server: ThreadedServer, home: Path) -> None:
    with WireClient() as client:
        ready(client, server.url)
        server.enqueue(text("Hi."))
        client.result("oi/stream", {"message": "Hello"})
        client.result("oi/history/undo")
        assert list(home.rglob("*.json")) == []


@pytest.mark.parametrize(
    ("method", "params", "before"),
    [
        ("oi/history/reset", {}, []),
        ("oi/history/undo", {}, ["One", "One."]),
        ("oi/history/set", {"messages": [{"role": "user", "message": "Set"}]}, ["Set"]),
    ],
)
def test_a_question_right_behind_a_change_of_the_history_goes_on_with_the_changed_one(
    server: ThreadedServer, method: str, params: dict[str, object], before: list[str]
) -> None:
    with WireClient() as client:
        ready(client, server.url, "talk")
        for message in ("One", "Two"):
            server.enqueue(text(f"{message}."))
            client.result("oi/stream", {**TALK, "message": message})
        server.enqueue(text("Three."))
        change = client.send(method, {**TALK, **params})
        turn = client.send("oi/stream", {**TALK, "message": "Three"})
        assert "result" in client.answer(change)
        assert client.answer(turn)["result"]["status"] == "done"
        assert said(client) == [*before, "Three", "Three."]


def test_a_question_right_behind_a_deletion_begins_an_empty_conversation(
    server: ThreadedServer, home: Path
) -> None:
    with WireClient() as client:
        ready(client, server.url, "talk")
        server.enqueue(text("One."), text("Two."))
        client.result("oi/stream", {**TALK, "message": "One"})
        deletion = client.send("oi/history/delete", TALK)
        turn = client.send("oi/stream", {**TALK, "message": "Two"})
        assert client.answer(deletion)["result"] == {"deleted": True}
        assert client.answer(turn)["result"]["status"] == "done"
        assert said(client) == ["Two", "Two."]
        assert len(list(home.rglob("conversations/*.json"))) == 1


@pytest.mark.parametrize("change", ["oi/history/undo", "oi/history/set"])
def test_what_another_daemon_has_saved_is_never_removed(
    server: ThreadedServer, change: str
) -> None:
    with WireClient() as first, WireClient() as second:
        for client, message in ((first, "One"), (second, "Two")):
            ready(client, server.url, "talk")
            server.enqueue(text(f"{message}."))
            client.result("oi/stream", {**TALK, "message": message})
        first.result(change, {**TALK, **({"messages": []} if "set" in change else {})})
    with WireClient() as third:
        assert said(third) == ["One", "One.", "Two", "Two."]


def test_a_chosen_file_name_is_for_what_comes_after_a_reset(server: ThreadedServer) -> None:
    chosen = {"conversation_filename": "notes.json"}
    with WireClient() as client:
        ready(client, server.url, "talk", **chosen)
        server.enqueue(text("One."), text("Two."))
        client.result("oi/stream", {**TALK, "message": "One"})
        client.result("oi/history/reset", TALK)
        result = client.result("oi/stream", {**TALK, "message": "Two"})
        assert result["status"] == "done"
        client.close_input()
        client.exit_code()
    with WireClient() as client:
        ready(client, server.url, "talk", **chosen)
        assert said(client) == ["Two", "Two."]
        assert len(client.result("oi/history/list")["conversations"]) == 2


def test_a_summary_takes_the_place_of_the_beginning_until_it_is_undone(
    server: ThreadedServer,
) -> None:
    """The conversation itself keeps everything, also in its file."""
    long = [{"role": "user", "message": f"{n} " + "word " * 200} for n in range(20)]
    with WireClient() as client:
        ready(client, server.url, "talk", context_window=8000)
        client.result("oi/history/set", {**TALK, "messages": long})
        server.enqueue(text("They said words."), text("Yes."), text("No."))

        (summary,) = client.result("oi/history/compact", TALK)["messages"]
        assert "They said words." in summary["message"]
        assert len(said(client)) == 21
        client.result("oi/stream", {**TALK, "message": "Well?"})
        sent = str(server.bodies[-1]["messages"])
        assert "They said words." in sent
        assert "'0 word" not in sent
        client.result("oi/history/undo", TALK)
        assert client.result("oi/history/undo", TALK)["removed"] == [summary]
        assert client.result("oi/history/get", TALK)["messages"] == long


def test_a_short_conversation_is_not_summarised(server: ThreadedServer) -> None:
    with WireClient() as client:
        ready(client, server.url, "talk")
        assert client.result("oi/history/compact", TALK)["messages"] == []
    assert server.bodies == []
