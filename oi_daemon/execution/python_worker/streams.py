"""sys.stdout, sys.stderr and sys.stdin of the user's code.

Both outputs go through one buffer into one pipe, together with the marks that say which line was
active. So all of it arrives in the order in which it was written.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from _thread import RLock, allocate_lock, get_ident

from .interrupts import is_worker_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

    from .channel import Channel
    from .interrupts import Interrupts

_FLUSHED_WRITES = 400
"""Writes per tick that are flushed at once, so that a crash does not lose the last output. Further
writes stay in the buffer until the next tick, so that a flood of output costs few system calls."""

_KEPT = 1 << 16
"""Most characters that are kept of what tasks write between blocks: the latest ones."""

_print_prompt = builtins.input
"""Python's own `input`."""


class Stream(io.TextIOWrapper):
    """sys.stdout or sys.stderr: a text stream whose `write` is `OutputStream.write`."""

    def __init__(self, output: OutputStream, pipe: io.BufferedWriter, fd: int) -> None:
        super().__init__(pipe, "utf-8", "backslashreplace", newline="\n")
        self._output = output
        self._fd = fd

    @property
    def buffer(self) -> io.BufferedWriter:
        """The binary stream beneath, after what was written as text has been flushed."""
        self._output.flush()
        return self._output.pipe

    def flush(self) -> None:
        self._output.flush()

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        """Do nothing: `exit()` and some libraries close it, and later blocks still need it."""


class OutputStream:
    """The pipe with everything that a block writes, and with the marks between.

    A mark is `RS nonce KIND number US`. Its kind is L (this line is active), D (the control
    message with this number belongs here), X (the block's exit status) or E (the block with this
    number has ended).
    """

    def __init__(self, nonce: str, interrupts: Interrupts) -> None:
        self.pipe: io.BufferedWriter = io.BufferedWriter(io.FileIO(os.dup(1), "w"), 1 << 16)
        self.stdout = Stream(self, self.pipe, 1)
        self.stderr = Stream(self, self.pipe, 2)
        self._text = io.TextIOWrapper(self.pipe, "utf-8", "backslashreplace", newline="\n")
        self._append: Callable[[str], int] = self._text.write
        """Adds text to the buffer: `_text.write`, or `_append_both` while text is held back."""
        self._held_back = ""
        """Text that is written before the next output or display; see `before_next`."""
        self._written_between = ""
        """What tasks have written since the last block."""
        self._mark = f"\x1e{nonce}%s%d\x1f"
        """The format of a mark, from its kind and number."""
        self._interrupts = interrupts
        self.main = get_ident()
        """The id of the main thread, the only one whose lines are marked."""
        self._file: str | None = None
        """The running block's file name in frames; None between blocks."""
        self._line = 0
        """The line that was marked last."""
        self._moves = 0
        """A count that rises with each line that the main thread marks."""
        self._marking = True
        """False in a fork that the user's code has made: it writes no marks."""
        self._flushed_writes_left = _FLUSHED_WRITES
        """How many writes are still flushed at once before the next tick."""
        self._ticking = allocate_lock()
        """Held while the other thread writes, so that a fork does not happen meanwhile."""
        self.stdout.write = self.stderr.write = self.write  # type: ignore[method-assign]

    @property
    def descriptors(self) -> set[int]:
        """The descriptors of standard input, both outputs and the pipe."""
        return {0, 1, 2, self.pipe.fileno()}

    def install(self) -> None:
        """Make them sys.stdout and sys.stderr."""
        sys.stdout = sys.__stdout__ = self.stdout  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = self.stderr  # type: ignore[misc]

    def reopen(self) -> None:
        """Open descriptors 1 and 2 again if the user's code has closed them: children need them."""
        for fd in (1, 2):
            try:
                os.fstat(fd)
            except OSError:
                os.dup2(self.pipe.fileno(), fd)

    def begin(self, file: str) -> None:
        """A block begins, whose frames have this file name."""
        self._file, self._line = file, 0
        self._held_back, self._append = "", self._text.write
        written, self._written_between = self._written_between, ""
        self._text.write(written)

    def end(self, number: int) -> None:
        """The block has ended: mark that, so that later output is not taken for its output."""
        self._file = None
        self.mark("E", number)
        self.flush()
        self._append = self._keep

    def mark(self, kind: str, number: int) -> None:
        """Add a mark to the buffer."""
        if self._marking:
            self._append(self._mark % (kind, number))

    def line(self, number: int) -> None:
        """This line is active now: mark it, unless it is the one that was marked last."""
        if number != self._line:
            self._line = number
            self._moves += 1
            self.mark("L", number)

    def _line_of(self, frame: FrameType | None) -> int:
        """Return the line of the innermost frame that belongs to the block; 0 if there is none."""
        file = self._file
        while frame is not None and file:
            if frame.f_code.co_filename == file:
                return frame.f_lineno
            frame = frame.f_back
        return 0

    def write(self, text: str) -> int:
        """Write text, after a mark if it comes from another line; this is both streams' `write`.

        A `print` calls it twice: the second time with a line break, which needs no look at frames.
        """
        if text != "\n":
            frame: FrameType | None = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_filename == self._file:
                    if frame.f_lineno != self._line and get_ident() == self.main:
                        self.line(frame.f_lineno)
                    break
                frame = frame.f_back
        written = self._append(text)
        if self._flushed_writes_left:
            self._flushed_writes_left -= 1
            self.flush()
        if self._interrupts.pending:
            self._interrupts.check()
        return written

    def before_next(self, text: str) -> None:
        """Hold this text back until the next real output or display.

        Marks alone do not release it.
        """
        self._held_back, self._append = text, self._append_both

    def release(self) -> None:
        """Write the text that was held back, if any."""
        text, self._held_back, self._append = self._held_back, "", self._text.write
        self._text.write(text)

    def _keep(self, text: str) -> int:
        """Keep what a task writes between blocks for the next one. A thread writes at once."""
        if get_ident() != self.main:
            return self._text.write(text)
        self._written_between = (self._written_between + text)[-_KEPT:]
        return len(text)

    def _append_both(self, text: str) -> int:
        """Add text to the buffer; unless it is a mark, add first the text that was held back."""
        if not text.startswith("\x1e"):
            self.release()
        return self._text.write(text)

    def flush(self) -> None:
        self._text.flush()

    def tick(self, awaiting: Callable[[], list[FrameType]]) -> None:
        """Mark the line that the main thread is at, and flush; another thread calls this often.

        If the main thread is in the worker's own code, it writes or waits for input, and nothing
        has to be done.

        Args:
            awaiting: gives the frames of suspended coroutines, the innermost first.
        """
        self._flushed_writes_left = _FLUSHED_WRITES
        moves = self._moves
        frame = sys._current_frames().get(self.main)
        if is_worker_code(frame):
            return
        with self._ticking:
            numbers = map(self._line_of, (frame, *awaiting()))
            self._catch_up(next(filter(None, numbers), 0), moves)
            self.flush()

    def _catch_up(self, number: int, moves: int) -> None:
        """Mark this line if it is not 0, unless the main thread has marked one since.

        No function is called between the comparison and the mark, because Python may switch threads
        at a call.
        """
        mark = self._mark % ("L", number)
        if number and number != self._line and moves == self._moves:
            self._line = number
            self._append(mark)

    def mark_caller(self) -> None:
        """Mark the line of the block that called this, if the main thread did."""
        if get_ident() == self.main and (number := self._line_of(sys._getframe(1))):
            self.line(number)

    def before_child(self) -> None:
        """Mark the line and flush, so that earlier output comes before what a child writes."""
        self.mark_caller()
        self.flush()

    def before_fork(self) -> None:
        """Flush, and stop the other thread from writing: a fork would copy its locks as held."""
        self.before_child()
        self._ticking.acquire()

    def after_fork(self) -> None:
        """Let the other thread use the buffer again, in both processes."""
        self._ticking.release()

    def in_child(self) -> None:
        """Write no marks and flush every write from now on, in a fork of the user's code.

        No other thread flushes in a fork.
        """
        self._ticking.release()
        self._marking = False
        self._file = None
        self._append = self._text.write
        self._flushed_writes_left = sys.maxsize


