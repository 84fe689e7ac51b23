"""Thinking that a model writes into its text, between `<think>` and `</think>`.

Servers that do not separate it pass it on as text. Some models write no start tag, because their
template has already written it.
"""

import re
from enum import Enum, auto

from oi_daemon.messages import ThinkingChunk

START = "<think>"
END = "</think>"


class _TextState(Enum):
    """What the text that comes next belongs to."""

    BEGINNING = auto()
    """Not known yet: nothing but white space, or a part of the start tag, has come."""
    THINKING = auto()
    MESSAGE = auto()


class ThinkingFilter:
    """Separates thinking from the text of a message. Only what can become a tag is held back."""

    def __init__(self, *, begins_thinking: bool = False) -> None:
        """
        Args:
            begins_thinking: the model is known to think first, without a start tag.
        """
        self._begins_thinking = begins_thinking
        self._state = _TextState.BEGINNING
        self._held = ""
        """Text that is held back, because it may be the beginning of a tag."""
        self._assumed: list[str] = []
        """Pieces of text that were passed on as thinking although no start tag has come. They turn
        out to be the message if no end tag comes either."""
        self._last = ""
        """The last character of the message so far."""
        self._has_start = False
        """Whether the current thinking has a start tag."""
        self._thought = False
        """Whether some thinking has ended, so that white space before the message is dropped."""
        self.ends_unmarked: bool | None = None
        """Whether the thinking had an end tag but no start tag; None while that is not known."""

    def feed(self, text: str) -> list[ThinkingChunk | str]:
        """Return the thinking and the text that this piece adds."""
        data, self._held = self._held + text, ""
        parts: list[ThinkingChunk | str] = []
        while data:
            data = self._begin(data) if self._state is _TextState.BEGINNING else data
            if self._state is _TextState.BEGINNING:
                self._held = data
                break
            before, tag, data = self._partition(data)
            if not tag and not data:
                kept = len(before) - _end_of(before)
                before, self._held = before[:kept], before[kept:]
            self._add(parts, before)
            if tag:
                self._end_thinking()
        return parts

    @property
    def is_in_message(self) -> bool:
        """Whether the message has begun, and nothing is held back."""
        return self._state is _TextState.MESSAGE and not self._held

    def pass_on(self, text: str) -> None:
        """Take note of text, not empty, that is passed on as the message: it can hold no tag."""
        self._last = text[-1]

    def flush(self) -> list[ThinkingChunk | str]:
        """Return what the end of the reply adds.

        Text that was only assumed to be thinking is returned as text if no end tag has come.
        """
        parts: list[ThinkingChunk | str] = []
        if self._held:
            if self._state is _TextState.BEGINNING:
                self._state = _TextState.MESSAGE
            self._add(parts, self._held)
        if self._assumed:
            parts.append("".join(self._assumed))
            self.ends_unmarked = False
        self._held, self._assumed = "", []
        self._state = _TextState.MESSAGE
        return parts

    def expect_message(self) -> None:
        """Take the text for the message, because the server sends the thinking separately."""
        self._begins_thinking = False
        if self.ends_unmarked is None:
            self.ends_unmarked = False

    def _begin(self, data: str) -> str:
        """Decide what begins with this text, if that is clear; return the text to go on with."""
        text = data.lstrip()
        if text.startswith(START):
            self._state, self._has_start = _TextState.THINKING, True
            return text.removeprefix(START)
        if START.startswith(text):  # the empty text too
            return data
        thinks = self._begins_thinking or (END in data and not self._thought)
        self._state = _TextState.THINKING if thinks else _TextState.MESSAGE
        return text if self._thought else data

    def _partition(self, data: str) -> tuple[str, str, str]:
        """Return the text before the first end tag, the tag, and the text after it.

        In a message, an end tag in backquotes is ordinary text.
        """
        before, tag, after = data.partition(END)
        if tag and self._state is _TextState.MESSAGE and (self._last + before).endswith("`"):
            return before + tag, "", after
        return before, tag, after

    def _end_thinking(self) -> None:
        """Handle an end tag. A model may think again after it."""
        if not self._has_start and not self._thought:
            self.ends_unmarked = True
        self._state, self._thought = _TextState.BEGINNING, True
        self._begins_thinking = self._has_start = False
        self._assumed = []

    def _add(self, parts: list[ThinkingChunk | str], text: str) -> None:
        """Add a text to `parts`: as thinking, or as itself once the message has begun."""
        if not text:
            return
        if self._state is _TextState.MESSAGE:
            parts.append(text)
            self._last = text[-1]
            return
        if not self._has_start:
            self._assumed.append(text)
        parts.append(ThinkingChunk(text))


def thinks_unmarked(model: str) -> bool:
    """Return whether models of this name often begin to think without a start tag."""
    return _UNMARKED.search(model.lower()) is not None


def thinks_marked(model: str) -> bool:
    """Return whether the thinking of models of this name never stands in their text unmarked."""
    return _MARKED.match(model.lower()) is not None


def _end_of(text: str) -> int:
    """Return how many characters at the end of the text can be the beginning of an end tag."""
    at = text.rfind("<", -len(END) + 1)
    return len(text) - at if at >= 0 and END.startswith(text[at:]) else 0


_MARKED = re.compile(r"(?:.*/)?(?:gpt-|chatgpt|o\d|claude|gemini|gemma|llama|codestral|phi-?[23])")
_UNMARKED = re.compile(r"\b(r1|qwq)\b|deepseek-?r1|think|reason(?!ing-off)|magistral|minimax-m")
