"""Lines of text for the person: results on stdout, warnings and errors on stderr."""

import os
import shutil
import sys
import textwrap
from typing import Literal, TextIO, TypeAlias

from oi_daemon.errors import OIError
from oi_daemon.messages.shapes import NoticeDict
from oi_daemon.messages.text import DIRECTION

TextStyle: TypeAlias = Literal["error", "warning", "dim", "added", "removed", "place"]
_STYLES: dict[TextStyle, str] = {
    **{"error": "31", "warning": "33", "dim": "2"},
    **{"added": "32", "removed": "31", "place": "36"},
}
"""The style's code in a terminal's escape sequence."""
_DIFF_STYLES: dict[str, TextStyle] = {
    **{"---": "dim", "+++": "dim", "@@": "place", "+": "added", "-": "removed"}
}
"""How the lines of a diff look that begin in this way; the first that fits counts."""

QUITTING = "(Ctrl-C again quits) > "
"""The sign before the person's words after Ctrl-C."""
_SIGNS = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *map(ord, DIRECTION)], 0xFFFD),
}
"""The visible sign for each control character, and for those that change the text's direction."""
_PRESSING = ("save", "limit")
"""Kinds of notices after which a person may have to do something."""


class OutputError(OIError):
    """The output cannot be written, because the disk is full, for instance."""


def print_text(text: str, style: TextStyle | None = None) -> None:
    """Print a text on stdout."""
    _print(sys.stdout, text, style)


def print_warning(text: str, style: TextStyle = "warning") -> None:
    """Print a text on stderr, wrapped between words where that is a terminal."""
    if sys.stderr.isatty():
        text = wrapped(text, shutil.get_terminal_size().columns)
    _print(sys.stderr, text, style)


def write(file: TextIO, text: str) -> None:
    """Write a text at once.

    Raises:
        BrokenPipeError: nobody reads it any more.
        OutputError: it cannot be written. An error on stderr is not reported: there is no place.
    """
    try:
        file.write(text)
        file.flush()
    except BrokenPipeError:
        if file is not sys.stderr:
            raise
    except OSError as error:
        if file is not sys.stderr:
            raise OutputError(f"The output cannot be written: {error.strerror}.") from error


def styled(text: str, style: TextStyle) -> str:
    """The text with escape sequences that give it this style."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def notice_text(notice: NoticeDict) -> tuple[str, TextStyle]:
    """A notice in words, with its wait before a retry, and the style for it."""
    text = visible(notice["message"])
    if notice["kind"] == "retry" and "seconds" in notice:
        text += f" Trying again in {notice['seconds']:g} s."
    return text, "warning" if notice["kind"] in _PRESSING else "dim"


def coloured_diff(text: str) -> str:
    """A diff with colours, where stdout is a terminal and NO_COLOR is not set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return "\n".join(_coloured_line(line) for line in text.split("\n"))


def _coloured_line(line: str) -> str:
    for start, style in _DIFF_STYLES.items():
        if line.startswith(start):
            return styled(line, style)
    return line


def visible(text: str) -> str:
    """The text with signs in place of control characters.

    It can then do nothing to the terminal and hide nothing in it: what is seen is what is approved.
    """
    return text.replace("\r\n", "\n").translate(_SIGNS)


def wrapped(text: str, columns: int) -> str:
    """Break lines between words. A word that is too long, such as a path, stays whole.

    Args:
        columns: those of the terminal; of a wide one, only the first hundred are used.
    """
    lines = [
        textwrap.fill(line, min(100, columns), break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def _print(file: TextIO, text: str, style: TextStyle | None) -> None:
    """Print a text, styled if the file is a terminal and NO_COLOR is not set."""
    if style and file.isatty() and not os.environ.get("NO_COLOR"):
        text = styled(text, style)
    write(file, f"{text}\n")
