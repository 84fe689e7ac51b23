"""The last lines of the screen, redrawn in place until they are finished."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_SYNCHRONIZED = "\x1b[?2026h{}\x1b[?2026l"
"""Has the terminal show a frame at once; terminals that do not know this ignore it."""
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"
_EMPTY_LINE = f"{_ERASE_LINE}\x1b[B"
"""Erases a line and moves to the next one."""
_STYLE = re.compile(r"\x1b\[[0-9;:]*m|\x1b\]8;.*?\x1b\\")


class Region:
    """The last lines on the screen, which can still change.

    A frame is written over the one before in a single write, so that nothing flickers. What was put
    above the region is never touched again.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._widths: list[int] = []
        """Columns that each line of the frame takes."""
        self._screen_width = 0
        """Columns that the screen had when the frame was drawn."""
        self._is_cursor_hidden = False

    @property
    def room(self) -> int:
        """Number of lines that a frame can have."""
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
        self._is_cursor_hidden = True
        self._widths, self._screen_width = widths, width

    def put(self, text: str) -> None:
        """Put text above the region for good; the region is empty until it is drawn again."""
        if text and not text.endswith("\n"):
            text += "\n"
        self._write(self._erased() + text + self._shown_cursor())
        self._widths = []

    def forget(self) -> None:
        """Leave the frame where it is and draw the next one below, because others have written."""
        self._widths = []

    def show_cursor(self) -> None:
        """Show the cursor, for a question below the region."""
        self._write(self._shown_cursor())

    def _shown_cursor(self) -> str:
        """The escape sequence that shows the cursor; empty if it is not hidden."""
        hidden, self._is_cursor_hidden = self._is_cursor_hidden, False
        return _SHOW_CURSOR if hidden else ""

    def _erased(self) -> str:
        """The escape sequences that erase the region and move the cursor to its beginning.

        They erase line by line, because tmux keeps in its history what is erased all at once.
        """
        rows = self._rows
        return self._top() + _EMPTY_LINE * rows + _ERASE_LINE + _up(rows)

    def _top(self) -> str:
        """The escape sequence that moves the cursor to where the region begins."""
        return f"\r{_up(self._rows)}" if self._widths else ""

    @property
    def _rows(self) -> int:
        """Number of rows of the screen that the region takes."""
        rows = len(self._widths)
        if rows and self._console.width != self._screen_width and _reflows():
            width = self._console.width
            rows = sum(max(1, -(-cells // width)) for cells in self._widths)
        return rows

    def _write(self, text: str) -> None:
        """Write escape sequences and text to the terminal in one piece."""
        if text:
            self._console.file.write(_SYNCHRONIZED.format(text))
            self._console.file.flush()


def paint(console: "Console", renderable: "RenderableType") -> list[str]:
    """The lines that the console would write for a renderable."""
    with console.capture() as captured:
        console.print(renderable)
    lines = captured.get().removesuffix("\n").split("\n")
    return [line.rstrip(" ") for line in lines]


def theme(environ: Mapping[str, str] = os.environ) -> str:
    """Name of the colours for code: for a light screen if COLORFGBG says that it is one."""
    _, _, background = environ.get("COLORFGBG", "").rpartition(";")
    return "ansi_light" if background in ("7", "15") else "ansi_dark"


def _up(rows: int) -> str:
    """The escape sequence that moves the cursor up."""
    return f"\x1b[{rows}A" if rows else ""


def _reflows() -> bool:
    """Whether the terminal wraps its lines anew when it gets narrower."""
    return "XTERM_VERSION" not in os.environ
