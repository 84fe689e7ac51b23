"""Many conversations in one daemon that only chat cost next to nothing.

OI_TEST_CONVERSATIONS is how many: few as a rule, 200 to be sure.
"""

import os
import sys
import time
from typing import Any

import psutil

from tests.fakes.openai_server import ScriptedServer, text
from tests.talk import KEY
from tests.wire_client import WireClient

COUNT = int(os.environ.get("OI_TEST_CONVERSATIONS", "40"))
PROCESSES, MEGABYTES, TIMES = 8, 2, 3


def chat(number: int) -> dict[str, Any]:
    return {"message": "Hello", "conversation": f"chat {number}"}


def test_they_share_their_processes() -> None:
    with (
        ScriptedServer.in_thread(cycle=[text("Hello", " there.")]) as server,
        WireClient(environ={"OI_API_BASE": server.url, "OPENAI_API_KEY": KEY}) as client,
    ):
        for _ in range(10):
            client.result("oi/chat", {"message": "Hello", "conversation": "first"})
        daemon = psutil.Process(client.process.pid)
        before = memory(daemon)
        begin = time.monotonic()
        for number in range(COUNT):
            assert client.result("oi/chat", chat(number))["status"] == "done"
        in_a_row = time.monotonic() - begin
        family = [daemon, *daemon.children(recursive=True)]
        each = (memory(daemon) - before) / COUNT
        begin = time.monotonic()
        turns = [client.send("oi/chat", chat(number)) for number in range(COUNT)]
        assert all(client.answer(turn)["result"]["status"] == "done" for turn in turns)
        at_once = time.monotonic() - begin
    sys.stdout.write(
        f"\n{COUNT} conversations: {len(family)} processes, {each:.2f} MB each;"
        f" {in_a_row:.2f} s in a row, {at_once:.2f} s at once\n"
    )
    assert len(family) <= PROCESSES
    assert each <= MEGABYTES
    assert at_once <= TIMES * in_a_row


def memory(daemon: psutil.Process) -> float:
    """Megabytes that a daemon and its processes have for themselves."""
    family = [daemon, *daemon.children(recursive=True)]
    return sum(float(process.memory_full_info().uss) for process in family) / 1e6
