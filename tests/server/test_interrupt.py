"""An interrupt stops whatever is under way, keeps the state, and the next turn works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, error, text
from tests.talk import chunks, code, ready, wait_for, wait_for_approval, wait_for_chunk
from tests.wire_client import WireClient

"""Seconds; the benchmarks measure the milliseconds that it takes."""

BLOCKS = {
    "loop": "while True: pass",
    "sleep": "import time\ntime.sleep(60)",
    "await": "import asyncio\nawait asyncio.sleep(60)",
    "child": "import subprocess\nsubprocess.run(['sleep', '60'])",
    "shell command": "import os\nos.system('sleep 60')",
    "input": "input('? ')",
}


@pytest.fixture
def client(server: ThreadedServer) -> Iterator[WireClient]:
    with WireClient() as it:
        ready(it, server.url, auto_run=True)
        it.result("oi/execute", {"language": "python", "code": "x = 41"})
        yield it


@pytest.mark.parametrize("block", BLOCKS)
def test_it_stops_code_and_keeps_variables(
    client: WireClient, server: ThreadedServer, block: str
) -> None:
    server.enqueue(code(f"x += 1\n{BLOCKS[block]}"), code("print(x)"), text("42"))
    turn = client.send("oi/stream", {"message": "Go"})
    last = 1 + len(BLOCKS[block].splitlines())
    wait_for(client, lambda params: params["chunk"].get("active_line") == last)
    assert client.result("oi/interrupt") == {"interrupted": True}
    result = client.answer(turn)["result"]
    assert result["status"] == "interrupted"
    assert "KeyboardInterrupt" in result["messages"][-1]["output"]
    client.notifications.clear()
    assert client.result("oi/stream", {"message": "And x?"})["status"] == "done"
    assert [c["output"] for c in chunks(client) if "output" in c] == ["42\n"]


def test_it_stops_a_slow_models_stream_at_once_and_closes_the_connection(
    client: WireClient, server: ThreadedServer
) -> None:
    server.enqueue(text("Let", " me", " think", " long").but(hold_after=2), text("Hello."))
    turn = client.send("oi/stream", {"message": "Go"})
    wait_for(client, lambda params: params["chunk"].get("message") == " me")
    client.result("oi/interrupt")
    result = client.answer(turn)["result"]
    assert result["status"] == "interrupted"
    assert result["messages"][-1] == {"role": "assistant", "message": "Let me"}
    server.wait_disconnected()
    assert client.result("oi/stream", {"message": "Hi"})["messages"][-1]["message"] == "Hello."


def test_it_stops_a_wait_for_approval(client: WireClient, server: ThreadedServer) -> None:
    ready(client, server.url, auto_run=False)
    server.enqueue(code("print(1)"), text("Hello."))
    turn = client.send("oi/stream", {"message": "Go"})
    approval = wait_for_approval(client)
    client.result("oi/interrupt")
    assert client.answer(turn)["result"]["status"] == "interrupted"
    late = {"approval": approval, "decision": "run"}
    assert client.result("oi/approve", late) == {"accepted": False}
    assert client.result("oi/stream", {"message": "Hi"})["status"] == "done"


def test_it_stops_a_wait_before_another_try(client: WireClient, server: ThreadedServer) -> None:
    server.enqueue(error(429, "Slow down.", headers={"Retry-After": "50"}), text("Hello."))
    turn = client.send("oi/stream", {"message": "Go"})
    while not server.bodies:
        client.result("oi/status")
    client.result("oi/interrupt")
    assert client.answer(turn)["result"]["status"] == "interrupted"
    assert client.result("oi/stream", {"message": "Hi"})["status"] == "done"


def test_cancelling_the_request_interrupts_the_turn(
    client: WireClient, server: ThreadedServer
) -> None:
    turn = client.send("oi/execute", {"language": "python", "code": "while True: pass"})
    wait_for_chunk(client, "active_line")
    client.notify("$/cancelRequest", {"id": turn})
    assert client.answer(turn)["result"]["status"] == "interrupted"


def test_with_nothing_under_way_it_says_so(client: WireClient) -> None:
    assert client.result("oi/interrupt") == {"interrupted": False}
    assert client.result("oi/interrupt", {"conversation": "none"}) == {"interrupted": False}


def test_status_and_interrupt_answer_during_a_flood(client: WireClient) -> None:
    source = "while True: print('x' * 100)"
    turn = client.send("oi/execute", {"language": "python", "code": source})
    wait_for_chunk(client, "output")
    assert client.result("oi/status")["conversations"][0]["state"] == "running"
    client.result("oi/interrupt")
    assert client.answer(turn)["result"]["status"] == "interrupted"


def test_a_second_turn_is_refused_and_another_conversation_is_not(client: WireClient) -> None:
    loop = {"language": "python", "code": "while True: pass"}
    turn = client.send("oi/execute", loop)
    wait_for_chunk(client, "active_line")
    refused = client.call("oi/stream", {"message": "Me too"})["error"]
    assert (refused["code"], refused["data"]["kind"]) == (-32010, "busy")
    other = {"language": "python", "code": "1 + 1", "conversation": "other"}
    assert client.result("oi/execute", other)["messages"][0]["output"] == "2"
    client.result("oi/interrupt")
    client.answer(turn)


def test_it_stops_a_turn_that_still_ends_the_interpreters_before(
    client: WireClient, server: ThreadedServer, tmp_path: Path
) -> None:
    """After a change of the folder the turn begins by ending what runs in the old one."""
    ready(client, server.url, cwd=str(tmp_path))
    turn = client.send("oi/execute", {"language": "python", "code": "while True: pass"})
    assert client.result("oi/interrupt") == {"interrupted": True}
    assert client.answer(turn)["result"]["status"] == "interrupted"
