"""kill -9 of the daemon loses nothing that was finished, and leaves nothing behind."""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from oi_daemon.history import History
from oi_daemon.messages import dump, fold, load
from oi_daemon.protocol.chunks import from_wire
from tests.fakes.openai_server import ScriptedServer, text
from tests.talk import KEY, chunks, code
from tests.wire_client import WireClient, eventually

CODE = """\
import subprocess
child = subprocess.Popen(["sleep", "600"])
for i in range(5):
    print("line", i)
"""
TIMES = int(os.environ.get("OI_TEST_KILLS", "15"))


@pytest.mark.parametrize("number", range(TIMES))
def test_every_file_loads_and_no_process_lives(home: Path, number: int) -> None:
    conversation = f"turn {number}"
    moment = random.Random(number).uniform(0.0, 0.5)
    script = [text("Let", " me", " see.") + code(CODE), text("That", " was", " it.")]
    with ScriptedServer.in_thread(cycle=script) as server:
        with WireClient(environ={"OI_API_BASE": server.url, "OPENAI_API_KEY": KEY}) as client:
            kill_in_a_turn(client, conversation, moment)
            finished = finished_messages(client)
        saved = messages_of(home, conversation)
    if finished:
        assert saved[1 : 1 + len(finished)] == finished


def kill_in_a_turn(client: WireClient, conversation: str, seconds: float) -> None:
    """Kill the daemon so long after its first word; what it started is gone a second later."""
    asked = {"message": f"Go, {conversation}", "conversation": conversation}
    client.send("oi/stream", {**asked, "settings": {"auto_run": True}})
    client.read_one()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and client.readable(deadline - time.monotonic()):
        if "result" in client.read_one():
            break
    daemon = psutil.Process(client.process.pid)
    family = daemon.children(recursive=True)
    client.process.kill()
    client.drain()
    eventually(lambda: not any(map(lives, family)), "all have ended")


def lives(process: psutil.Process) -> bool:
    """A zombie does not: it has ended, and waits to be noticed by the system's init."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def finished_messages(client: WireClient) -> list[dict[str, Any]]:
    """Those after which something else was heard."""
    heard = [from_wire(chunk) for chunk in chunks(client)]
    whole = [dump(message) for message in fold(heard)]
    last = chunks(client)[-1] if heard else {}
    return whole if "end_of_execution" in last else whole[:-1]


def messages_of(home: Path, conversation: str) -> list[dict[str, Any]]:
    """What is saved of a conversation, and found by its id; every file in the folder loads."""
    for path in home.rglob("conversations/*.json"):
        assert load(json.loads(path.read_bytes()))
    history = History(home / ".local/share/oi-daemon/conversations")
    return [dump(message) for message in history.load(conversation) or []]


def test_nothing_lives_when_the_daemon_is_told_to_end(home: Path) -> None:
    with WireClient() as client:
        client.result("oi/execute", {"language": "python", "code": CODE})
        family = psutil.Process(client.process.pid).children(recursive=True)
        assert len(family) >= 2
        client.process.terminate()
        client.exit_code()
        eventually(lambda: not any(map(lives, family)), "all have ended")
