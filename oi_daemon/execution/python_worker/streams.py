"""sys.stdout, sys.stderr and sys.stdin of the user's code.

Both outputs are one pipe, and go through one buffer, together with the marks that say which line
was in force: all of it arrives in its true order.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from _thread import RLock, allocate_lock, get_ident

from .interrupts import ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

    from .channel import Channel
    from .interrupts import Interrupts

_AT_ONCE = 400
"""Pieces of output per tick that are sent at once. Only in a flood does output gather in the
buffer, for a tick at most: a crash loses no last words, and a flood costs no system call a line."""

_print_prompt = builtins.input


class Stream(io.TextIOWrapper):
    """Looks like any text stream on a pipe; what is written goes through `Output.write`."""

    def __init__(self, output: OutputStream, pipe: io.BufferedWriter, fd: int) -> None:
        super().__init__(pipe, "utf-8", "backslashreplace", newline="\n")
        self._output = output
        self._fd = fd

    @property
    def buffer(self) -> io.BufferedWriter:
        self._output.flush()
        return self._output.pipe

    def flush(self) -> None:
        self._output.flush()

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        """Left open: `exit()` and some libraries close what they did not open."""


class OutputStream:
    """What the block writes, and the marks in it: `RS nonce KIND number US`."""

    def __init__(self, nonce: str, interrupts: Interrupts) -> None:
        self.pipe: io.BufferedWriter = io.BufferedWriter(io.FileIO(os.dup(1), "w"), 1 << 16)
        self.stdout = Stream(self, self.pipe, 1)
        self.stderr = Stream(self, self.pipe, 2)
        self._text = io.TextIOWrapper(self.pipe, "utf-8", "backslashreplace", newline="\n")
        self._append: Callable[[str], int] = self._text.write
        self._before = ""
        self._mark = f"\x1e{nonce}%s%d\x1f"
        self._interrupts = interrupts
        self.main = get_ident()
        self._file: str | None = None
        self._line = 0
        self._moves = 0
        """Rises with each line that the main thread marks."""
        self._marks = True
        self._at_once = _AT_ONCE
        self._ticking = allocate_lock()
        self.stdout.write = self.stderr.write = self.write  # type: ignore[method-assign]

    @property
    def descriptors(self) -> set[int]:
        """Those of the outputs, and of standard input."""
        return {0, 1, 2, self.pipe.fileno()}

    def install(self) -> None:
        """Put the streams where the user's code and `print` look for them."""
        sys.stdout = sys.__stdout__ = self.stdout  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = self.stderr  # type: ignore[misc]

    def reopen(self) -> None:
        """Give children back an output that the user's code has closed."""
        for fd in (1, 2):
            try:
                os.fstat(fd)
            except OSError:
                os.dup2(self.pipe.fileno(), fd)

    def begin(self, file: str) -> None:
        """A block begins; its frames are those of this file."""
        self._file, self._line = file, 0
        self._before, self._append = "", self._text.write

    def end(self, number: int) -> None:
        """The block has ended: nothing after this is its output."""
        self._file = None
        self.mark("E", number)
        self.flush()

    def mark(self, kind: str, number: int) -> None:
        if self._marks:
            self._append(self._mark % (kind, number))

    def line(self, number: int) -> None:
        """This line is the active one from here on."""
        if number != self._line:
            self._line = number
            self._moves += 1
            self.mark("L", number)

    def _line_of(self, frame: FrameType | None) -> int:
        """The line of the innermost frame in the block; 0 if there is none."""
        file = self._file
        while frame is not None and file:
            if frame.f_code.co_filename == file:
                return frame.f_lineno
            frame = frame.f_back
        return 0

    def write(self, text: str) -> int:
        """`write` of both streams. Each `print` calls it twice, so the common cases come first."""
        if text != "\n":
            frame: FrameType | None = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_filename == self._file:
                    if frame.f_lineno != self._line and get_ident() == self.main:
                        self.line(frame.f_lineno)
                    break
                frame = frame.f_back
        written = self._append(text)
        if self._at_once:
            self._at_once -= 1
            self.flush()
        if self._interrupts.pending:
            self._interrupts.check()
        return written

    def before_next(self, text: str) -> None:
        """Write this as soon as there is more to write, or to display; a mark is not more."""
        self._before, self._append = text, self._append_both

    def release(self) -> None:
        """Write what was to come before the next."""
        text, self._before, self._append = self._before, "", self._text.write
        self._text.write(text)

    def _append_both(self, text: str) -> int:
        if not text.startswith("\x1e"):
            self.release()
        return self._text.write(text)

    def flush(self) -> None:
        self._text.flush()

    def tick(self, awaiting: Callable[[], list[FrameType]]) -> None:
        """Every few milliseconds, from another thread.

        `awaiting` gives the frames of suspended coroutines, the innermost first. A main thread in
        the worker's own code is writing, or waits for input: nothing to do.
        """
        self._at_once = _AT_ONCE
        moves = self._moves
        frame = sys._current_frames().get(self.main)
        if ours(frame):
            return
        with self._ticking:
            numbers = map(self._line_of, (frame, *awaiting()))
            self._catch_up(next(filter(None, numbers), 0), moves)
            self.flush()

    def _catch_up(self, number: int, moves: int) -> None:
        """Mark a line that was seen, unless the main thread has marked one since.

        Nothing is called between the look and the mark: Python changes threads at calls.
        """
        mark = self._mark % ("L", number)
        if number and number != self._line and moves == self._moves:
            self._line = number
            self._append(mark)

    def here(self) -> None:
        """The active line is the caller's."""
        if get_ident() == self.main and (number := self._line_of(sys._getframe(1))):
            self.line(number)

    def before_child(self) -> None:
        """What was written until now comes before what a child writes."""
        self.here()
        self.flush()

    def before_fork(self) -> None:
        """No other thread may hold the buffer, or it stays locked in the copy."""
        self.before_child()
        self._ticking.acquire()

    def after_fork(self) -> None:
        self._ticking.release()

    def in_child(self) -> None:
        """In a forked copy: it has no active line, and nobody flushes for it."""
        self._ticking.release()
        self._marks = False
        self._file = None
        self._at_once = sys.maxsize


