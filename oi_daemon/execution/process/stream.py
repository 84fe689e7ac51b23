"""Reads what a worker's process sends, and reports it in the order in which it happened."""

import asyncio
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from oi_daemon.execution.language import StartedProcess
from oi_daemon.execution.process.ending import KeptVariables
from oi_daemon.execution.process.launch import LaunchedProcess, Program
from oi_daemon.execution.process.marks import Kind, Mark, Marks
from oi_daemon.execution.process.proc import MemoryUse, children, memory_use

_ANSWER_WITHIN = 1.0
"""Seconds that a process has to answer a lookup."""
_READ = 1 << 18
"""Most bytes of output that are read at a time, so that other tasks get their turn in between."""
_EXIT_WITHIN = 0.1
"""Seconds that a process has to end after it closed the control socket; then it is killed."""
_READS_AFTER_EXIT = 100
"""Most reads of the output after the process has ended. What it wrote fits into these; a child that
outlives it may write for ever."""
_LAST_WORDS = 8192
"""Most bytes that are kept of a crash report, such as the one of Python's `faulthandler`."""


class ControlMessage(msgspec.Struct):
    """A line that comes over the control socket.

    It holds a display, a request for input or the block's error, whose place is a mark in the
    output. Or it holds what the worker's processes report about themselves, see `process.standby`.
    """

    number: int
    """The number in the message's mark. For `standby`: the block at whose end it was forked. For
    `ended`: the status as `os.wait` gives it."""
    display: dict[str, Any] | None = None
    """The MIME bundle to display."""
    error: dict[str, Any] | None = None
    """The error that ends the block: its `name`, `message` and `traceback`."""
    input: str | None = None
    """The prompt of a request for input."""
    password: bool = False
    """Whether the input must not be shown."""
    stdin: bool = False
    """Whether the line is to be written to the standard input instead of `answers`."""
    characters: int = 0
    """How many characters of the line are written to the standard input; 0: the whole line."""
    standby: int | None = None
    """Id of the worker's standby; 0 if it has none any more."""
    resumed: int | None = None
    """Id of the process that takes over."""
    ended: int | None = None
    """Id of the process that has ended, reported by its parent."""
    tool: dict[str, Any] | None = None
    """A request about tools, or the cancellation of one; see `python_worker/tools.py`."""
    answer: msgspec.Raw = msgspec.Raw()
    """The answer to the lookup of this number, as JSON; empty in other messages."""


class Listener(Protocol):
    """Gets what a worker's process does."""

    def on_output(self, data: bytes) -> None:
        """The process or its children have written this."""
        ...

    def on_line(self, number: int) -> None:
        """This line of the block is active; 0: the block has begun, at an unknown line."""
        ...

    def on_message(self, message: ControlMessage) -> None:
        """The block displays something, asks for input, or has raised the error that ends it."""
        ...

    def on_tool_request(self, number: int, request: dict[str, Any]) -> None:
        """The block calls a tool, or does not wait for one any more. This has no mark."""
        ...

    def on_exit_status(self, status: int) -> None:
        """The block that ends next has this exit status."""
        ...

    def on_block_end(self, block: int) -> None:
        """The block of this number has ended."""
        ...

    def on_exit(self, status: int, last_words: str, kept: KeptVariables) -> None:
        """The process has ended, and everything that it sent was reported.

        Args:
            status: its exit status; negative is the signal that killed it.
            last_words: the crash report of its fault handler; often empty.
            kept: what the process that took over has of the variables.
        """
        ...


