"""What the program itself says: to the person on stdout, what is wrong on stderr."""

import os
import shutil
import sys
import textwrap
from typing import Literal, TextIO

TextStyle = Literal["error", "warning", "dim"]
_STYLES: dict[TextStyle, str] = {"error": "31", "warning": "33", "dim": "2"}

_SIGNS = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
}
"""Control characters, and those that turn the direction of text -> signs for them."""


def tell(text: str, style: TextStyle | None = None) -> None:
    _say(sys.stdout, text, style)


def warn(text: str, style: TextStyle = "warning") -> None:
    _say(sys.stderr, _wrapped(text) if sys.stderr.isatty() else text, style)


def styled(text: str, style: TextStyle) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def visible(text: str) -> str:
    """Text that does nothing to the terminal, nor hides in it: what is approved is what is seen."""
    return text.replace("\r\n", "\n").translate(_SIGNS)


def _say(file: TextIO, text: str, style: TextStyle | None) -> None:
    if style and file.isatty() and not os.environ.get("NO_COLOR"):
        text = styled(text, style)
    file.write(f"{text}\n")
    file.flush()


def _wrapped(text: str) -> str:
    """Between words; what has none, such as a path, stays whole."""
    width = min(100, shutil.get_terminal_size().columns)
    lines = [
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    ]
    return "\n".join(lines)