class Input(io.RawIOBase):
    """Bytes of sys.stdin: a line is asked for when none is left."""

    def __init__(self, channel: Channel, output: OutputStream, interrupts: Interrupts) -> None:
        self._channel: Channel | None = channel
        self._output = output
        self._interrupts = interrupts
        self._one_at_a_time = RLock()
        self._rest = b""
        self.prompt = ""
        self.password = False
        self.stdin = InputStream(
            io.BufferedReader(self),  # type: ignore[type-var]
            "utf-8",
            "surrogateescape",
            newline="\n",
        )

    def install(self) -> None:
        sys.stdin = sys.__stdin__ = self.stdin  # type: ignore[misc]
        builtins.input = self.input

    def in_child(self) -> None:
        """In a forked copy: the parent's person is not its own."""
        self._channel = None

    def input(self, prompt: object = "", /) -> str:
        """The builtin. Reads the user's own sys.stdin where they have put one."""
        if sys.stdin is not self.stdin:
            return _print_prompt(prompt)
        return self._ask(str(prompt), password=False)

    def hide_passwords(self, getpass: ModuleType) -> None:
        """Replaces getpass.getpass, once that module is imported."""

        def ask(prompt: str = "Password: ", stream: object = None) -> str:
            return self._ask(prompt, password=True)

        getpass.getpass = ask  # type: ignore[attr-defined]

    def _ask(self, prompt: str, *, password: bool) -> str:
        with self._one_at_a_time:
            self.prompt, self.password = prompt, password
            try:
                line = self.stdin.readline()
            finally:
                self.prompt, self.password = "", False
        if not line:
            raise EOFError("EOF when reading a line")
        return line[:-1] if line.endswith("\n") else line

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        pass

    def readinto(self, space: bytearray) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = self._line()
        count = min(len(space), len(self._rest))
        space[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _line(self) -> bytes:
        """A line from the person; nothing is end of file."""
        if self._channel is None:
            return b""
        with self._one_at_a_time:
            self._output.here()
            number = self._channel.send(input=self.prompt, password=self.password)
            self._output.mark("D", number)
            self._output.flush()
            with self._interrupts:
                return self._channel.answer(number) or b""


class InputStream(io.TextIOWrapper):
    """sys.stdin; `exit()` closes it, and the next block still needs it."""

    def close(self) -> None:
        pass
