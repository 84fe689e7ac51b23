"""What a model's reply consists of, whatever its dialect."""

from dataclasses import dataclass

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk, ThinkingChunk

ReplyPart = MessageChunk | LanguageChunk | CodeChunk | Executing | ThinkingChunk
"""Some more text, code or thinking. `Executing` ends each complete block and holds its code."""


@dataclass(frozen=True, slots=True)
class MalformedCall:
    """A call that could not be read, and so was not run."""

    name: str
    arguments: str
    reason: str
    """Why the call could not be read, as a clause that follows on a colon."""
    names_unknown_tool: bool = False
    """True if there is no tool of this name."""
