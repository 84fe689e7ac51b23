"""Runs tasks with a model on this machine through the installed daemon, and reports."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tasks.task import Task
from tests.wire_client import WireClient


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one task."""

    is_right: bool
    rounds: int
    """Requests to the model: one for each block, and one for the answer."""
    seconds: float
    first: float
    """Seconds until the model's first token."""


def report(title: str, tasks: Sequence[Task], chosen: Mapping[str, str], *, verbose: bool) -> None:
    """Run the tasks, each in a conversation and a folder of its own, and print the result.

    Args:
        chosen: settings, such as the model.
    """
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as home, WireClient(environ={"HOME": home}) as client:
        _set(client, "warm-up", chosen, home)
        client.call("oi/stream", {"conversation": "warm-up", "message": "Print 1."})
        for number, task in enumerate(tasks):
            found = _run(client, task, f"{title}-{number}", chosen, verbose=verbose)
            runs.append(found)
            mark = "right" if found.is_right else "WRONG"
            print(f"{mark}  {found.rounds} rounds {found.seconds:6.1f} s  {task.name}", flush=True)
    right = sum(found.is_right for found in runs)
    print(
        f"{title}: {right} of {len(runs)} right;"
        f" median {median(found.seconds for found in runs):.1f} s,"
        f" {sum(found.rounds for found in runs) / len(runs):.1f} rounds,"
        f" first token after {median(found.first for found in runs):.2f} s",
        flush=True,
    )


def _run(
    client: WireClient, task: Task, conversation: str, chosen: Mapping[str, str], *, verbose: bool
) -> Run:
    with tempfile.TemporaryDirectory(prefix="task-") as name:
        folder = Path(name)
        task.files(folder)
        client.notifications.clear()
        _set(client, conversation, chosen, name)
        started = time.monotonic()
        sent = client.send("oi/stream", {"conversation": conversation, "message": task.question})
        first = _until_first_chunk(client) - started
        answer = client.answer(sent)
        seconds = time.monotonic() - started
        messages: list[Mapping[str, Any]] = answer.get("result", {}).get("messages", [])
        if verbose:
            _show(task, messages, answer.get("error"))
        said = messages[-1].get("message", "") if messages else ""
        return Run(
            is_right=task.check(said, folder),
            rounds=sum("code" in message for message in messages) + 1,
            seconds=seconds,
            first=first,
        )


def _until_first_chunk(client: WireClient) -> float:
    """Wait for the first chunk of the model, or for the turn's end; returns the time."""
    while not any("notice" not in n["params"]["chunk"] for n in client.notifications):
        if "method" not in client.read_one():
            break
    return time.monotonic()


def _show(task: Task, messages: Sequence[Mapping[str, Any]], error: Any) -> None:
    print(f"--- {task.name}: {task.question}")
    for message in messages:
        if "code" in message:
            print(f"```\n{message['code']}\n```\n{message.get('output')}")
        elif message["role"] == "assistant":
            print(f"> {message['message']}")
    if error:
        print(f"! {error}")


def _set(client: WireClient, conversation: str, chosen: Mapping[str, str], cwd: str) -> None:
    """Set a conversation up. It runs unasked and keeps no history."""
    settings = {
        "local": True,
        "auto_run": True,
        "conversation_history": False,
        "max_seconds": 30,
        "max_rounds": 8,
        "cwd": cwd,
        **chosen,
    }
    client.result("oi/settings/set", {"conversation": conversation, "settings": settings})