class Input(io.RawIOBase):
    """The bytes of sys.stdin: when none are left, the person is asked for a line."""

    def __init__(self, channel: Channel, output: OutputStream, interrupts: Interrupts) -> None:
        self._channel: Channel | None = channel
        """The channel to the daemon; None in a fork of the user's code, without input."""
        self._output = output
        self._interrupts = interrupts
        self._one_at_a_time = RLock()
        """Held by the thread that asks the person for a line; others wait for their turn."""
        self._rest = b""
        """What is left of the last line."""
        self.prompt = ""
        """The text with which the next line is asked for."""
        self.password = False
        """True if the next line must not be shown."""
        self.stdin = InputStream(
            io.BufferedReader(self),  # type: ignore[type-var]
            "utf-8",
            "surrogateescape",
            newline="\n",
        )

    def install(self) -> None:
        """Make it sys.stdin, and replace the builtin `input`."""
        sys.stdin = sys.__stdin__ = self.stdin  # type: ignore[misc]
        builtins.input = self.input

    def in_child(self) -> None:
        """Ask nobody from now on, in a fork that the user's code has made."""
        self._channel = None

    def input(self, prompt: object = "", /) -> str:
        """Ask for a line; this is the builtin. A sys.stdin of the user's own is read as usual."""
        if sys.stdin is not self.stdin:
            return _print_prompt(prompt)
        return self._ask(str(prompt), password=False)

    def hide_passwords(self, getpass: ModuleType) -> None:
        """Replace `getpass.getpass`, after that module's import."""

        def ask(prompt: str = "Password: ", stream: object = None) -> str:
            """Ask for a line that must not be shown; this is `getpass.getpass`."""
            return self._ask(prompt, password=True)

        getpass.getpass = ask  # type: ignore[attr-defined]

    def _ask(self, prompt: str, *, password: bool) -> str:
        """Ask for a line and return it without its line break.

        Raises:
            EOFError: there is no more input.
        """
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
        """Do nothing: the next block still needs it."""

    def readinto(self, space: bytearray) -> int:  # type: ignore[override]
        """Fill the space with what is there of a line, and return how many bytes that are."""
        if not self._rest:
            self._rest = self._line()
        count = min(len(space), len(self._rest))
        space[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _line(self) -> bytes:
        """Ask the person for a line and return it with its line break; empty at end of file."""
        if self._channel is None:
            return b""
        with self._one_at_a_time:
            self._output.mark_caller()
            number = self._channel.request(input=self.prompt, password=self.password)
            self._output.mark("D", number)
            self._output.flush()
            return self._channel.wait_for_answer(number, self._interrupts) or b""


class InputStream(io.TextIOWrapper):
    """sys.stdin as text."""

    def close(self) -> None:
        """Do nothing: `exit()` closes it, and the next block still needs it."""
