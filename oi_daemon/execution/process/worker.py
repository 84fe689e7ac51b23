"""A worker: one process of a language, which keeps its state between blocks.

What a block does becomes chunks in its backlog as soon as it is read, whether or not anybody takes
them. Output that is read while no block runs is dropped.
"""

import asyncio
import logging
import os
import secrets
import signal
import stat
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from oi_daemon import keys
from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.limits import process_name
from oi_daemon.execution.process.backlog import Backlog
from oi_daemon.execution.process.ending import Ending, KeptVariables
from oi_daemon.execution.process.launch import Program
from oi_daemon.execution.process.patience import Patience
from oi_daemon.execution.process.stream import Notice, WorkerStream
from oi_daemon.messages import ActiveLine, Chunk, Display, EndOfExecution, InputRequest, Output

logger = logging.getLogger(__name__)

_KILLED_WITHIN = 10.0
"""Seconds that the system has to end a process that was killed."""
_LOOK_EVERY = 0.1
"""Seconds between two looks at a block that runs: its input, its time, its memory."""
_UNSTOPPABLE = "did not stop when it was interrupted, and was killed"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How to start the program of a language, and how to talk to it."""

    name: str
    """The language's name in messages, as in "Python was killed"."""
    program: Callable[[], Program]
    """Makes the description of the program to start. Raises NotInstalledError if there is none."""
    request: Callable[[int, str], bytes]
    """Makes what is sent to run a block, from the block's number and code."""
    interruption: bytes = b""
    """What is sent to interrupt a block, besides SIGINT to the process and its children."""
    again: float = 0.3
    """Seconds between two interrupts of the same block."""
    grace: float = 2.0
    """Seconds in which an interrupted block could run and did not stop; then it is killed with its
    process."""


@dataclass(kw_only=True)
class _RunningBlock:
    """A block that was sent to the process and has not ended."""

    number: int
    backlog: Backlog
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it has ended."""
    begun: bool = False
    """Whether the process has begun to run it. An earlier interrupt would be lost."""
    patience: Patience | None = None
    """Counts the time in which it has to stop, once it was interrupted."""
    killed: tuple[str, str] = ("", "")
    """How and why we have killed the process, in words; empty if we have not."""
    exit: int | None = None
    """Its exit status, if the language has one and the block has reached its end."""
    started: float = field(default_factory=time.monotonic)
    """Time at which it was begun."""
    seconds: float = 0.0
    """Seconds for which it has run, without the time in which it waited for input."""
    looked: float = field(default_factory=time.monotonic)
    """Time at which `seconds` was last updated."""
    asked: dict[str, int | None] = field(default_factory=dict)
    """Requests for input that wait, by the id under which they are answered. The value is the
    number of the worker's notice, or None if a child reads the standard input."""


