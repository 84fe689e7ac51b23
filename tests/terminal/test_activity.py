"""The words for what a conversation is doing."""

import json
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.terminal.activity import Activity, ended

EXAMPLES = json.loads(
    (Path(__file__).parents[2] / "docs/examples/activities.json").read_text("utf-8")
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_the_golden_examples_say_what_is_waited_for(example: dict[str, Any]) -> None:
    """The same file drives the words of every client."""
    now = 100.0
    activity = Activity(example["model"], clock=lambda: now)
    for step in example["steps"]:
        now += step.get("after", 0)
        if "begin" in step:
            activity.begin()
        elif "chunk" in step:
            activity.apply(step["chunk"])
        if "approval" not in step and step["words"] != "waiting for your yes":
            assert activity.words == step["words"]


def test_before_a_turn_the_conversation_is_ready() -> None:
    assert Activity().words == "ready"


@pytest.mark.parametrize(
    ("status", "seconds", "words"),
    [
        ("ok", 0.5, ""),
        ("ok", 12.2, "12 s"),
        ("error", 0.0, "✗ failed"),
        ("error", 61.2, "✗ failed, 1 min 1 s"),
        ("interrupted", 2.0, "interrupted, 2 s"),
        ("killed", 0.1, "✗ process ended"),
    ],
)
def test_how_a_block_ended_is_told_where_it_says_something(
    status: str, seconds: float, words: str
) -> None:
    assert ended(status, seconds) == words
