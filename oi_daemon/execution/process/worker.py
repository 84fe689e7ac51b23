"""A worker: one interpreter process that keeps its state between blocks.

What happens in a block becomes chunks in its backlog as the bytes arrive, whether they are taken or
not. Output that arrives while no block runs is nobody's, and dropped.
"""

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.limits import name, taken
from oi_daemon.execution.process.backlog import Backlog
from oi_daemon.execution.process.ending import Ending, KeptVariables
from oi_daemon.execution.process.launch import Child, Program
from oi_daemon.execution.process.standby import Runner
from oi_daemon.execution.process.stream import Link, Notice
from oi_daemon.messages import ActiveLine, Chunk, Display, EndOfExecution, InputRequest, Output

logger = logging.getLogger(__name__)

_KILLED = 10.0
"""Seconds that the system has to end a process that is killed."""
_LOOK = 0.1
"""Seconds between two looks whether a child waits for input."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What a language brings along."""

    name: str
    """As in "Python was killed"."""
    program: Callable[[], Program]
    """Raises NotInstalledError where it is not on this machine."""
    request: Callable[[int, str], bytes]
    """What is sent to run a block, from its number and code."""
    interruption: bytes = b""
    """What is sent to interrupt one, besides a signal to the process and its children."""
    again: float = 0.3
    """Seconds between two interrupts of one block."""
    grace: float = 2.0
    """Seconds after which an interrupted block is ended with its process."""


@dataclass(kw_only=True)
class _RunningBlock:
    """A block under way."""

    number: int
    backlog: Backlog
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    begun: bool = False
    interrupted: bool = False
    killed: tuple[str, str] = ("", "")
    """How and why the process has ended, where it was us."""
    seconds: float = 0.0
    """For which it has run, not counting those in which a person was asked."""
    looked: float = field(default_factory=time.monotonic)
    asked: dict[str, int | None] = field(default_factory=dict)
    """Requests for input that wait: the worker's number, or None for a reader of descriptor 0."""


