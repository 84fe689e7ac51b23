"""What the list and its search need to know of a conversation: title, length, words, pictures."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from oi_daemon.messages import CodeMessage, Message, UserMessage

_MAX_TITLE = 80
_MAX_LINE = 200
_MAX_TEXT = 4 << 20
"""Most characters of a conversation that are searched; what comes after them is not found."""


class Summary(NamedTuple):
    """What the index holds of one conversation."""

    title: str
    messages: int
    """Number of messages; 0 if the file holds no conversation."""
    text: str = ""
    """The conversation's words, code and output, in which a query is searched."""
    pictures: frozenset[str] = frozenset()
    """Names of the files in which the conversation's displays are kept."""


def summarize(messages: Sequence[Message]) -> Summary:
    """The summary of a conversation, without its pictures."""
    return Summary(title(messages), len(messages), text(messages))


def title(messages: Sequence[Message]) -> str:
    """What a conversation is called: its first words, on one line."""
    line = " ".join(first_words(messages).split())
    return line if len(line) <= _MAX_TITLE else line[: _MAX_TITLE - 1].rstrip() + "…"


def first_words(messages: Sequence[Message]) -> str:
    """The first line of what the person said first; else of the first code or message."""
    asked = (message for message in messages if isinstance(message, UserMessage))
    texts = (_words(message) for message in (*islice(asked, 1), *messages[:1]))
    lines = (line for text in texts for line in text.splitlines() if line.strip())
    line = next(lines, "").strip()[:_MAX_LINE]
    return line if line.isprintable() else "".join(c if c.isprintable() else " " for c in line)


def text(messages: Sequence[Message]) -> str:
    """What can be searched of a conversation."""
    parts: list[str] = []
    room = _MAX_TEXT
    for message in messages:
        output = message.output if isinstance(message, CodeMessage) else None
        for part in (_words(message), output or ""):
            parts.append(part[:room])
            room -= len(parts[-1])
        if room <= 0:
            break
    return "\n".join(filter(None, parts))


def _words(message: Message) -> str:
    return message.code if isinstance(message, CodeMessage) else message.message
