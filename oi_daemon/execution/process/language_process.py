"""A process of one language, which keeps its state between blocks.

What a block does becomes chunks in its backlog as soon as it is read, whether or not anybody takes
them. Output that is read while no block runs is dropped.
"""

import asyncio
import logging
import os
import stat
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Lookup, StartedProcess, Workplace
from oi_daemon.execution.process.ending import Ending, KeptVariables
from oi_daemon.execution.process.running_block import RunningBlock
from oi_daemon.execution.process.stream import ControlMessage, WorkerStream
from oi_daemon.execution.process.worker_spec import LookupBlock, WorkerSpec
from oi_daemon.messages import (
    ActiveLine,
    BlockError,
    BlockResult,
    Chunk,
    Display,
    EndOfExecution,
    Output,
)

logger = logging.getLogger(__name__)

_LOOKUP_WITHIN = 1.0
"""Seconds that a block has to answer a lookup."""
_KILLED_WITHIN = 10.0
"""Seconds that the system has to end a process that was killed."""


class LanguageProcess:
    """Implements `oi_daemon.execution.language.Process` and `stream.Listener`."""

    def __init__(self, spec: WorkerSpec, workplace: Workplace) -> None:
        self._spec = spec
        self._workplace = workplace
        self._stream: WorkerStream | None = None
        """The connection to the process; None while there is no process."""
        self._block: RunningBlock | None = None
        self._waiting: set[asyncio.Event] = set()
        """For each block that waits until it can be sent: an event that is set to stop it."""
        self._blocks = 0
        """How many blocks have been run: the number of the latest."""
        self._looking_up = asyncio.Lock()
        """Held while a lookup is answered by a block."""
        self._closing = False
        """Whether the process is ended by us, so that its end needs no message."""
        self._exited = asyncio.Event()
        """Set when the process has ended and no standby took over."""
        self._announcement = ""
        """What the next block's output begins with: how the process ended between two blocks."""

    async def start(self) -> None:
        """Start the process if there is none. See `Process.start`."""
        self._start_if_ended()

    def _start_if_ended(self) -> WorkerStream:
        """Return the connection to the process, after starting one if there is none."""
        if self._stream is None:
            self._stream = self._started()
            self._closing = False
            self._exited.clear()
        return self._stream

    def _started(self) -> WorkerStream:
        """Start the process, and return the stream of its output.

        Raises:
            NotInstalledError: it cannot be started; the message says what to change.
        """
        name, cwd = self._spec.name, self._workplace.cwd
        if why := _unusable(cwd):
            raise NotInstalledError(
                f"{name} does not start, because the folder {cwd!r} {why}. Create it, or name"
                " another folder by the setting cwd."
            )
        try:
            program = self._spec.program()
            environment = self._workplace.environ.for_code(
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

    def adopt(self, spare: "LanguageProcess") -> None:
        """Take the process of a spare, which has run no block and has no process afterwards."""
        if self._stream is None and spare._stream is not None:
            self._stream, spare._stream = spare._stream, None
            self._stream.set_listener(self)

    async def run(
        self, code: str, begun: Callable[[], object] | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Run one block. See `Process.run`."""
        result: BlockResult | None
        try:
            block = await self._begin_when_free()
        except NotInstalledError as error:
            yield Output(f"{error}\n")
            result = BlockResult.not_run(str(error))
        else:
            if block is None:
                yield Output("[Interrupted before it began.]\n")
                result = BlockResult("interrupted", 0.0)
            else:
                try:
                    shown = block.backlog  # `begun` may detach the block, which gets another one
                    await self._send(block, code)
                    if begun is not None:
                        begun()
                    async for chunk in shown:
                        yield chunk
                finally:
                    if not block.is_detached:
                        block.interrupt()
                result = None if block.is_detached else block.result
        yield ActiveLine(None)
        yield EndOfExecution(result)

    def detach(self, sentence: str) -> AsyncGenerator[Chunk, None] | None:
        """Let the block that runs go on in the background. See `Process.detach`."""
        block = self._block
        if block is None or block.is_detached:
            return None
        block.detach(sentence)
        return self._rest(block)

    async def _rest(self, block: RunningBlock) -> AsyncGenerator[Chunk, None]:
        """The chunks of a block in the background, until it ends."""
        try:
            async for chunk in block.backlog:
                yield chunk
        finally:
            block.interrupt()
        yield ActiveLine(None)
        yield EndOfExecution(block.result)

    def interrupt(self) -> None:
        """Stop the block that runs, and those that wait until they can be sent."""
        for stop in self._waiting:
            stop.set()
        if self._block is not None:
            self._block.interrupt()

    async def _begin_when_free(self) -> RunningBlock | None:
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
            return self._begin(self._start_if_ended())
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
        return self._block is not None and await self._block.answer(input, value)

    def started(self) -> list[StartedProcess]:
        """What the code has started. See `Process.started`."""
        stream = self._stream
        return [] if stream is None else stream.started(kernel=self._spec.has_kernel)

    async def look_up(self, lookup: Lookup) -> bytes | None:
        """Answer a lookup. See `Process.look_up`."""
        make, block = self._spec.lookup, self._spec.lookup_block
        if make is None and block is None:
            return None
        if self._stream is None:
            return b"{}"
        if make is None:
            assert block is not None
            async with self._looking_up:
                return await self._run_lookup_block(block, lookup)
        if self._block is not None and not self._spec.answers_while_running:
            return None
        await self._stream.settled()
        return await self._stream.look_up(lambda number: make(number, lookup))

    async def _run_lookup_block(self, hidden: LookupBlock, lookup: Lookup) -> bytes | None:
        """Answer a lookup by a block that nobody sees; None if another block runs."""
        if self._stream is None or self._is_busy:
            return None
        announcement, self._announcement = self._announcement, ""
        block = self._begin(self._stream)
        self._announcement = announcement  # for the next block that somebody sees
        try:
            async with asyncio.timeout(_LOOKUP_WITHIN):
                await self._send(block, hidden.code(lookup))
                written = [chunk.text async for chunk in block.backlog if isinstance(chunk, Output)]
        except TimeoutError:
            return None
        finally:
            block.interrupt()
        return hidden.answer(lookup, "".join(written))

    async def close(self) -> None:
        """End the process and everything that it started."""
        if self._stream is not None:
            self._closing = True
            self._stream.close()
            try:
                async with asyncio.timeout(self._stream.ends_within + _KILLED_WITHIN):
                    await self._exited.wait()
            except TimeoutError:
                logger.warning("%s does not end although it was killed.", self._spec.name)

    def _begin(self, stream: WorkerStream) -> RunningBlock:
        """Make the next block the one that runs."""
        self._blocks += 1
        self._block = RunningBlock(self._blocks, stream, self._spec, self._workplace)
        if self._announcement:
            self._block.backlog.add_sentence(self._announcement)
            self._announcement = ""
        return self._block

    async def _send(self, block: RunningBlock, code: str) -> None:
        """Send a block to the process, and begin to look at it from time to time."""
        if self._stream is not None:
            self._stream.renew_stdin()
            block.watch()
            await self._stream.send(self._spec.request(block.number, code))

    def on_output(self, data: bytes) -> None:
        """See `Listener`."""
        if self._block is not None:
            self._block.backlog.write(data)

    def on_line(self, number: int) -> None:
        """See `Listener`."""
        if self._block is not None:
            self._block.on_line(number)

    def on_message(self, message: ControlMessage) -> None:
        """See `Listener`. A request for input that belongs to no block gets end of file."""
        block = self._block
        if message.display is not None:
            if block is not None:
                block.backlog.add_display(Display(message.display))
        elif message.error is not None:
            if block is not None and block.error is None:
                block.error = BlockError.bounded(message.error)
        elif block is not None:
            block.ask(message)
        elif self._stream is not None:
            self._stream.refuse(message.number)

    def on_tool_request(self, number: int, request: dict[str, Any]) -> None:
        """See `Listener`. A request that belongs to no block gets end of file."""
        if self._block is not None:
            self._block.tools.handle(number, request)
        elif self._stream is not None:
            self._stream.refuse(number)

    def on_exit_status(self, status: int) -> None:
        """See `Listener`."""
        if self._block is not None:
            self._block.exit_status = status

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
        ending = Ending(self._spec.name, status, last_words, kept)
        if block is None:
            self._announcement = "" if self._closing else ending.between_blocks()
            return
        if not self._closing:
            line = ending.line(block.number) or block.backlog.active_line
            if line is not None:
                block.backlog.set_active_line(line)
            sentence = ending.in_block(line, *block.killed)
            block.backlog.add_sentence(sentence)
            block.error = block.error or ending.error(sentence)
            block.exit_status = ending.exit_status
        block.process_ended = True
        block.asked.clear()
        self._end(block)

    def _end(self, block: RunningBlock) -> None:
        """End the block that runs. The next one may begin."""
        self._block = None
        block.end()


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