class WorkerStream:
    """The connection to a worker's process. It starts the process and reports all it sends."""

    def __init__(self, program: Program, listener: Listener) -> None:
        """
        Raises:
            NotInstalledError: the folder or the sandbox cannot be had.
            OSError: the program cannot be started.
        """
        self._nonce = secrets.token_hex(8)
        self._listener = listener
        self._marks = Marks(self._nonce)
        self._control = bytearray()
        """Bytes of the control socket that do not make a whole line yet."""
        self._messages: dict[int, ControlMessage] = {}
        """Messages whose mark has not been read yet, by their number."""
        self._last_words = b""
        """Other lines of the control socket: the output of a fault handler."""
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()
        self._answering: asyncio.Task[None] | None = None
        """The task that writes `_answers`; None while there are none."""
        self._answers: deque[bytes] = deque()
        """Lines for the socket `answers` that are not written yet."""
        self._lookups: dict[int, asyncio.Future[bytes]] = {}
        """Lookups that wait for their answers, by their numbers."""
        self._last_lookup = 0
        """Number of the latest lookup."""
        self._handing_over: asyncio.Task[None] | None = None
        """The task that handles the latest exit of the process."""
        self.ends_within = program.ends_within
        """Seconds that the process has to end by itself before it is killed."""
        self._is_ending = False
        """Whether it has been told to end by itself."""
        self._process = LaunchedProcess(program, self._nonce, self._exited)
        self._loop.add_reader(self._process.output, self._read_output)
        self._loop.add_reader(self._process.control.fileno(), self._read_control)

    def set_listener(self, listener: Listener) -> None:
        """Report to this listener from now on."""
        self._listener = listener

    @property
    def pid(self) -> int:
        """Id of the active process."""
        return self._process.active.pid

    @property
    def has_current_standby(self) -> bool:
        """Whether a crash now would lose no variables of the blocks that have ended."""
        return self._process.active.standby_is_current

    async def send(self, request: bytes) -> None:
        """Send a block. If the process has ended, nothing happens; its end is reported anyway."""
        try:
            async with self._sending:
                await self._loop.sock_sendall(self._process.control, request)
        except OSError:
            pass

    async def look_up(self, request: Callable[[int], bytes]) -> bytes | None:
        """Send a lookup and wait for its answer; None if it does not come in time.

        Args:
            request: makes what is sent, from the number of the lookup.
        """
        self._last_lookup += 1
        number = self._last_lookup
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._lookups[number] = answer
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                if self._process.lookups is None:
                    await self.send(request(number))
                else:
                    self._process.lookups.send(request(number))
                return await answer
        except (OSError, TimeoutError):  # it has ended, or is too busy
            return None
        finally:
            del self._lookups[number]

    def interrupt(self, message: bytes) -> None:
        """Send this message to the process, and SIGINT to it and its children."""
        try:
            self._process.control.send(message)
        except OSError:  # it has ended, or is too busy to read: the signal is enough
            pass
        self._process.active.interrupt()

    def kill(self) -> None:
        """Kill the process and what it started. A standby takes over.

        Does nothing while one takes over: the block's process is dead, although it may not have
        been said yet that the block has ended.
        """
        if self.is_settled:
            self._end(self._process.active.kill)

    def close(self) -> None:
        """Kill the process, what it started, and its standby."""
        self._end(self._process.active.close)

    def _end(self, kill: Callable[[], None]) -> None:
        """Kill the process in this way, after the time that it has to end by itself.

        It learns of that by the end of `control`.
        """
        if not self.ends_within:
            return kill()
        if self._is_ending:
            return None
        self._is_ending = True
        try:
            self._process.control.shutdown(socket.SHUT_WR)
        except OSError:  # it has ended
            pass
        self._loop.call_later(self.ends_within, kill)

    def memory_use(self) -> MemoryUse:
        """Memory of the process and of what it started, without the standby."""
        return memory_use(self.processes())

    def processes(self) -> list[int]:
        """Ids of the process and of what it started, without the standby."""
        return self._process.active.processes()

    def started(self, *, kernel: bool) -> list[StartedProcess]:
        """What the code has started and what runs now. See `started_processes`.

        Args:
            kernel: whether the process's own children run the code, and are left out too.
        """
        return self._process.active.started(children(self.pid) if kernel else ())

    @property
    def is_settled(self) -> bool:
        """Whether the process runs, as far as we know: no standby is about to take over."""
        return self._handing_over is None or self._handing_over.done()

    async def settled(self) -> None:
        """If the process has ended: wait until a standby took over, or until all is closed."""
        if self._handing_over is not None:
            await asyncio.wait([self._handing_over])

    def answer(self, number: int, line: bytes) -> None:
        """Send the line that answers the request of this number; empty is end of file."""
        self._answers.append(b"%d %s\n" % (number, line.hex().encode()))
        if self._answering is None:
            self._answering = self._loop.create_task(self._write_answers())

    def refuse(self, number: int) -> None:
        """Answer the request of this number with end of file."""
        self.answer(number, b"")

    async def _write_answers(self) -> None:
        """Write the answers one after the other, each whole; drop them after its end."""
        try:
            while self._answers:
                await self._loop.sock_sendall(self._process.answers, self._answers.popleft())
        except OSError:
            self._answers.clear()
        finally:
            self._answering = None

    def write_stdin(self, line: bytes) -> None:
        """Write a line to the standard input; empty is end of file."""
        self._process.stdin.write(line)

    def renew_stdin(self) -> None:
        """Empty the standard input for the next block, and undo its end of file."""
        self._process.stdin.renew()

    def waits_for_stdin(self) -> bool:
        """Whether the process or a descendant waits to read the standard input."""
        return self._process.stdin.has_waiting_reader(self.pid)

    def _read_output(self) -> bool:
        """Read and report some output; False if there is none."""
        try:
            data = os.read(self._process.output, _READ)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._process.output)
            return False
        for part in self._marks.feed(data):
            if isinstance(part, Mark):
                self._report(part)
            else:
                self._listener.on_output(part)
        return True

    def _report(self, mark: Mark) -> None:
        """Report what a mark stands for."""
        match mark.kind:
            case Kind.LINE:
                self._listener.on_line(mark.number)
            case Kind.EXIT:
                self._listener.on_exit_status(mark.number)
            case Kind.END:
                self._process.active.on_block_end(mark.number)
                self._listener.on_block_end(mark.number)
            case Kind.MESSAGE:
                # It was sent before the mark, so it has arrived, even if it has not been read.
                while mark.number not in self._messages and self._read_control():
                    pass
                message = self._messages.pop(mark.number, None)
                if message is not None:
                    self._listener.on_message(message)

    def _read_control(self) -> bool:
        """Read and handle some lines of the control socket; False if there are none."""
        try:
            data = self._process.control.recv(_READ)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            data = b""
        if not data:
            self._loop.remove_reader(self._process.control.fileno())
            self._loop.call_later(_EXIT_WITHIN, self._process.active.kill)
            return False
        self._control += data
        if b"\n" in data:
            *lines, rest = self._control.split(b"\n")
            self._control = bytearray(rest)
            for line in lines:
                self._handle(bytes(line))
        return True

    def _handle(self, line: bytes) -> None:
        """Handle a line of the control socket: a message, or output of a fault handler."""
        try:
            message = msgspec.json.decode(line, type=ControlMessage)
        except msgspec.DecodeError:
            self._last_words = (self._last_words + line + b"\n")[-_LAST_WORDS:]
            return
        active = self._process.active
        if message.standby is not None:
            active.on_standby(message.standby, message.number)
        elif message.ended is not None:
            active.on_status(message.ended, message.number)
        elif message.resumed is not None:
            active.on_resumed(message.resumed)
        elif message.tool is not None:
            self._listener.on_tool_request(message.number, message.tool)
        elif answer := bytes(message.answer):
            self._on_answer(message.number, answer)
        else:
            self._messages[message.number] = message

    def _on_answer(self, number: int, answer: bytes) -> None:
        """The answer to a lookup has come, perhaps too late."""
        waiting = self._lookups.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _exited(self) -> None:
        """The active process has ended: read what it has sent, then see what follows."""
        for _ in range(_READS_AFTER_EXIT):
            if not self._read_output():
                break
        while self._read_control():
            pass
        self._handing_over = self._loop.create_task(self._hand_over())

    async def _hand_over(self) -> None:
        """Let the standby take over, or close everything, and report the exit."""
        active = self._process.active
        status = await active.status()
        kept = KeptVariables.SOME if active.standby_is_outdated else KeptVariables.ALL
        if await active.fail_over():
            await self.send(f"\x1e{self._nonce}{active.pid}\n".encode())
        else:
            kept = KeptVariables.NOTHING
            self._loop.remove_reader(self._process.output)
            self._loop.remove_reader(self._process.control.fileno())
            self._process.control.shutdown(socket.SHUT_RDWR)  # so that a pending `send` returns
            async with self._sending:
                if self._answering is not None:
                    self._answering.cancel()
                self._process.end()
        self._listener.on_output(self._marks.flush())
        words, self._last_words = self._last_words, b""
        self._listener.on_exit(status, words.decode("utf-8", "replace"), kept)
