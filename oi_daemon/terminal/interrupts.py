"""Ctrl-C: an exception in the places that are made for it, and in no other."""

import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Any

from oi_daemon.terminal.conversation import ShownChunks

_ENOUGH = 3
"""So many times, unheard, is meant for the program itself."""


class CtrlC:
    """While entered, Ctrl-C raises KeyboardInterrupt only where the program waits.

    So it never tears a frame on the screen or an answer on the wire. One that comes elsewhere is
    kept for the next wait. Outside of the main thread, and before it is entered, all is as usual.
    """

    def __init__(self) -> None:
        self._waiting = False
        self._unheard = 0
        self._before: Any = None

    def __enter__(self) -> "CtrlC":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._come)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def forget(self) -> None:
        """A new start: nothing that came before counts."""
        self._unheard = 0

    @contextmanager
    def wait(self) -> Iterator[None]:
        """A place where Ctrl-C is heard."""
        self._waiting = True
        try:
            if self._unheard:
                raise KeyboardInterrupt
            yield
        finally:
            self._waiting = False

    def over(self, chunks: ShownChunks) -> ShownChunks:
        """The chunks; Ctrl-C is heard while one is waited for."""
        with closing(chunks):
            while True:
                with self.wait():
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk

    def _come(self, number: int, frame: FrameType | None) -> None:
        self._unheard += 1
        if self._waiting or self._unheard >= _ENOUGH:
            self._waiting = False
            raise KeyboardInterrupt
