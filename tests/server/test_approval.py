"""Without approval nothing runs: the installed daemon, asked in every wrong way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.talk import chunks, code, ready, wait_for, wait_for_approval, wait_for_chunk
from tests.wire_client import WireClient, eventually


@pytest.fixture
def client(server: ThreadedServer) -> Iterator[WireClient]:
    with WireClient() as it:
        ready(it, server.url)
        yield it


@pytest.fixture
def made(tmp_path: Path, server: ThreadedServer) -> Path:
    """The file that the model's code would make."""
    path = tmp_path / "made"
    server.enqueue(code(f"open({str(path)!r}, 'w').close()"), text("Done."))
    return path


def answers(client: WireClient) -> list[dict[str, Any]]:
    """Those that come until the daemon closes its output."""
    return [message for message in client.rest() if "id" in message]


def test_run_runs_it_once(client: WireClient, made: Path) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    approval = wait_for_approval(client)
    assert not made.exists()
    answer = {"approval": approval, "decision": "run"}
    assert client.result("oi/approve", answer) == {"accepted": True}
    assert client.result("oi/approve", answer) == {"accepted": False}
    assert client.answer(turn)["result"]["status"] == "done"
    assert made.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"approval": "approval-2", "decision": "run"},
        {"approval": "", "decision": "run"},
        {"approval": "approval-1", "decision": "run", "conversation": "another"},
    ],
)
def test_a_wrong_id_runs_nothing(client: WireClient, made: Path, wrong: dict[str, str]) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    approval = wait_for_approval(client)
    assert client.result("oi/approve", wrong) == {"accepted": False}
    assert client.result("oi/status")["conversations"][0]["state"] == "approval"
    client.result("oi/approve", {"approval": approval, "decision": "stop"})
    assert client.answer(turn)["result"]["status"] == "stopped"
    assert not made.exists()


@pytest.mark.parametrize("decision", ["yes", "RUN", "", None, True, {"decision": "run"}])
def test_a_decision_that_is_none_runs_nothing(
    client: WireClient, made: Path, decision: object
) -> None:
    client.send("oi/stream", {"message": "Go"})
    wrong = {"approval": wait_for_approval(client), "decision": decision}
    error = client.call("oi/approve", wrong)["error"]
    assert error["code"] == -32602
    assert "decision" in error["message"]
    assert client.result("oi/status")["conversations"][0]["state"] == "approval"
    assert not made.exists()


def test_skip_tells_the_model_and_goes_on(
    client: WireClient, server: ThreadedServer, made: Path
) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "skip"})
    result = client.answer(turn)["result"]
    assert result["status"] == "done"
    _, block, said = result["messages"]
    assert "output" not in block
    assert said == {"role": "assistant", "message": "Done."}
    assert "declined" in str(server.bodies[-1]["messages"][-1])
    assert not made.exists()


def test_stop_ends_the_turn(client: WireClient, server: ThreadedServer, made: Path) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "stop"})
    result = client.answer(turn)["result"]
    assert result["status"] == "stopped"
    assert "output" not in result["messages"][-1]
    assert len(server.bodies) == 1
    assert not made.exists()


def test_always_runs_this_block_and_all_that_follow(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(code("print(1)"), code("print(2)"), text("Done."), code("print(3)"), text("Ok."))
    turn = client.send("oi/stream", {"message": "Go"})
    client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "always"})
    assert client.answer(turn)["result"]["status"] == "done"
    assert client.result("oi/stream", {"message": "More"})["status"] == "done"
    assert [c["output"] for c in chunks(client) if "output" in c] == ["1\n", "2\n", "3\n"]
    assert client.result("oi/settings/get")["auto_run"] is True


def test_always_is_for_this_conversation_alone(client: WireClient, server: ThreadedServer) -> None:
    ready(client, server.url, conversation_history=False)
    server.enqueue(code("1"), text("Done."), code("print(2)"))
    turn = client.send("oi/stream", {"message": "Go"})
    client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "always"})
    client.answer(turn)
    other = {"conversation": "other"}
    client.result(
        "oi/settings/set", {**other, "settings": {"api_base": server.url, "api_key": "k"}}
    )
    client.send("oi/stream", {**other, "message": "Go"})
    assert wait_for(client, lambda p: p["conversation"] == "other" and p.get("approval"))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("oi/history/reset", {}),
        ("oi/history/set", {"messages": []}),
        ("oi/settings/set", {"settings": {"auto_run": False}}),
    ],
)
def test_always_can_be_taken_back(
    client: WireClient, server: ThreadedServer, method: str, params: dict[str, Any]
) -> None:
    server.enqueue(code("1"), text("One."), code("2"), text("Two."))
    turn = client.send("oi/stream", {"message": "Go"})
    client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "always"})
    assert client.answer(turn)["result"]["status"] == "done"
    assert client.result("oi/settings/get")["auto_run"] is True
    client.result(method, params)
    assert client.result("oi/settings/get")["auto_run"] is False
    client.send("oi/stream", {"message": "Go on"})
    wait_for_approval(client, 2)


