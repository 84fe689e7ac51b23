"""What a block has written: text and displays in their order, as a person sees them at its end."""

from collections.abc import Mapping
from typing import Any

from oi_daemon.messages.lines import Lines

Bundle = Mapping[str, Any]
"""A picture, table or page: a Jupyter MIME bundle. Binary data is base64 text."""

DISPLAY_ID = "application/vnd.oi.display-id"
"""In a bundle: a later display of the block with the same id takes this one's place."""

_CLEAR = "\x1b[2J"
"""Clears the screen."""


class Written:
    """Grows by `write` and `show`."""

    def __init__(self) -> None:
        self._parts: list[str | Bundle] = []
        self._lines = Lines()
        self._last = ""
        """The end of the text, in which a control sequence may begin."""

    @property
    def text(self) -> str:
        """As it looks in a terminal; a display is its plain text, on lines of its own."""
        return str(self._lines)

    @property
    def displays(self) -> tuple[Bundle, ...]:
        return tuple(part for part in self._parts if not isinstance(part, str))

    def last_lines(self, count: int) -> list[str]:
        """The last lines of the text; what it costs does not grow with it."""
        return self._lines.last(count)

    def write(self, text: str) -> None:
        """Add text. What clears the screen takes all before it away."""
        joined = self._last + text
        cleared = joined.rfind(_CLEAR)
        if cleared >= 0:
            joined = text = joined[cleared + len(_CLEAR) :]
            self._parts, self._lines = [], Lines()
        self._parts.append(text)
        self._lines.write(text)
        self._last = joined[1 - len(_CLEAR) :]

    def show(self, display: Bundle) -> None:
        """Add a display, or put it in the place of the one with its id."""
        self._last = ""
        name = display.get(DISPLAY_ID)
        for index, part in enumerate(self._parts):
            if name is not None and not isinstance(part, str) and part.get(DISPLAY_ID) == name:
                self._parts[index] = display
                if _plain(part) != _plain(display):
                    self._write_anew()
                return
        self._parts.append(display)
        self._lines.write(_plain(display))

    def _write_anew(self) -> None:
        self._lines = Lines()
        for part in self._parts:
            self._lines.write(part if isinstance(part, str) else _plain(part))


def says_little(display: Bundle) -> bool:
    """Whether its plain text tells no more than that there is something."""
    text = str(display.get("text/plain", "")).strip()
    return not text or (text.startswith("<") and text.endswith(">") and "\n" not in text)


def _plain(display: Bundle) -> str:
    text = display.get("text/plain")
    if not isinstance(text, str):
        return ""
    return text if text.endswith("\n") else text + "\n"
