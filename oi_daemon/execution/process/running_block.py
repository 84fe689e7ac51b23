"""A block that a language process runs: its limits, its interrupt, and the input it asks for."""

import asyncio
import os
import secrets
import signal
import time

from oi_daemon.execution.language import Workplace
from oi_daemon.execution.process.backlog import Backlog
from oi_daemon.execution.process.patience import Patience
from oi_daemon.execution.process.proc import process_name
from oi_daemon.execution.process.stream import ControlMessage, WorkerStream
from oi_daemon.execution.process.tool_requests import ToolRequests
from oi_daemon.execution.process.worker_spec import WorkerSpec
from oi_daemon.messages import BlockError, BlockResult, InputRequest, ResultStatus

_LOOK_EVERY = 0.1
"""Seconds between two looks at a block that runs: its input, its time, its memory."""
_UNSTOPPABLE = "did not stop when it was interrupted, and was killed"


class RunningBlock:
    """A block that a process runs, until `end` is called."""

    def __init__(
        self, number: int, stream: WorkerStream, spec: WorkerSpec, workplace: Workplace
    ) -> None:
        self.number = number
        self.backlog = Backlog(head=workplace.shown_head, tail=workplace.shown_tail)
        self.ended = asyncio.Event()
        """Set when the block has ended."""
        self.killed: tuple[str, str] = ("", "")
        """How and why we have killed the process, in words; empty if we have not."""
        self.exit_status: int | None = None
        """The block's exit status, if its language has one and the block has reached its end; or
        that of its process, if that has ended."""
        self.error: BlockError | None = None
        """The error that ended the block; None if there was none, or if nothing tells of it."""
        self.is_detached = False
        """Whether the block goes on in the background, where nobody gives it input."""
        self.process_ended = False
        """Whether the process has ended while the block ran."""
        self._started = time.monotonic()
        """Time at which the block was begun."""
        self._stopped = self._started
        """Time at which the block has ended, once it has."""
        self.asked: dict[str, ControlMessage] = {}
        """Requests for input that wait, by the id under which they are answered."""
        self.tools = ToolRequests(stream, workplace.tools)
        self._stream = stream
        self._spec = spec
        self._workplace = workplace
        self._limits = workplace.limits
        self._begun = False
        """Whether the process has begun to run the block. An earlier interrupt would be lost."""
        self._patience: Patience | None = None
        """Counts the time in which the block has to stop, once it was interrupted."""
        self._seconds = 0.0
        """Seconds for which the block has run, without the time in which it waited for input."""
        self._looked = self._started
        """Time at which `_seconds` was last updated."""

    @property
    def result(self) -> BlockResult:
        """How the block has ended."""
        seconds = self._stopped - self._started
        return BlockResult(self._status, seconds, self.exit_status, self.error)

    @property
    def _status(self) -> ResultStatus:
        """How the block has ended, in one word."""
        if self.process_ended:
            return "killed"
        if self._patience:
            return "interrupted"
        return "error" if self.error or self.exit_status else "ok"

    def watch(self) -> None:
        """Look at the block's input, time and memory regularly until it ends.

        The first look is not at once, because it takes longer than a short block.
        """
        asyncio.get_running_loop().call_later(_LOOK_EVERY, self._look)

    def _look(self) -> None:
        """Look at the block's input, time and memory, and again later."""
        if self.ended.is_set():
            return
        self._look_for_readers()
        self._look_at_time()
        self._look_at_memory()
        self._look_at_patience()
        self.watch()

    def on_line(self, number: int) -> None:
        """Take note of the active line; 0: the block has begun, at an unknown line."""
        if number:
            self.backlog.set_active_line(number)
        if not self._begun:
            self._begun = True
            if self._patience:
                self._signal()

    def ask(self, message: ControlMessage) -> None:
        """Add a request for input to the block's chunks. In the background, there is no input."""
        if self.is_detached:
            return self._refuse(message)
        request = InputRequest(message.input or "", message.password, secrets.token_hex(8))
        self.asked[request.input] = message
        self.backlog.add(request)

    async def answer(self, input: str, value: str | None) -> bool:
        """Give the code a line that it waits for. See `Process.answer`."""
        if input not in self.asked:
            return False
        message = self.asked.pop(input)
        line = "" if value is None else f"{value}\n"
        if message.characters and len(line) > message.characters:
            line = line[: message.characters]
        if message.stdin:
            self._stream.write_stdin(line.encode("utf-8", "replace"))
        else:
            self._stream.answer(message.number, line.encode("utf-8", "replace"))
        return True

    def detach(self, sentence: str) -> None:
        """End the chunks of the block here, with this sentence; those to come get a new backlog."""
        self.is_detached = True
        self._refuse_input()
        self.backlog.add_sentence(sentence)
        self.backlog.close()
        self.backlog = Backlog(head=self._workplace.shown_head, tail=self._workplace.shown_tail)

    def interrupt(self) -> None:
        """Interrupt the block as soon as it has begun, repeatedly until it ends.

        If it has not stopped after the grace, `_look_at_patience` kills it.
        """
        if self.ended.is_set() or self._patience:
            return
        self._patience = Patience(self._spec.grace, _LOOK_EVERY)
        if self._begun:
            self._signal()

    def end(self) -> None:
        """End the block: its consumer gets the rest of its chunks.

        What still waits for input gets end of file: a thread, or a process in the background.
        """
        self._refuse_input()
        self.tools.end()
        self._stopped = time.monotonic()
        self.backlog.close()
        self.ended.set()

    def _refuse_input(self) -> None:
        """Give end of file to all that waits for input."""
        for message in self.asked.values():
            self._refuse(message)
        self.asked.clear()

    def _refuse(self, message: ControlMessage) -> None:
        """Answer a request for input with end of file."""
        if message.stdin:
            self._stream.write_stdin(b"")
        else:
            self._stream.refuse(message.number)

    def _signal(self) -> None:
        """Interrupt the block, now and regularly until it ends."""
        if not self.ended.is_set():
            self._stream.interrupt(self._spec.interruption)
            asyncio.get_running_loop().call_later(self._spec.again, self._signal)

    def _look_for_readers(self) -> None:
        """Ask the person for a line if a program that the code started waits for one on stdin."""
        asked = any(message.stdin for message in self.asked.values())
        if not asked and self._stream.waits_for_stdin():
            self.ask(ControlMessage(number=0, stdin=True))

    def _look_at_time(self) -> None:
        """Count the time for which the block has run, and interrupt it at its limit."""
        allowed = self._limits.seconds
        now = time.monotonic()
        if not self.asked:
            self._seconds += now - self._looked
        self._looked = now
        if allowed is not None and self._seconds >= allowed and not self._patience:
            self.backlog.add_sentence(
                f"Stopped after {allowed:g} s: that is all that `max_seconds` allows a block."
            )
            self.interrupt()

    def _look_at_memory(self) -> None:
        """Over the memory limit, kill the largest process. If it is a child, the state is kept."""
        allowed = self._limits.memory
        if allowed is None or (memory := self._stream.memory_use()).total <= allowed:
            return
        why = f"{memory.total:,} MB of memory were taken, and `max_memory` allows {allowed:,}"
        if memory.largest == self._stream.pid:
            self.killed = ("was killed", why)
            self._stream.kill()
        else:
            self.backlog.add_sentence(f"{process_name(memory.largest)} was killed: {why}.")
            os.kill(memory.largest, signal.SIGKILL)

    def _look_at_patience(self) -> None:
        """Kill the process of a block that had enough time to stop after its interrupt."""
        if self._patience and self._patience.is_over(self._stream.processes()):
            self.killed = self.killed if any(self.killed) else (_UNSTOPPABLE, "")
            self._stream.kill()
