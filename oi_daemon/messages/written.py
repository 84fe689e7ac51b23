"""What a block has written: text and displays in their order, as they look when it has ended."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from oi_daemon.messages.lines import Lines

Bundle = Mapping[str, Any]
"""A picture, table or page: a Jupyter MIME bundle. Binary data is base64 text."""

DISPLAY_ID = "application/vnd.oi.display-id"
"""Key of a display's id in its bundle. A later display of the block with that id replaces it."""

CLEAR = "\x1b[2J"
"""The control sequence that clears the screen."""


class Written:
    """Collects what a block writes, by `write` and `show`."""

    def __init__(self) -> None:
        self._parts: list[str | Bundle] = []
        self._lines = Lines()
        self._last = ""
        """The last characters of the text, which may be the beginning of a control sequence."""

    @property
    def text(self) -> str:
        """The output as it looks in a terminal. Of a display, its plain text is there."""
        return str(self._lines)

    @property
    def displays(self) -> tuple[Bundle, ...]:
        """The displays that are still there, in their order."""
        return tuple(part for part in self._parts if not isinstance(part, str))

    @property
    def parts(self) -> list[str | Bundle]:
        """The text as it was written, neighbouring pieces joined, and the displays between."""
        joined: list[str | Bundle] = []
        for is_text, parts in groupby(self._parts, lambda part: isinstance(part, str)):
            pieces = list(parts)
            joined += ["".join(map(str, pieces))] if is_text else pieces
        return joined

    def last_lines(self, count: int) -> list[str]:
        """The last lines of the text, in a time that does not depend on the text's length."""
        return self._lines.last(count)

    def write(self, text: str) -> None:
        """Add text. A sequence that clears the screen removes all text and displays before it."""
        joined = self._last + text
        cleared = joined.rfind(CLEAR)
        if cleared >= 0:
            joined = text = joined[cleared + len(CLEAR) :]
            self._parts, self._lines = [], Lines()
        self._parts.append(text)
        self._lines.write(text)
        self._last = joined[1 - len(CLEAR) :]

    def show(self, display: Bundle) -> None:
        """Add a display, or replace the one that has the same id."""
        self._last = ""
        name = display.get(DISPLAY_ID)
        for index, part in enumerate(self._parts):
            if name is not None and not isinstance(part, str) and part.get(DISPLAY_ID) == name:
                self._parts[index] = display
                if _plain(part) != _plain(display):
                    self._rewrite()
                return
        self._parts.append(display)
        self._lines.write(_plain(display))

    def _rewrite(self) -> None:
        self._lines = Lines()
        for part in self._parts:
            self._lines.write(part if isinstance(part, str) else _plain(part))


def says_little(display: Bundle) -> bool:
    """Whether its plain text is empty or a mere placeholder, such as `<Figure>`."""
    text = str(display.get("text/plain", "")).strip()
    return not text or (text.startswith("<") and text.endswith(">") and "\n" not in text)


def _plain(display: Bundle) -> str:
    text = display.get("text/plain")
    if not isinstance(text, str):
        return ""
    return text if text.endswith("\n") else text + "\n"
