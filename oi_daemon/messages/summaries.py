"""Summaries of a conversation's oldest part, which stand in a message of the assistant.

Two lines mark a summary, so that it needs no field of its own: it is shown, stored and removed as
any other text. `model.compaction` makes them and uses them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oi_daemon.messages.stored import AssistantMessage, Message

_PATTERN = re.compile(
    r"\[Summary of the first (\d{1,9}) messages\]\n(.*?)\n\[End of the summary\]\s*", re.DOTALL
)
_BEGINNING = "[Summary of the first "


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """The latest summary in a conversation."""

    text: str
    covered: int
    """How many messages the summary covers, counted from the first one of the conversation."""
    index: int
    """Index of the message that holds the summary."""
    rest: str
    """The text of that message without its summaries."""
    provider: Mapping[str, Any] | None = None
    """What goes back to the model's server in place of the text; None if that is the summary."""


def marked(text: str, covered: int) -> str:
    """Return a summary as it is shown and stored."""
    text = text.replace("[End of the summary]", "").strip()
    return f"[Summary of the first {covered} messages]\n{text}\n[End of the summary]"


def is_readable(message: AssistantMessage) -> bool:
    """Return whether the summary in a message is its text, and not data of a server."""
    return message.provider is None


def latest_summary(
    messages: Sequence[Message], is_usable: Callable[[AssistantMessage], bool] = is_readable
) -> StoredSummary | None:
    """Return the latest summary of those that are usable; None if there is none."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if not isinstance(message, AssistantMessage) or _BEGINNING not in message.message:
            continue
        if not is_usable(message):
            continue
        found = list(_PATTERN.finditer(message.message))
        if found and 0 < int(found[-1][1]) <= index:
            rest = without_summaries(message.message)
            covered = int(found[-1][1])
            return StoredSummary(found[-1][2], covered, index, rest, message.provider)
    return None


def is_summary(message: Message) -> bool:
    """Return whether a message is a summary and says nothing else."""
    return isinstance(message, AssistantMessage) and bool(_PATTERN.fullmatch(message.message))


def separated(text: str) -> list[str]:
    """Return the summaries in the text and what stands between them, as messages of their own."""
    if _BEGINNING not in text:
        return [text] if text else []
    parts: list[str] = []
    end = 0
    for found in _PATTERN.finditer(text):
        parts += [text[end : found.start()], found[0].strip()]
        end = found.end()
    return [part for part in (*parts, text[end:]) if part.strip()]


def without_summaries(text: str) -> str:
    """Return the text without summaries and their marks."""
    return _PATTERN.sub("", text).strip()
