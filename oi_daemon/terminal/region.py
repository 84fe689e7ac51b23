"""The last lines of the screen, redrawn in place until they are finished."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_TOGETHER = "\x1b[?2026h{}\x1b[?2026l"
"""A frame that is shown at once, by terminals that know how; others ignore it."""
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"
_EMPTY_LINE = f"{_ERASE_LINE}\x1b[B"
_STYLE = re.compile(r"\x1b\[[0-9;:]*m|\x1b\]8;.*?\x1b\\")


class Region:
    """Lines above the cursor that can still change.

    A frame is written over the one before, in one write: nothing flickers, and what was put above
    is never touched again.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._widths: list[int] = []
        self._screen = 0
        self._cursor_hidden = False

    @property
    def room(self) -> int:
        """How many lines a frame can have."""
        return max(3, self._console.height - 1)

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines in place of the frame before."""
        shown = lines[-self.room :]
        width = self._console.width
        widths = [cell_len(_STYLE.sub("", line)) for line in shown]
        body = "".join(
            f"{line}{_ERASE_LINE if cells < width else ''}\n"
            for line, cells in zip(shown, widths, strict=True)
        )
        self._write(self._top() + _HIDE_CURSOR + body + _ERASE_BELOW)
        self._cursor_hidden = True
        self._widths, self._screen = widths, width

    def put(self, text: str) -> None:
        """Put text above the region for good; the region is empty until it is drawn again."""
        if text and not text.endswith("\n"):
            text += "\n"
        self._write(self._erased() + text + self._shown_cursor())
        self._widths = []

    def show_cursor(self) -> None:
        """For a question below the region."""
        self._write(self._shown_cursor())

    def _shown_cursor(self) -> str:
        hidden, self._cursor_hidden = self._cursor_hidden, False
        return _SHOW_CURSOR if hidden else ""

    def _erased(self) -> str:
        """Empties the region, and moves the cursor to where it began.

        Line by line: where all of the screen is erased at once, tmux keeps it in its history.
        """
        rows = self._rows
        return self._top() + _EMPTY_LINE * rows + _ERASE_LINE + _up(rows)

    def _top(self) -> str:
        """Moves the cursor to where the region begins."""
        return f"\r{_up(self._rows)}" if self._widths else ""

    @property
    def _rows(self) -> int:
        """How many rows of the screen the region takes."""
        rows = len(self._widths)
        if rows and self._console.width != self._screen and _reflows():
            width = self._console.width
            rows = sum(max(1, -(-cells // width)) for cells in self._widths)
        return rows

    def _write(self, text: str) -> None:
        if text:
            self._console.file.write(_TOGETHER.format(text))
            self._console.file.flush()


def paint(console: "Console", renderable: "RenderableType") -> list[str]:
    """The lines of a renderable as the console would write them."""
    with console.capture() as captured:
        console.print(renderable)
    lines = captured.get().removesuffix("\n").split("\n")
    return [line.rstrip(" ") for line in lines]


def theme(environ: Mapping[str, str] = os.environ) -> str:
    """Colours of code that can be read on this terminal, as far as it tells what it looks like."""
    _, _, background = environ.get("COLORFGBG", "").rpartition(";")
    return "ansi_light" if background in ("7", "15") else "ansi_dark"


def _up(rows: int) -> str:
    return f"\x1b[{rows}A" if rows else ""


def _reflows() -> bool:
    """Whether lines that no longer fit are wrapped when the screen gets narrower."""
    return "XTERM_VERSION" not in os.environ