class Worker:
    """Implements `oi_daemon.execution.language.Process` and `link.Listener`."""

    def __init__(self, dialect: Dialect, workplace: Workplace) -> None:
        self._dialect = dialect
        self._workplace = workplace
        self._link: Link | None = None
        self._block: _RunningBlock | None = None
        self._blocks = 0
        self._closing = False
        self._gone = asyncio.Event()
        self._news = ""

    async def start(self) -> None:
        if self._link is not None:
            await self._link.settled()
        if self._link is None:
            try:
                program = replace(self._dialect.program(), sandbox=self._workplace.sandbox)
                self._link = Link(program, self)
            except (OSError, ValueError) as error:  # a folder's name may be no name at all
                raise NotInstalledError(f"{self._dialect.name} does not start: {error}") from error
            self._closing = False
            self._gone.clear()

    async def run(self, code: str) -> AsyncGenerator[Chunk, None]:
        while self._block is not None:
            await self._block.ended.wait()
        try:
            await self.start()
        except NotInstalledError as error:
            yield Output(f"{error}\n")
        else:
            block = self._begin()
            try:
                await self._send(block, code)
                async for chunk in block.backlog:
                    yield chunk
            finally:
                self._interrupt(block)
        yield ActiveLine(None)
        yield EndOfExecution()

    def interrupt(self) -> None:
        if self._block is not None:
            self._interrupt(self._block)

    async def answer(self, input: str, value: str | None) -> bool:
        if self._block is None or self._link is None or input not in self._block.asked:
            return False
        number = self._block.asked.pop(input)
        line = b"" if value is None else f"{value}\n".encode("utf-8", "replace")
        if number is None:
            self._link.child.stdin.write(line)
        else:
            await self._link.answer(number, line)
        return True

    async def close(self) -> None:
        if self._link is not None:
            self._closing = True
            self._link.child.runner.close()
            try:
                async with asyncio.timeout(_KILLED):
                    await self._gone.wait()
            except TimeoutError:
                logger.warning("%s does not end although it was killed.", self._dialect.name)

    def _begin(self) -> _RunningBlock:
        self._blocks += 1
        place = self._workplace
        self._block = _RunningBlock(
            number=self._blocks, backlog=Backlog(head=place.shown_head, tail=place.shown_tail)
        )
        if self._news:
            self._block.backlog.tell(self._news)
            self._news = ""
        return self._block

    async def _send(self, block: _RunningBlock, code: str) -> None:
        if self._link is not None:
            self._link.child.stdin.renew()
            self._look(block)
            await self._link.send(self._dialect.request(block.number, code))

    def _look(self, block: _RunningBlock) -> None:
        """From time to time while it runs."""
        if block is not self._block or self._link is None:
            return
        self._look_for_readers(block, self._link.child)
        self._look_at_time(block)
        self._look_at_memory(block, self._link.child.runner)
        asyncio.get_running_loop().call_later(_LOOK, self._look, block)

    def _look_for_readers(self, block: _RunningBlock, child: Child) -> None:
        """Ask on behalf of a child that waits for a line on its standard input."""
        if None not in block.asked.values() and child.stdin.waiting(child.runner.pid):
            self._ask(block, None, "", password=False)

    def _look_at_time(self, block: _RunningBlock) -> None:
        allowed = self._workplace.limits.seconds
        now = time.monotonic()
        if not block.asked:
            block.seconds += now - block.looked
        block.looked = now
        if allowed is not None and block.seconds >= allowed and not block.interrupted:
            block.backlog.tell(
                f"Stopped after {allowed:g} s: that is all that `max_seconds` allows a block."
            )
            self._interrupt(block)

    def _look_at_memory(self, block: _RunningBlock, runner: Runner) -> None:
        """Over the limit, end the largest process: perhaps a child, and the state is kept."""
        allowed = self._workplace.limits.memory
        if allowed is None or (memory := taken(runner.processes())).total <= allowed:
            return
        why = f"{memory.total:,} MB of memory were taken, and `max_memory` allows {allowed:,}"
        if memory.largest == runner.pid:
            block.killed = ("was killed", why)
            runner.kill()
        else:
            block.backlog.tell(f"{name(memory.largest)} was killed: {why}.")
            os.kill(memory.largest, signal.SIGKILL)

    def _ask(
        self, block: _RunningBlock, number: int | None, prompt: str, *, password: bool
    ) -> None:
        request = InputRequest(prompt, password, secrets.token_hex(8))
        block.asked[request.input] = number
        block.backlog.put(request)

    def _interrupt(self, block: _RunningBlock) -> None:
        """The ladder: SIGINT once the block has begun, again while it runs, SIGKILL in the end."""
        if block.ended.is_set() or block.interrupted:
            return
        block.interrupted = True
        if block.begun:
            self._signal(block)
        asyncio.get_running_loop().call_later(self._dialect.grace, self._give_up, block)

    def _signal(self, block: _RunningBlock) -> None:
        if block is self._block and self._link is not None:
            self._link.interrupt(self._dialect.interruption)
            asyncio.get_running_loop().call_later(self._dialect.again, self._signal, block)

    def _give_up(self, block: _RunningBlock) -> None:
        if block is self._block and self._link is not None:
            block.killed = ("did not stop when it was interrupted, and was killed", "")
            self._link.child.runner.kill()

    def text(self, data: bytes) -> None:
        if self._block is not None:
            self._block.backlog.write(data)

    def line(self, number: int) -> None:
        block = self._block
        if block is None:
            return
        if number:
            block.backlog.line(number)
        if not block.begun:
            block.begun = True
            if block.interrupted:
                self._signal(block)

    def notice(self, notice: Notice) -> None:
        block = self._block
        if notice.display is not None:
            if block is not None:
                block.backlog.display(Display(notice.display))
        elif block is not None:
            number = None if notice.stdin else notice.number
            self._ask(block, number, notice.input or "", password=notice.password)
        elif self._link is not None:
            self._link.refuse(notice.number)

    def end(self, block: int) -> None:
        if self._block is not None and self._block.number == block:
            self._end(self._block)

    def gone(self, status: int, last_words: str, kept: KeptVariables) -> None:
        if kept is KeptVariables.NOTHING:
            self._link = None
            self._gone.set()
        block = self._block
        ending = Ending(self._dialect.name, status, last_words, kept)
        if block is None:
            self._news = "" if self._closing else ending.between_blocks()
            return
        if not self._closing:
            line = ending.line(block.number) or block.backlog.active
            if line is not None:
                block.backlog.line(line)
            block.backlog.tell(ending.in_block(line, *block.killed))
        block.asked.clear()
        self._end(block)

    def _refuse(self, block: _RunningBlock) -> None:
        """What still waits for input, a thread or a process in the background, finds its end."""
        if self._link is None:
            return
        for number in block.asked.values():
            if number is None:
                self._link.child.stdin.write(b"")
            else:
                self._link.refuse(number)

    def _end(self, block: _RunningBlock) -> None:
        self._block = None
        self._refuse(block)
        block.backlog.close()
        block.ended.set()
