"""Text that comes from elsewhere, such as a model's server, made safe to show to a person."""

import re

DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that change the direction of text, and so the order in which it is read."""

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline: ESC, BEL, ...
    f"{DIRECTION}]"
)


def without_controls(text: str) -> str:
    """The text without characters that control a terminal or change the order of what is read.

    Works on each character by itself, so a text may be given in pieces. What remains of an escape
    sequence is ordinary text. Do not use it for the output of code: that may contain colours, and
    clients show it by the rules of `oi_daemon.messages.lines`.
    """
    return _CONTROLS.sub("", text)


def fenced(text: str, language: str = "") -> str:
    """Return the text as a code block in Markdown, whatever it holds."""
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
