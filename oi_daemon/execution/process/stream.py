"""Reads what a worker's process says, and tells it in its true order."""

import asyncio
import os
import secrets
import socket
from typing import Any, Protocol

import msgspec

from oi_daemon.execution.process.ending import KeptVariables
from oi_daemon.execution.process.launch import Child, Program
from oi_daemon.execution.process.marks import Kind, Mark, Marks

_READ = 1 << 18
"""Bytes at a time: little enough for others to have their turn, whatever is in them."""
_CLOSED = 0.1
"""Seconds that a process has to end after it closed control."""
_READS_AFTER_EXIT = 100
"""A process that outlives its parent may go on writing; what the parent wrote fits into these."""
_LAST_WORDS = 8192


class Notice(msgspec.Struct):
    """What comes over control.

    A display, or a request for input; both have a mark in the output. Or what the worker's
    processes say of themselves, see `process.standby`: `number` is then the block at whose end
    the `standby` was forked, or the status with which one has `ended`.
    """

    number: int
    display: dict[str, Any] | None = None
    input: str | None = None
    password: bool = False
    stdin: bool = False
    """The line is read from descriptor 0."""
    standby: int | None = None
    resumed: int | None = None
    ended: int | None = None


class Listener(Protocol):
    """Who is told."""

    def text(self, data: bytes) -> None: ...

    def line(self, number: int) -> None: ...

    def notice(self, notice: Notice) -> None: ...

    def end(self, block: int) -> None: ...

    def gone(self, status: int, last_words: str, kept: KeptVariables) -> None:
        """The process has ended, and all has been told that it said."""
        ...


class Link:
    def __init__(self, program: Program, listener: Listener) -> None:
        """
        Raises:
            OSError: the program cannot be started.
        """
        self._nonce = secrets.token_hex(8)
        self._listener = listener
        self._marks = Marks(self._nonce)
        self._control = bytearray()
        self._notices: dict[int, Notice] = {}
        self._last_words = b""
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()
        self._handing_over: asyncio.Task[None] | None = None
        self.child = Child(program, self._nonce, self._exited)
        self._loop.add_reader(self.child.output, self._read_output)
        self._loop.add_reader(self.child.control.fileno(), self._read_control)

    async def send(self, request: bytes) -> None:
        """Send a block. A process that is gone takes none; its end is told by itself."""
        try:
            async with self._sending:
                await self._loop.sock_sendall(self.child.control, request)
        except OSError:
            pass

    def interrupt(self, message: bytes) -> None:
        """This message, and a signal to the process and its children."""
        try:
            self.child.control.send(message)
        except OSError:  # gone, or so busy that the signal must do
            pass
        self.child.runner.interrupt()

    async def settled(self) -> None:
        """If the process has ended: wait until it is clear what comes after it."""
        if self._handing_over is not None:
            await asyncio.wait([self._handing_over])

    async def answer(self, number: int, line: bytes) -> None:
        try:
            await self._loop.sock_sendall(
                self.child.answers, b"%d %s\n" % (number, line.hex().encode())
            )
        except OSError:
            pass

    def refuse(self, number: int) -> None:
        """Answer a request that nobody will see with end of file."""
        try:
            self.child.answers.send(b"%d \n" % number)
        except OSError:
            pass

    def _read_output(self) -> bool:
        """Tell what there is; False if there is nothing."""
        try:
            data = os.read(self.child.output, _READ)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self.child.output)
            return False
        for part in self._marks.feed(data):
            if isinstance(part, Mark):
                self._tell(part)
            else:
                self._listener.text(part)
        return True

    def _tell(self, mark: Mark) -> None:
        match mark.kind:
            case Kind.LINE:
                self._listener.line(mark.number)
            case Kind.END:
                self.child.runner.finished(mark.number)
                self._listener.end(mark.number)
            case Kind.NOTICE:
                # Sent before the mark, so it has arrived, even if it has not been read.
                while mark.number not in self._notices and self._read_control():
                    pass
                notice = self._notices.pop(mark.number, None)
                if notice is not None:
                    self._listener.notice(notice)

    def _read_control(self) -> bool:
        try:
            data = self.child.control.recv(_READ)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            data = b""
        if not data:
            self._loop.remove_reader(self.child.control.fileno())
            self._loop.call_later(_CLOSED, self.child.runner.kill)
            return False
        self._control += data
        if b"\n" in data:
            *lines, rest = self._control.split(b"\n")
            self._control = bytearray(rest)
            for line in lines:
                self._take(bytes(line))
        return True

    def _take(self, line: bytes) -> None:
        """A notice, or the words of the fault handler, which is given the same descriptor."""
        try:
            notice = msgspec.json.decode(line, type=Notice)
        except msgspec.DecodeError:
            self._last_words = (self._last_words + line + b"\n")[-_LAST_WORDS:]
        else:
            self._heed(notice)

    def _heed(self, notice: Notice) -> None:
        runner = self.child.runner
        if notice.standby is not None:
            runner.copied(notice.standby, notice.number)
        elif notice.ended is not None:
            runner.ended(notice.ended, notice.number)
        elif notice.resumed is not None:
            runner.succeeded(notice.resumed)
        else:
            self._notices[notice.number] = notice

    def _exited(self) -> None:
        for _ in range(_READS_AFTER_EXIT):
            if not self._read_output():
                break
        while self._read_control():
            pass
        self._handing_over = self._loop.create_task(self._hand_over())

    async def _hand_over(self) -> None:
        """After the process has ended: let its copy go on, or end all."""
        runner = self.child.runner
        status = await runner.status()
        kept = KeptVariables.SOME if runner.outdated else KeptVariables.ALL
        if await runner.succeed():
            await self.send(f"\x1e{self._nonce}{runner.pid}\n".encode())
        else:
            kept = KeptVariables.NOTHING
            self._loop.remove_reader(self.child.output)
            self._loop.remove_reader(self.child.control.fileno())
            self.child.control.shutdown(socket.SHUT_RDWR)  # what is being sent ends
            async with self._sending:
                self.child.end()
        self._listener.text(self._marks.flush())
        words, self._last_words = self._last_words, b""
        self._listener.gone(status, words.decode("utf-8", "replace"), kept)
