"""The words for what a conversation is doing."""

import json
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.terminal.activity import Activity

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