class Worker:
    """Implements `oi_daemon.execution.language.Process` and `stream.Listener`."""

    def __init__(self, dialect: Dialect, workplace: Workplace) -> None:
        self._dialect = dialect
        self._workplace = workplace
        self._stream: WorkerStream | None = None
        """The connection to the process; None while there is no process."""
        self._block: _RunningBlock | None = None
        self._waiting: set[asyncio.Event] = set()
        """For each block that waits until it can be sent: an event that is set to stop it."""
        self._blocks = 0
        """How many blocks have been run: the number of the latest."""
        self._closing = False
        """Whether the process is ended by us, so that its end needs no message."""
        self._exited = asyncio.Event()
        """Set when the process has ended and no standby took over."""
        self._announcement = ""
        """What the next block's output begins with: how the process ended between two blocks."""

    async def start(self) -> None:
        """Start the process if there is none. See `Process.start`."""
        self._start_if_ended()

    def _start_if_ended(self) -> None:
        """Start the process if there is none, without waiting for anything."""
        if self._stream is None:
            self._stream = self._started()
            self._closing = False
            self._exited.clear()

    def _started(self) -> WorkerStream:
        """Start the process, and return the stream of its output.

        Raises:
            NotInstalledError: it cannot be started; the message says what to change.
        """
        name, cwd = self._dialect.name, self._workplace.cwd
        if why := _unusable(cwd):
            raise NotInstalledError(
                f"{name} does not start, because the folder {cwd!r} {why}. Create it, or name"
                " another folder by the setting cwd."
            )
        try:
            program = self._dialect.program()
            environment = keys.for_code(
                program.environment, self._workplace.withheld, self._workplace.passed
            )
            program = replace(program, environment=environment, sandbox=self._workplace.sandbox)
            return WorkerStream(program, self)
        except OSError as error:
            raise NotInstalledError(f"{name} does not start: {error}") from error

    @property
    def is_started(self) -> bool:
        """Whether there is a process."""
        return self._stream is not None

    def adopt(self, spare: "Worker") -> None:
        """Take the process of another worker, which has run no block and has none afterwards."""
        if self._stream is None and spare._stream is not None:
            self._stream, spare._stream = spare._stream, None
            self._stream.set_listener(self)

    async def run(self, code: str) -> AsyncGenerator[Chunk, None]:
        """Run one block. See `Process.run`."""
        end = EndOfExecution()
        try:
            block = await self._begin_when_free()
        except NotInstalledError as error:
            yield Output(f"{error}\n")
        else:
            if block is None:
                yield Output("[Interrupted before it began.]\n")
            else:
                try:
                    await self._send(block, code)
                    async for chunk in block.backlog:
                        yield chunk
                finally:
                    self._interrupt(block)
                end = EndOfExecution(block.exit, time.monotonic() - block.started)
        yield ActiveLine(None)
        yield end

    def interrupt(self) -> None:
        """Stop the block that runs, and those that wait until they can be sent."""
        for stop in self._waiting:
            stop.set()
        if self._block is not None:
            self._interrupt(self._block)

    async def _begin_when_free(self) -> _RunningBlock | None:
        """Wait until no block runs and no standby takes over, then begin a block and return it.

        Returns:
            None if an interrupt arrived before the block could begin.

        Raises:
            NotInstalledError: the process cannot be started.
        """
        stop = asyncio.Event()
        self._waiting.add(stop)
        try:
            while self._is_busy and not stop.is_set():
                await _first_of(self._until_free(), stop.wait())
            if stop.is_set():
                return None
            self._start_if_ended()
            return self._begin()
        finally:
            self._waiting.discard(stop)

    @property
    def _is_busy(self) -> bool:
        """Whether a block runs, or a standby takes over."""
        return self._block is not None or (self._stream is not None and not self._stream.is_settled)

    async def _until_free(self) -> None:
        """Wait for the block that runs, or for the standby that takes over.

        Check `_is_busy` again afterwards: another block may have begun meanwhile.
        """
        if self._block is not None:
            await self._block.ended.wait()
        elif self._stream is not None:
            await self._stream.settled()

    async def answer(self, input: str, value: str | None) -> bool:
        """Give the code a line that it waits for. See `Process.answer`."""
        if self._block is None or self._stream is None or input not in self._block.asked:
            return False
        number = self._block.asked.pop(input)
        line = b"" if value is None else f"{value}\n".encode("utf-8", "replace")
        if number is None:
            self._stream.write_stdin(line)
        else:
            await self._stream.answer(number, line)
        return True

    async def close(self) -> None:
        """End the process and everything that it started."""
        if self._stream is not None:
            self._closing = True
            self._stream.close()
            try:
                async with asyncio.timeout(_KILLED_WITHIN):
                    await self._exited.wait()
            except TimeoutError:
                logger.warning("%s does not end although it was killed.", self._dialect.name)

    def _begin(self) -> _RunningBlock:
        """Make the next block the one that runs."""
        self._blocks += 1
        place = self._workplace
        self._block = _RunningBlock(
            number=self._blocks, backlog=Backlog(head=place.shown_head, tail=place.shown_tail)
        )
        if self._announcement:
            self._block.backlog.add_sentence(self._announcement)
            self._announcement = ""
        return self._block

    async def _send(self, block: _RunningBlock, code: str) -> None:
        """Send a block to the process, and begin to look at it from time to time."""
        if self._stream is not None:
            self._stream.renew_stdin()
            self._look(block)
            await self._stream.send(self._dialect.request(block.number, code))

    def _look(self, block: _RunningBlock) -> None:
        """Look at a block's input, time and memory, now and regularly until it ends."""
        if block is not self._block or self._stream is None:
            return
        self._look_for_readers(block, self._stream)
        self._look_at_time(block)
        self._look_at_memory(block, self._stream)
        self._look_at_patience(block, self._stream)
        asyncio.get_running_loop().call_later(_LOOK_EVERY, self._look, block)

    def _look_for_readers(self, block: _RunningBlock, stream: WorkerStream) -> None:
        """Ask for a line if a child waits for one on its standard input."""
        if None not in block.asked.values() and stream.waits_for_stdin():
            self._ask(block, None, "", password=False)

    def _look_at_time(self, block: _RunningBlock) -> None:
        """Count the time for which a block has run, and interrupt it at its limit."""
        allowed = self._workplace.limits.seconds
        now = time.monotonic()
        if not block.asked:
            block.seconds += now - block.looked
        block.looked = now
        if allowed is not None and block.seconds >= allowed and not block.patience:
            block.backlog.add_sentence(
                f"Stopped after {allowed:g} s: that is all that `max_seconds` allows a block."
            )
            self._interrupt(block)

    def _look_at_memory(self, block: _RunningBlock, stream: WorkerStream) -> None:
        """Over the memory limit, kill the largest process. If it is a child, the state is kept."""
        allowed = self._workplace.limits.memory
        if allowed is None or (memory := stream.memory_use()).total <= allowed:
            return
        why = f"{memory.total:,} MB of memory were taken, and `max_memory` allows {allowed:,}"
        if memory.largest == stream.pid:
            block.killed = ("was killed", why)
            stream.kill()
        else:
            block.backlog.add_sentence(f"{process_name(memory.largest)} was killed: {why}.")
            os.kill(memory.largest, signal.SIGKILL)

    def _ask(
        self, block: _RunningBlock, number: int | None, prompt: str, *, password: bool
    ) -> None:
        """Add a request for input to the block's chunks.

        Args:
            number: of the worker's notice; None if a child reads the standard input.
        """
        request = InputRequest(prompt, password, secrets.token_hex(8))
        block.asked[request.input] = number
        block.backlog.add(request)

    def _interrupt(self, block: _RunningBlock) -> None:
        """Interrupt a block as soon as it has begun, repeatedly until it ends.

        If it has not stopped after the grace, `_look_at_patience` kills it.
        """
        if block.ended.is_set() or block.patience:
            return
        block.patience = Patience(self._dialect.grace, _LOOK_EVERY)
        if block.begun:
            self._signal(block)

    def _signal(self, block: _RunningBlock) -> None:
        """Interrupt a block, now and regularly until it ends."""
        if block is self._block and self._stream is not None:
            self._stream.interrupt(self._dialect.interruption)
            asyncio.get_running_loop().call_later(self._dialect.again, self._signal, block)

    def _look_at_patience(self, block: _RunningBlock, stream: WorkerStream) -> None:
        """Kill the process of a block that had enough time to stop after its interrupt."""
        if block.patience and block.patience.is_over(stream.processes()):
            block.killed = block.killed if any(block.killed) else (_UNSTOPPABLE, "")
            stream.kill()

    def on_output(self, data: bytes) -> None:
        """See `Listener`."""
        if self._block is not None:
            self._block.backlog.write(data)

    def on_line(self, number: int) -> None:
        """See `Listener`."""
        block = self._block
        if block is None:
            return
        if number:
            block.backlog.set_active_line(number)
        if not block.begun:
            block.begun = True
            if block.patience:
                self._signal(block)

    def on_notice(self, notice: Notice) -> None:
        """See `Listener`. A request for input that belongs to no block gets end of file."""
        block = self._block
        if notice.display is not None:
            if block is not None:
                block.backlog.add_display(Display(notice.display))
        elif block is not None:
            number = None if notice.stdin else notice.number
            self._ask(block, number, notice.input or "", password=notice.password)
        elif self._stream is not None:
            self._stream.refuse(notice.number)

    def on_exit_status(self, status: int) -> None:
        """See `Listener`."""
        if self._block is not None:
            self._block.exit = status

    def on_block_end(self, block: int) -> None:
        """See `Listener`."""
        if self._block is not None and self._block.number == block:
            self._end(self._block)

    def on_exit(self, status: int, last_words: str, kept: KeptVariables) -> None:
        """See `Listener`. The block that runs ends, and its output says how the process ended."""
        if kept is KeptVariables.NOTHING:
            self._stream = None
            self._exited.set()
        block = self._block
        ending = Ending(self._dialect.name, status, last_words, kept)
        if block is None:
            self._announcement = "" if self._closing else ending.between_blocks()
            return
        if not self._closing:
            line = ending.line(block.number) or block.backlog.active_line
            if line is not None:
                block.backlog.set_active_line(line)
            block.backlog.add_sentence(ending.in_block(line, *block.killed))
        block.asked.clear()
        self._end(block)

    def _refuse(self, block: _RunningBlock) -> None:
        """Give end of file to what still waits for input: a thread or a process in background."""
        if self._stream is None:
            return
        for number in block.asked.values():
            if number is None:
                self._stream.write_stdin(b"")
            else:
                self._stream.refuse(number)

    def _end(self, block: _RunningBlock) -> None:
        """End a block: its consumer gets the rest of its chunks."""
        self._block = None
        self._refuse(block)
        block.backlog.close()
        block.ended.set()


async def _first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until the first of these has ended, and cancel the others."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _unusable(folder: str) -> str:
    """Why code cannot run in a folder, as in "does not exist"; empty if it can."""
    try:
        if not stat.S_ISDIR(Path(folder).stat().st_mode):
            return "is not a folder"
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError) as error:  # ValueError: the name holds a character that none can
        return f"cannot be used ({getattr(error, 'strerror', None) or error})"
    return "" if os.access(folder, os.X_OK) else "cannot be entered by you"