def test_a_turn_may_ask_for_every_block_in_spite_of_auto_run(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(code("1"), text("Done."))
    client.result("oi/settings/set", {"settings": {"auto_run": True}})
    turn = client.send("oi/stream", {"message": "Go", "settings": {"auto_run": False}})
    client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "skip"})
    assert client.answer(turn)["result"]["status"] == "done"
    assert {"declined": {"by": "skip"}} in chunks(client)
    assert client.result("oi/settings/get")["auto_run"] is True


def test_edited_code_is_what_runs_and_what_the_history_holds(
    client: WireClient, server: ThreadedServer, made: Path
) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    edited = {"approval": wait_for_approval(client), "decision": "run", "code": "print('mine')"}
    client.result("oi/approve", edited)
    result = client.answer(turn)["result"]
    block = {"role": "assistant", "language": "python", "code": "print('mine')", "output": "mine"}
    assert result["messages"][1] == block
    assert client.result("oi/history/get")["messages"][1] == block
    assert [c["executing"]["code"] for c in chunks(client) if "executing" in c][-1] == edited[
        "code"
    ]
    assert "mine" in server.bodies[-1]["messages"][-2]["tool_calls"][0]["function"]["arguments"]
    assert not made.exists()


def test_settings_of_one_call_do_not_outlive_it(client: WireClient, server: ThreadedServer) -> None:
    server.enqueue(code("print(1)"), text("Done."), code("print(2)"))
    once = {"message": "Go", "settings": {"auto_run": True}}
    assert client.result("oi/stream", once)["status"] == "done"
    client.send("oi/stream", {"message": "Again"})
    wait_for_approval(client)


def test_the_end_of_input_declines_what_waits(client: WireClient, made: Path) -> None:
    turn = client.send("oi/stream", {"message": "Go"})
    wait_for_approval(client)
    client.close_input()
    (answer,) = answers(client)
    assert answer["id"] == turn
    assert answer["result"]["status"] == "stopped"
    assert client.exit_code() == 0
    assert not made.exists()


def test_the_end_of_input_declines_what_comes_later(
    client: WireClient, server: ThreadedServer, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    server.enqueue(code(f"open({str(made)!r}, 'w')").but(hold_after=1))
    client.send("oi/stream", {"message": "Go"})
    client.close_input()
    server.wait_held()
    server.release()
    (answer,) = answers(client)
    assert answer["result"]["status"] == "stopped"
    assert not made.exists()


def test_the_end_of_input_is_the_end_of_file_for_input(client: WireClient) -> None:
    client.send("oi/execute", {"language": "python", "code": "input('Name? ')"})
    wait_for_chunk(client, "input")
    client.close_input()
    (answer,) = answers(client)
    assert "EOFError" in answer["result"]["messages"][0]["output"]


def test_a_client_that_is_gone_runs_nothing(client: WireClient, made: Path) -> None:
    client.send("oi/stream", {"message": "Go"})
    wait_for_approval(client)
    client.hang_up()
    client.exit_code()
    assert not made.exists()


def test_a_client_that_is_gone_stops_what_runs(client: WireClient, tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    source = f"while True: open({str(beat)!r}, 'w').close()"
    client.send("oi/execute", {"language": "python", "code": source})
    eventually(beat.exists, "the code runs")
    client.hang_up()
    client.exit_code()
    beat.unlink(missing_ok=True)
    assert not beat.exists()


def test_oi_chat_notifies_only_what_waits(client: WireClient, server: ThreadedServer) -> None:
    server.enqueue(text("First:") + code("print(input('? '))"), text("Done."))
    turn = client.send("oi/chat", {"message": "Go"})
    client.result("oi/approve", {"approval": wait_for_approval(client), "decision": "run"})
    waits = wait_for_chunk(client, "input")
    client.result("oi/input", {"input": waits["input"], "value": "Ada"})
    result = client.answer(turn)["result"]
    assert [sorted(chunk) for chunk in chunks(client)] == [["executing"], ["input"]]
    assert result["messages"][2]["output"].endswith("Ada")
    assert result["last_seq"] == 2


def test_seq_rises_by_one_and_all_chunks_come_before_the_result(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(code("print(1)"), text("Do", "ne", "."))
    result = client.result("oi/stream", {"message": "Go", "settings": {"auto_run": True}})
    seqs = [n["params"]["seq"] for n in client.notifications]
    assert seqs == list(range(1, result["last_seq"] + 1))


@pytest.mark.parametrize("setting", [{"auto_run": False}, {"max_budget": 0.0}])
def test_what_is_taken_back_right_behind_the_question_holds_for_its_turn(
    client: WireClient, server: ThreadedServer, setting: dict[str, object]
) -> None:
    client.result("oi/settings/set", {"settings": {"auto_run": True}})
    server.enqueue(code("print(1)"), text("Done."))
    turn = client.send("oi/stream", {"message": "Go"})
    client.result("oi/settings/set", {"settings": setting})
    if "auto_run" in setting:
        approval = wait_for_approval(client)
        client.result("oi/approve", {"approval": approval, "decision": "stop"})
    assert client.answer(turn)["result"]["status"] in ("stopped", "budget")
