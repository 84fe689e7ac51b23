"""SIGINT, made to hit the user's code and nothing else.

An interrupt that finds the main thread in the worker's own code, or in an import, is put off until
it has left it; one that comes when no block runs is forgotten.
"""

from __future__ import annotations

# The functions of `signal` make enums of everything, which takes longer than a short block.
import _signal as signal  # type: ignore[import-not-found]
import sys
from _thread import get_ident
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


_PATIENCE = 1.0
"""Seconds for which an import is spared: a module that is half there breaks later blocks."""


def ours(frame: FrameType | None) -> bool:
    """Whether this frame is the worker's own code."""
    return frame is not None and frame.f_globals.get("__package__") == __package__


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


class Interrupts:
    def __init__(self) -> None:
        self._main = get_ident()
        self._running = False
        self._waiting = False
        self.pending = 0.0
        """When an interrupt came that was put off; 0 if there is none."""
        self.install()

    def install(self) -> None:
        """Take SIGINT, again where the user's code took it."""
        signal.signal(signal.SIGINT, self._handle)

    def begin(self) -> None:
        self.pending = 0.0
        self._running = True

    def end(self) -> None:
        self._running = False
        self.pending = 0.0

    def check(self) -> None:
        """Raise the interrupt that was put off, where the worker's own code can be left."""
        if self.pending and not self._spared(sys._getframe(1)):
            self._raise()

    def retry(self) -> None:
        """From another thread: see whether the main thread can be interrupted by now."""
        if self.pending:
            signal.pthread_kill(self._main, signal.SIGINT)

    def __enter__(self) -> None:
        """In here the worker's own code waits, and may be interrupted."""
        if get_ident() == self._main:
            self._waiting = True
            if self.pending:
                self._raise()

    def __exit__(self, *_: object) -> None:
        if get_ident() == self._main:
            self._waiting = False

    def _handle(self, _: int, frame: FrameType | None) -> None:
        if not self._running:
            return
        if not self._waiting and (ours(frame) or self._spared(frame)):
            self.pending = self.pending or monotonic()
        else:
            self._raise()

    def _spared(self, frame: FrameType | None) -> bool:
        """An import under way, for a while."""
        return (not self.pending or monotonic() - self.pending < _PATIENCE) and _importing(frame)

    def _raise(self) -> None:
        self._waiting = False
        self.pending = 0.0
        raise KeyboardInterrupt
