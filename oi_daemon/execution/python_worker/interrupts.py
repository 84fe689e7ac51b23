"""SIGINT, made to hit the user's code and nothing else.

An interrupt that finds the main thread in the worker's own code is put off until it has left it;
one that comes when no block runs is forgotten.
"""

from __future__ import annotations

import signal
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def ours(frame: FrameType | None) -> bool:
    """Whether this frame is the worker's own code."""
    return frame is not None and frame.f_globals.get("__package__") == __package__


class Interrupts:
    def __init__(self) -> None:
        self._main = get_ident()
        self._running = False
        self._waiting = False
        self.pending = False
        self.install()

    def install(self) -> None:
        """Take SIGINT, again where the user's code took it."""
        signal.signal(signal.SIGINT, self._handle)

    def begin(self) -> None:
        self.pending = False
        self._running = True

    def end(self) -> None:
        self._running = self.pending = False

    def check(self) -> None:
        """Raise the interrupt that was put off."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt

    def retry(self) -> None:
        """From another thread: see whether the main thread has left the worker's own code."""
        if self.pending:
            signal.pthread_kill(self._main, signal.SIGINT)

    def __enter__(self) -> None:
        """In here the worker's own code waits, and may be interrupted."""
        if get_ident() == self._main:
            self._waiting = True
            self.check()

    def __exit__(self, *_: object) -> None:
        if get_ident() == self._main:
            self._waiting = False

    def _handle(self, _: int, frame: FrameType | None) -> None:
        if not self._running:
            return
        if ours(frame) and not self._waiting:
            self.pending = True
            return
        self.pending = self._waiting = False
        raise KeyboardInterrupt
