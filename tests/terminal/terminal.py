"""The installed `interpreter` in a terminal: keys in, a screen out."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

from tests.measured import MEASURED
from tests.patience import PATIENCE

COMMAND = Path(sys.executable).with_name("interpreter")
"""The installed program."""
CTRL_C, CTRL_D, ENTER, ESCAPE = "\x03", "\x04", "\r", "\x1b"
UP, DOWN, DELETE = "\x1b[A", "\x1b[B", "\x1b[3~"
ALT_ENTER = ESCAPE + ENTER

_IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes standard input the controlling terminal, so that its Ctrl-C is a signal."""


class Terminal:
    """A program in a terminal of its own, which ends with it."""

    def __init__(
        self,
        *arguments: str | Path,
        command: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
        columns: int = 80,
        lines: int = 30,
        cwd: Path | None = None,
    ) -> None:
        """The program is `interpreter`, unless `command` names another one."""
        program = [*MEASURED, COMMAND] if command is None else [command]
        self.master, slave = pty.openpty()
        """`master` is our end of the terminal."""
        self.screen = pyte.HistoryScreen(columns, lines, history=10_000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self.received = b""
        self._set_size(columns, lines)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_TERMINAL, *program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", **(environ or {})},
            cwd=cwd,
        )
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self.master)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM if MEASURED else signal.SIGHUP)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def say(self, line: str) -> None:
        self.type(line + ENTER)

    def resize(self, columns: int, lines: int) -> None:
        self._set_size(columns, lines)
        self.screen.resize(lines, columns)

    def wait_for(self, wanted: str | Callable[[str], object], timeout: float = PATIENCE) -> str:
        """Read until all that was shown holds this text, or fulfils this; gives it."""
        until = time.monotonic() + timeout
        while not self._fulfils(wanted):
            left = until - time.monotonic()
            if left <= 0 or not self._read(left):
                assert self._fulfils(wanted), f"not seen: {wanted!r}\n{self.text}"
        return self.text

    def wait_for_prompt(self, timeout: float = PATIENCE) -> str:
        """Read until the last line is an empty prompt, which shows `auto_run`."""
        return self.wait_for(lambda text: self.last_line in (">", "auto_run >"), timeout)

    def watch(self, seconds: float) -> None:
        """Read what comes for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._read(left)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Read to the end; gives the exit code."""
        until = time.monotonic() + timeout
        while self._read(until - time.monotonic()):
            pass
        return self.process.wait(timeout)

    @property
    def text(self) -> str:
        """All lines that were shown and not taken away, those that have scrolled off too."""
        above = [
            "".join(line[x].data for x in range(self.screen.columns)).rstrip()
            for line in self.screen.history.top
        ]
        return "\n".join([*above, *(line.rstrip() for line in self.screen.display)])

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.split("\n") if line]

    @property
    def last_line(self) -> str:
        return self.lines[-1] if self.lines else ""

    def _fulfils(self, wanted: str | Callable[[str], object]) -> object:
        return wanted in self.text if isinstance(wanted, str) else wanted(self.text)

    def _read(self, timeout: float) -> bool:
        """Take what has come; False at the end."""
        readable, _, _ = select.select([self.master], [], [], max(0.0, timeout))
        try:
            data = os.read(self.master, 1 << 16) if readable else b""
        except OSError:  # the other end is closed
            return False
        self.received += data
        self._stream.feed(data)
        return bool(data)

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
