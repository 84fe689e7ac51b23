"""What the daemon says besides its answers: warnings, and in debug mode every step."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from oi_daemon.terminal.voice import TextStyle, styled

_ENDING = 1.0
"""Seconds in which the last lines come, once the daemon has ended."""
_STYLES: dict[str, TextStyle] = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}


class Notices:
    """A pipe for the daemon's stderr. Its lines are shown above what is live on the screen."""

    def __init__(self, show: Callable[[str], None]) -> None:
        """
        Args:
            show: where lines are shown while nothing is live.
        """
        self._show = show
        reading, self.stderr = os.pipe()
        """`stderr` is the end that is given to the daemon."""
        self._thread = threading.Thread(target=self._read, args=[reading], daemon=True)
        self._thread.start()

    def __enter__(self) -> "Notices":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self.stderr)
        self._thread.join(_ENDING)

    @contextmanager
    def shown_by(self, show: Callable[[str], None]) -> Iterator[None]:
        before, self._show = self._show, show
        try:
            yield
        finally:
            self._show = before

    def _read(self, reading: int) -> None:
        with open(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self._show(worded(line.rstrip("\n")))


def worded(line: str) -> str:
    """A line of the daemon's log for a person, coloured by how much it matters."""
    _, _, said = line.partition("oi-daemon: ")
    level, _, text = said.partition(": ")
    return styled(text or line, _STYLES.get(level, "dim"))
