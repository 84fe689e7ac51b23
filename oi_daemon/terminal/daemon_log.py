"""The daemon's log on the screen: warnings, and in debug mode every step."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from oi_daemon.terminal.printing import TextStyle, styled

_LAST_LINES = 1.0
"""Seconds to wait for the last lines once the daemon has ended."""
_LEVELS: dict[str, TextStyle] = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}
"""The style of a line by its log level; all others are dim."""


class DaemonLog:
    """A pipe for the daemon's stderr, whose lines are shown above what is live on the screen."""

    def __init__(self, show: Callable[[str], None]) -> None:
        """
        Args:
            show: shows a line while nothing is live on the screen.
        """
        self._show = show
        reading, self.stderr = os.pipe()
        """`stderr` is the end of the pipe for the daemon."""
        self._thread = threading.Thread(target=self._read, args=[reading], daemon=True)
        self._thread.start()

    def __enter__(self) -> "DaemonLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self.stderr)
        self._thread.join(_LAST_LINES)

    @contextmanager
    def shown_by(self, show: Callable[[str], None]) -> Iterator[None]:
        """Show the lines by this function while the context is entered."""
        before, self._show = self._show, show
        try:
            yield
        finally:
            self._show = before

    def _read(self, reading: int) -> None:
        """Show each line that comes, until the pipe is closed."""
        with open(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self._show(format_log_line(line.rstrip("\n")))


def format_log_line(line: str) -> str:
    """The text of a line of the daemon's log, coloured by its level."""
    _, _, rest = line.partition("oi-daemon: ")
    level, _, text = rest.partition(": ")
    return styled(text or line, _LEVELS.get(level, "dim"))
