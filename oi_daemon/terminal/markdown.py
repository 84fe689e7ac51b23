"""A message as it streams: which of its Markdown is finished, and which may still change."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


class MarkdownStream:
    """Splits growing Markdown between two of its outermost blocks.

    Only the last block of a Markdown text can be changed by what follows, so all before it can be
    shown for good.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        """The text that has not been taken, in pieces."""
        self._lines = 0
        """Number of line ends since the last split: without one, no block can have ended."""

    def add(self, text: str) -> None:
        """Add text as it comes."""
        self._parts.append(text)
        self._lines += text.count("\n")

    def take_finished(self) -> str:
        """Remove the finished blocks, and return them."""
        if not self._lines:
            return ""
        self._lines = 0
        text = self.rest
        start = _start_of_last_block(text)
        lines = text.splitlines(keepends=True)
        self._parts = ["".join(lines[start:])]
        return "".join(lines[:start])

    @property
    def rest(self) -> str:
        """The text that may still change."""
        text = "".join(self._parts)
        self._parts = [text]
        return text


def _start_of_last_block(text: str) -> int:
    """The line on which the last outermost block begins, counted from 0."""
    starts = [
        token.map[0]
        for token in _parser().parse(text)
        if token.level == 0 and token.map and token.nesting >= 0
    ]
    return starts[-1] if starts else 0


@cache
def _parser() -> "MarkdownIt":
    """Return a parser that finds the blocks, and does not parse the text in them."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt().enable(["strikethrough", "table"])
    return parser.disable(["inline", "text_join"])  # where blocks begin does not depend on it
