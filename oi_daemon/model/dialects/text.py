"""The text of a reply: its message, its thinking, and the code and the calls written into it."""

import re
from collections.abc import Callable, Container

from oi_daemon.messages import MessageChunk, ThinkingChunk
from oi_daemon.model.dialects.fences import FenceParser
from oi_daemon.model.dialects.instructions import ToolStyle
from oi_daemon.model.dialects.parts import ReplyPart
from oi_daemon.model.dialects.thinking import ThinkingFilter
from oi_daemon.model.dialects.written_calls import WrittenCall, WrittenCallParser

TOOL = "execute"
"""The name of the one tool."""


class TextParser:
    """Turns the text of a reply into parts and calls.

    Fences are code only in the style `markdown`: a model that has a tool shows code in them.
    """

    def __init__(
        self,
        is_language: Callable[[str], bool],
        style: ToolStyle,
        functions: Container[str] = (),
        *,
        begins_thinking: bool,
    ) -> None:
        """
        Args:
            functions: names of the functions that may be called beside `execute`.
            begins_thinking: see `ThinkingFilter`.
        """
        self.thinking = ThinkingFilter(begins_thinking=begins_thinking)
        self._calls = WrittenCallParser(
            lambda name: name == TOOL or name in functions or is_language(name.lower()),
        )
        self._fences = FenceParser(is_language if style == "markdown" else _no_language)

    def feed(self, text: str) -> list[ReplyPart | WrittenCall]:
        """Return the parts that this piece of text adds."""
        if text and self._is_in_line and not _MAY_MEAN_MORE.search(text):
            self.thinking.pass_on(text)
            return [MessageChunk(text)]
        parts: list[ReplyPart | WrittenCall] = []
        for piece in self.thinking.feed(text):
            parts += self._piece(piece)
        return parts

    def flush(self, *, complete: bool) -> list[ReplyPart | WrittenCall]:
        """Return what the end of the text adds.

        Args:
            complete: whether the model itself has ended the text. If not, what is open never runs.
        """
        parts: list[ReplyPart | WrittenCall] = []
        for piece in self.thinking.flush():
            parts += self._piece(piece)
        parts += self._separated(self._calls.flush(complete=complete))
        parts += self._fences.flush(complete=complete)
        return parts

    @property
    def _is_in_line(self) -> bool:
        """Whether the text goes on in the middle of a line of the message: most tokens do.

        All three parsers pass on what they get then, up to a character that may mean more.
        """
        return self._fences.is_in_line and self._calls.is_in_line and self.thinking.is_in_message

    def _piece(self, piece: ThinkingChunk | str) -> list[ReplyPart | WrittenCall]:
        if isinstance(piece, ThinkingChunk):
            return [piece]
        return self._separated(self._calls.feed(piece))

    def _separated(self, pieces: list[WrittenCall | str]) -> list[ReplyPart | WrittenCall]:
        """Return the pieces with their text as chunks. A fence that is open ends before a call."""
        parts: list[ReplyPart | WrittenCall] = []
        for piece in pieces:
            if isinstance(piece, str):
                parts += self._fences.feed(piece)
            else:
                parts += [*self._fences.flush(), piece]
        return parts


_MAY_MEAN_MORE = re.compile(r"[\n<`]")
"""Matches what can end a line, or begin a tag or a mention of one."""


def _no_language(_: str) -> bool:
    return False
