"""What the program itself says: to the person on stdout, what is wrong on stderr."""

import os
import shutil
import sys
import textwrap
from typing import Literal, TextIO

_STYLES = {"error": "31", "warning": "33", "dim": "2"}


def tell(text: str, style: Literal["dim"] | None = None) -> None:
    _say(sys.stdout, text, style)


def warn(text: str, style: Literal["error", "warning"] = "warning") -> None:
    _say(sys.stderr, _wrapped(text) if sys.stderr.isatty() else text, style)


def _say(file: TextIO, text: str, style: str | None) -> None:
    if style and file.isatty() and not os.environ.get("NO_COLOR"):
        text = f"\x1b[{_STYLES[style]}m{text}\x1b[0m"
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
