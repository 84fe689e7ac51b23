"""What a model's reply consists of, whatever its dialect."""

from dataclasses import dataclass

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk

ReplyPart = MessageChunk | LanguageChunk | CodeChunk | Executing
"""Some more text or code; `Executing` ends each complete block and holds all of its code."""


@dataclass(frozen=True, slots=True)
class MalformedCall:
    """A call that could not be read, and so was not run."""

    name: str
    arguments: str
    reason: str
    """Why, as a clause about the arguments."""
