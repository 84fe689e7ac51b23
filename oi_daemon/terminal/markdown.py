"""A message as it streams: what of its Markdown is finished, and what may grow."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


class MarkdownStream:
    """Splits growing Markdown between two of its outermost blocks.

    Only the last block of a Markdown text can still change by what follows, so all before it can be
    shown for good.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._lines = 0
        """Line ends since the last split: without one, no block can have ended."""

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._lines += text.count("\n")

    def take_finished(self) -> str:
        """The finished blocks, taken out."""
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
        """What may still grow."""
        text = "".join(self._parts)
        self._parts = [text]
        return text


def _start_of_last_block(text: str) -> int:
    """The line on which the last outermost block begins."""
    starts = [
        token.map[0]
        for token in _parser().parse(text)
        if token.level == 0 and token.map and token.nesting >= 0
    ]
    return starts[-1] if starts else 0


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt().enable(["strikethrough", "table"])
    return parser.disable(["inline", "text_join"])  # where blocks begin does not depend on it
