"""Conversations to save, and looks at what was saved."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from oi_daemon.history import History
from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage, load

CONVERSATION: list[Message] = [
    UserMessage("What's 34/24?"),
    CodeMessage("python", "34 / 24", "1.4166666666666667"),
    AssistantMessage("About 1.42."),
]


def asked(text: str) -> list[Message]:
    return [UserMessage(text)]


def saved(
    history: History, conversation: str, messages: Sequence[Message], filename: str | None = None
) -> Path:
    path = history.save(conversation, messages, filename=filename)
    assert path is not None
    return path


def stored(path: Path) -> list[Message]:
    return load(json.loads(path.read_bytes()))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def change_time(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))
