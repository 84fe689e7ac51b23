"""Ctrl-C: it raises an exception where the program is ready for it, and nowhere else."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType

from oi_daemon.messages.shapes import ChunkStream

_ENOUGH = 3
"""Number of Ctrl-C in a row after which KeyboardInterrupt is raised wherever the program is."""


class CtrlC:
    """While entered, Ctrl-C raises KeyboardInterrupt only where the program waits.

    It therefore never tears a frame on the screen or an answer on the wire. One that comes
    elsewhere is kept for the next wait. Outside of the main thread, and before this is entered,
    Ctrl-C does what it always does.
    """

    def __init__(self) -> None:
        self._is_waiting = False
        """Whether the program is in a place where Ctrl-C may be raised."""
        self._pending = 0
        """How often Ctrl-C was pressed and could not be raised."""
        self._before: Callable[[int, FrameType | None], object] | int | None = None
        """The signal's handler from before this was entered."""

    def __enter__(self) -> "CtrlC":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def clear(self) -> None:
        """Forget each Ctrl-C that came before."""
        self._pending = 0

    @contextmanager
    def wait(self) -> Iterator[None]:
        """While this context is entered, Ctrl-C raises KeyboardInterrupt."""
        self._is_waiting = True
        try:
            if self._pending:
                raise KeyboardInterrupt
            yield
        finally:
            self._is_waiting = False

    def watch(self, chunks: ChunkStream) -> ChunkStream:
        """The chunks. Ctrl-C raises KeyboardInterrupt while the next one is waited for."""
        with closing(chunks):
            while True:
                with self.wait():
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle Ctrl-C: raise KeyboardInterrupt where that is allowed, else remember it."""
        self._pending += 1
        if self._is_waiting or self._pending >= _ENOUGH:
            self._is_waiting = False
            raise KeyboardInterrupt
