"""Raises KeyboardInterrupt in the user's code, and never in the worker's own code.

If SIGINT arrives while the main thread is in the worker's own code or in an import, the interrupt
is delayed until the thread has left that. If it arrives while no block runs, it is ignored.
"""

from __future__ import annotations

# `signal`'s own functions convert every argument to an enum, which takes longer than a short block.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys
from _thread import get_ident
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")  # noqa: PTH100, PTH118, PTH120
"""The beginning of the paths of the worker's own files."""
_PATIENCE = 1.0
"""Seconds for which an import is not interrupted, because a half-imported module breaks later
blocks."""


def is_worker_code(frame: FrameType | None) -> bool:
    """Return True if this frame runs the worker's own code."""
    return frame is not None and frame.f_code.co_filename.startswith(WORKER)


def _is_importing(frame: FrameType | None) -> bool:
    """Return True if this frame, or one that called it, imports a module."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


class Interrupts:
    """Handles SIGINT; as a context manager, marks worker code that waits and may be interrupted."""

    def __init__(self) -> None:
        self._main = get_ident()
        """The main thread, the only one in which Python handles signals."""
        self._running = False
        """True while a block runs."""
        self._waiting = False
        """True while the worker's own code waits and may be interrupted."""
        self.pending = 0.0
        """When the delayed interrupt arrived; 0 if there is none."""
        self.install()

    def install(self) -> None:
        """Handle SIGINT; called before each block because the user's code may have changed that."""
        signal.signal(signal.SIGINT, self._handle)

    def begin(self) -> None:
        """A block begins: interrupts are for it."""
        self.pending = 0.0
        self._running = True

    def end(self) -> None:
        """The block has ended: an interrupt that is late is ignored."""
        self._running = False
        self.pending = 0.0

    def check(self) -> None:
        """Raise the delayed interrupt, if any; called where worker code can be left safely."""
        if self.pending and not self._is_protected(sys._getframe(1)):
            self._raise()

    def retry(self) -> None:
        """Send SIGINT to the main thread again if an interrupt is delayed; for another thread."""
        if self.pending:
            signal.pthread_kill(self._main, signal.SIGINT)

    def __enter__(self) -> None:
        """Begin to wait: until `__exit__`, an interrupt is raised at once."""
        if get_ident() == self._main:
            self._waiting = True
            if self.pending:
                self._raise()

    def __exit__(self, *_: object) -> None:
        if get_ident() == self._main:
            self._waiting = False

    def _handle(self, _: int, frame: FrameType | None) -> None:
        """Raise or delay an interrupt; this is the signal handler."""
        if not self._running:
            return
        if not self._waiting and (is_worker_code(frame) or self._is_protected(frame)):
            self.pending = self.pending or monotonic()
        else:
            self._raise()

    def _is_protected(self, frame: FrameType | None) -> bool:
        """Return True if an import is under way, until `_PATIENCE` has passed."""
        patient = not self.pending or monotonic() - self.pending < _PATIENCE
        return patient and _is_importing(frame)

    def _raise(self) -> None:
        """Raise KeyboardInterrupt, and forget the delayed interrupt."""
        self._waiting = False
        self.pending = 0.0
        raise KeyboardInterrupt
