"""The descriptor 0 of a worker and of all that it starts.

A child that reads it (`cat`, `read`, a program that asks) cannot send a request. On Linux the
system shows that it waits; elsewhere it finds end of file at once. Never does it hang unseen.
"""

import array
import fcntl
import os
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

_VISIBLE = sys.platform == "linux"


class StandardInput:
    """A pipe whose reading end is the worker's. `write` feeds it, `waiting` looks for a reader."""

    def __init__(self) -> None:
        if _VISIBLE:
            self.reader, writer = os.pipe()
            self._writer: int | None = writer
            self._name = os.readlink(f"/proc/self/fd/{self.reader}")  # noqa: PTH115
        else:
            self.reader, self._writer = os.open(os.devnull, os.O_RDONLY), None

    def write(self, line: bytes) -> None:
        """What fits into the pipe, which is far more than a line; nothing is end of file."""
        if self._writer is None:
            return
        if line:
            os.set_blocking(self._writer, False)
            os.write(self._writer, line)
        else:
            os.close(self._writer)
            self._writer = None

    def renew(self) -> None:
        """For the next block: nothing is left to be read, and end of file is over."""
        if not _VISIBLE:
            return
        left = array.array("i", [0])
        fcntl.ioctl(self.reader, termios.FIONREAD, left)
        if left[0]:
            os.read(self.reader, left[0])
        if self._writer is None:
            self._writer = os.open(f"/proc/self/fd/{self.reader}", os.O_WRONLY)

    def close(self) -> None:
        self.write(b"")
        os.close(self.reader)

    def waiting(self, process: int) -> bool:
        """Whether this process or a descendant waits to read it."""
        return _VISIBLE and self._writer is not None and any(map(self._reads, _threads(process)))

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
