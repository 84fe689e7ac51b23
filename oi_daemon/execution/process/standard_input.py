"""The standard input of a worker and of all that it starts.

A child that reads it (`cat`, `read`, a program that asks) cannot send us a request for input. On
Linux, /proc shows that the child waits. On other systems it finds end of file at once, so that it
does not wait for ever without being noticed.
"""

import array
import asyncio
import fcntl
import os
import sys
import termios
from pathlib import Path

from oi_daemon.execution.process.proc import threads

_VISIBLE = sys.platform == "linux"
"""Whether the system shows which process waits for input."""
_CAPACITY = 1 << 16
"""Bytes that a pipe can hold."""


class StandardInput:
    """A pipe whose reading end the worker inherits as its standard input."""

    def __init__(self) -> None:
        self._writer: int | None = None
        """Descriptor of the writing end; None at end of file."""
        self._unwritten = bytearray()
        """Bytes that the pipe had no room for yet."""
        if _VISIBLE:
            self.reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)
            self._name = os.readlink(f"/proc/self/fd/{self.reader}")  # noqa: PTH115
        else:
            self.reader = os.open(os.devnull, os.O_RDONLY)

    def write(self, line: bytes) -> None:
        """Write a line to the pipe; empty is end of file."""
        if not line:
            self._stop()
        elif self._writer is not None:
            self._unwritten += line
            self._feed(self._writer)

    def renew(self) -> None:
        """Prepare for the next block: drop what was not read, and undo an end of file."""
        if not _VISIBLE:
            return
        if self._unwritten or self._filled():
            self._stop()
            self._drain()
        if self._writer is None:
            self._writer = self._open(os.O_WRONLY)

    def close(self) -> None:
        """Close both ends of the pipe."""
        self._stop()
        os.close(self.reader)

    def has_waiting_reader(self, process: int) -> bool:
        """Whether this process or a descendant waits to read the pipe."""
        if self._writer is None or self._unwritten or self._filled():
            return False
        return any(map(self._is_reading, threads(process)))

    def _feed(self, writer: int) -> None:
        """Write as much as the pipe has room for, and the rest when there is room again."""
        loop = asyncio.get_running_loop()
        try:
            while self._unwritten:
                del self._unwritten[: os.write(writer, self._unwritten)]
        except BlockingIOError:
            loop.add_writer(writer, self._feed, writer)
        else:
            loop.remove_writer(writer)

    def _stop(self) -> None:
        """Close the writing end, so that the reader finds end of file."""
        if self._writer is not None:
            asyncio.get_running_loop().remove_writer(self._writer)
            os.close(self._writer)
        self._writer = None
        self._unwritten.clear()

    def _drain(self) -> None:
        """Read what is left in the pipe. It must not block, as a child may read it first."""
        reader = self._open(os.O_RDONLY)
        try:
            os.read(reader, _CAPACITY)
        except BlockingIOError:
            pass
        finally:
            os.close(reader)

    def _open(self, mode: int) -> int:
        """A new descriptor of an end of the pipe. Unlike the inherited ones it does not block."""
        return os.open(f"/proc/self/fd/{self.reader}", mode | os.O_NONBLOCK)

    def _filled(self) -> bool:
        """Whether the pipe holds something to read."""
        left = array.array("i", [0])
        fcntl.ioctl(self.reader, termios.FIONREAD, left)
        return left[0] > 0

    def _is_reading(self, thread: Path) -> bool:
        """Whether a thread, given by its folder in /proc, is blocked in a read of this pipe."""
        try:
            if "pipe_read" not in (thread / "wchan").read_text():
                return False
            descriptor = int((thread / "syscall").read_text().split()[1], 16)
            return str((thread / "fd" / str(descriptor)).readlink()) == self._name
        except (OSError, IndexError, ValueError):  # it has ended, runs, or is not shown to us
            return False
