"""What a conversation is doing, in words: the same ones in the terminal and in both editors.

The words of the editors are generated from `WORDS`. `docs/examples/activities.json` has examples
that the tests of all three read.
"""

import math
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

from oi_daemon.messages.shapes import ChunkDict

ActivityKind: TypeAlias = Literal[
    "idle",
    "waiting",
    "loading",
    "thinking",
    "writing",
    "approval",
    "running",
    "input",
    "retrying",
]

WORDS: dict[ActivityKind, str] = {
    "idle": "ready",
    "waiting": "waiting for {model}",
    "loading": "loading the local model",
    "thinking": "thinking",
    "writing": "writing",
    "approval": "waiting for your yes",
    "running": "running {language}",
    "input": "waiting for your input",
    "retrying": "trying again in {time}",
}
PHRASES = {
    "any_model": "the model",
    "any_language": "code",
    "timed": "{words}, {time}",
    "seconds": "{seconds} s",
    "minutes": "{minutes} min {seconds} s",
    "thought": "thought for {time}",
    "error": "✗ failed",
    "interrupted": "interrupted",
    "killed": "✗ process ended",
}
"""Further parts of the words: what stands for an unknown name, how times are written, and the line
about thinking that is over, and how a block ended."""
SILENT = 3
"""Seconds after which the words tell the time, and after which a model that has written nothing
more is waited for again."""


class Activity:
    """Follows the chunks of a turn, and says what is waited for."""

    def __init__(self, model: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            model: the name of the model that is asked; empty if it is not known.
            clock: gives the time in seconds.
        """
        self._model = model
        self._clock = clock
        self._kind: ActivityKind = "idle"
        self._language = ""
        """The language of the block under way."""
        self._since = 0.0
        """When the activity began; for `writing`, when the latest text came."""
        self._until = 0.0
        """When the model's server is asked again, while the activity is `retrying`."""

    def begin(self) -> None:
        """A turn begins: the model was asked."""
        self._change("waiting")

    def apply(self, chunk: ChunkDict) -> None:
        """Take in a chunk."""
        match chunk:
            case {"notice": {"kind": "retry", "seconds": seconds}}:
                self._until = self._clock() + seconds
                self._change("retrying")
            case {"notice": {"kind": "loading"}}:
                self._change("loading")
            case {"notice": _} | {"background": _}:
                pass
            case {"thinking": _}:
                self._change("thinking")
            case {"message": _} | {"language": _} | {"code": _}:
                self._change("writing")
                self._since = self._clock()
            case {"executing": {"language": language}}:
                self._language = language
                self._change("running")
            case {"active_line": _} | {"output": _} | {"display": _}:
                self._change("running")
            case {"input": _}:
                self._change("input")
            case _:
                self._change("waiting")

    def resume(self) -> None:
        """The person has answered the question that the latest chunk asked."""
        if self._kind == "input":
            self._change("running")
        self._since = self._clock()

    @property
    def kind(self) -> ActivityKind:
        """What the conversation is doing now."""
        if self._kind == "retrying" and self._clock() >= self._until:
            self._change("waiting")
        is_silent = self._clock() - self._since >= SILENT
        return "waiting" if self._kind == "writing" and is_silent else self._kind

    @property
    def words(self) -> str:
        """What the conversation is doing now, for a person, with the time that it has taken."""
        kind = self.kind
        left = duration(math.ceil(self._until - self._clock()))
        words = WORDS[kind].format(
            model=self._model or PHRASES["any_model"],
            language=self._language or PHRASES["any_language"],
            time=left,
        )
        seconds = int(self._clock() - self._since)
        is_timed = kind in ("waiting", "loading", "thinking", "running") and seconds >= SILENT
        return PHRASES["timed"].format(words=words, time=duration(seconds)) if is_timed else words

    def _change(self, kind: ActivityKind) -> None:
        """Set the activity, with this moment as its beginning, unless it is under way already."""
        if kind != self._kind or kind == "retrying":
            self._kind, self._since = kind, self._clock()


def ended(status: str, seconds: float = 0.0) -> str:
    """How a block ended, in a few words: empty if it just ran to its end in less than a second.

    Args:
        status: one of `ok`, `error`, `interrupted` and `killed`.
        seconds: how long the block took; 0 if that is not known.
    """
    words = PHRASES.get(status, "")
    time = duration(round(seconds)) if seconds >= 1 else ""
    return PHRASES["timed"].format(words=words, time=time) if words and time else words or time


def duration(seconds: int) -> str:
    """A number of seconds as a person reads it, such as `12 s` or `2 min 5 s`."""
    minutes, rest = divmod(seconds, 60)
    return PHRASES["minutes" if minutes else "seconds"].format(minutes=minutes, seconds=rest)
