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


_OPEN: list[History] = []


def another(folder: Path) -> History:
    """A history of this folder, as a further process would have it."""
    _OPEN.append(History(folder))
    return _OPEN[-1]


def close_all() -> None:
    while _OPEN:
        _OPEN.pop().close()


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
    """What is in the folder, but for what a process at work has there."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".journal")


def change_time(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))
