"""The descriptor 0 of a worker and of all that it starts.

A child that reads it (`cat`, `read`, a program that asks) cannot send a request. On Linux the
system shows that it waits; elsewhere it finds end of file at once. Never does it hang unseen.
"""

import array
import asyncio
import fcntl
import os
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

_VISIBLE = sys.platform == "linux"
_CAPACITY = 1 << 16
"""Bytes that fit into a pipe."""


class StandardInput:
    """A pipe whose reading end is the worker's. `write` feeds it, `waiting` looks for a reader."""

    def __init__(self) -> None:
        self._writer: int | None = None
        self._unwritten = bytearray()
        if _VISIBLE:
            self.reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)
            self._name = os.readlink(f"/proc/self/fd/{self.reader}")  # noqa: PTH115
        else:
            self.reader = os.open(os.devnull, os.O_RDONLY)

    def write(self, line: bytes) -> None:
        """Feed this line, as fast as it is read; nothing is end of file."""
        if not line:
            self._stop()
        elif self._writer is not None:
            self._unwritten += line
            self._feed(self._writer)

    def renew(self) -> None:
        """For the next block: nothing is left to be read, and end of file is over."""
        if not _VISIBLE:
            return
        if self._unwritten or self._filled():
            self._stop()
            self._drain()
        if self._writer is None:
            self._writer = self._open(os.O_WRONLY)

    def close(self) -> None:
        self._stop()
        os.close(self.reader)

    def waiting(self, process: int) -> bool:
        """Whether this process or a descendant waits to read it."""
        if self._writer is None or self._unwritten or self._filled():
            return False
        return any(map(self._reads, _threads(process)))

    def _feed(self, writer: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._unwritten:
                del self._unwritten[: os.write(writer, self._unwritten)]
        except BlockingIOError:
            loop.add_writer(writer, self._feed, writer)
        else:
            loop.remove_writer(writer)

    def _stop(self) -> None:
        """Leave off; the reader finds end of file."""
        if self._writer is not None:
            asyncio.get_running_loop().remove_writer(self._writer)
            os.close(self._writer)
        self._writer = None
        self._unwritten.clear()

    def _drain(self) -> None:
        """Take what is left. Another process may be quicker, so this must not wait."""
        reader = self._open(os.O_RDONLY)
        try:
            os.read(reader, _CAPACITY)
        except BlockingIOError:
            pass
        finally:
            os.close(reader)

    def _open(self, mode: int) -> int:
        """An end of the pipe that does not block, whatever those of others do."""
        return os.open(f"/proc/self/fd/{self.reader}", mode | os.O_NONBLOCK)

    def _filled(self) -> bool:
        """Whether there is something to read already."""
        left = array.array("i", [0])
        fcntl.ioctl(self.reader, termios.FIONREAD, left)
        return left[0] > 0

    def _reads(self, thread: Path) -> bool:
        """Blocked in a pipe, in a call whose first argument is a descriptor of this one."""
        try:
            if "pipe_read" not in (thread / "wchan").read_text():
                return False
            descriptor = int((thread / "syscall").read_text().split()[1], 16)
            return str((thread / "fd" / str(descriptor)).readlink()) == self._name
        except (OSError, IndexError, ValueError):  # gone, running, or not shown to us
            return False


def _threads(process: int) -> Iterator[Path]:
    """All threads of a process and its descendants."""
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
    except OSError:
        return
    for thread in threads:
        yield thread
        try:
            children = (thread / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _threads(int(child))
