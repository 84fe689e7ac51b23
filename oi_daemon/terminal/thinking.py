"""A model's thinking on the screen: its last words while it thinks, then one line about it."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from oi_daemon.terminal.activity import PHRASES, duration
from oi_daemon.terminal.printing import visible

_LIVE_LINES = 2
"""Lines of the thinking that are shown while the model thinks."""
_WIDEST = 80
"""Most columns that a line of the thinking takes."""
_KEPT = 4000
"""Most characters of the latest thinking that are kept to show its last lines."""
_DIM, _NORMAL = "\x1b[2m", "\x1b[0m"


class ThinkingView:
    """One stretch of thinking, from its first word to the message or code that follows."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            clock: gives the time in seconds.
        """
        self._console = console
        self._clock = clock
        self._began = clock()
        self._pieces: list[str] = []
        self._tail = ""
        """The end of the thinking, at most `_KEPT` characters; a paragraph begins it if
        possible."""

    def add(self, text: str) -> None:
        """Add text as it comes."""
        self._pieces.append(text)
        self._tail += text
        if len(self._tail) > _KEPT:
            kept = self._tail[-_KEPT // 2 :]
            _, _, paragraphs = kept.partition("\n")
            self._tail = paragraphs or kept

    def live(self) -> list[str]:
        """The last lines of the text, to be shown while more may come."""
        return self._lines(self._tail)[-_LIVE_LINES:]

    def summary(self) -> str:
        """The line that says for how long the model has thought."""
        seconds = max(1, round(self._clock() - self._began))
        return f"{_DIM}{PHRASES['thought'].format(time=duration(seconds))}{_NORMAL}"

    def whole(self) -> list[str]:
        """All lines of the text."""
        return self._lines("".join(self._pieces))

    def _lines(self, text: str) -> list[str]:
        """The lines of a text, wrapped, indented and dim; without empty ones and bold signs."""
        width = max(10, min(self._console.width, _WIDEST) - 2)
        lines = [
            wrapped.plain.rstrip()
            for line in visible(text).replace("**", "").split("\n")
            for wrapped in Text(line.strip()).wrap(self._console, width)
        ]
        return [f"{_DIM}  {line}{_NORMAL}" for line in lines if line]
