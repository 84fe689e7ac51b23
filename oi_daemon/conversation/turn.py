"""The turn: from a person's words to an answer, through as many rounds as it takes.

A round is one reply of the model and the run of its code blocks; their output goes back to the
model in the next. The turn knows no transport, no files and no terminal: it sees a `Model`, an
`Execution` and an `Approval`, and tells what happens by `emit`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Protocol

from oi_daemon.messages import (
    AssistantMessage,
    Chunk,
    CodeChunk,
    Declined,
    EndOfExecution,
    Executing,
    Fold,
    LanguageChunk,
    Message,
    MessageChunk,
    NoticeChunk,
    ThinkingChunk,
)
from oi_daemon.messages.usage import Quote, Usage

Reply = (
    MessageChunk
    | LanguageChunk
    | CodeChunk
    | Executing
    | ThinkingChunk
    | NoticeChunk
    | Quote
    | Usage
)
"""What a model's reply consists of. `Executing` ends each complete block, with all of its code.

A `Quote` comes before the request is sent: closing the reply there costs nothing.
"""

Emit = Callable[[Chunk], Awaitable[None]]


class Model(Protocol):
    """Answers a conversation."""

    def reply(self, messages: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """One reply, as it is written. Closing the iterator drops the connection at once.

        Raises:
            ModelError: the model cannot go on.
        """
        ...

    def unfinished(self) -> Usage | None:
        """What the latest reply has used, about, if it was closed before its `Usage` came; once."""
        ...


class Execution(Protocol):
    """Runs code in interpreters that keep their state."""

    def run(self, language: str, code: str) -> AsyncGenerator[Chunk, None]:
        """One block's lines, output, displays and requests for input, then its end.

        Never raises for what the code does; the last two chunks are always `ActiveLine(None)` and
        `EndOfExecution()`.
        """
        ...

    def interrupt(self) -> None:
        """Stop the block that runs; its `run` then comes to its end. Nothing, if none runs."""
        ...


class Decision(StrEnum):
    """The answer to a block that waits."""

    RUN = "run"
    SKIP = "skip"
    STOP = "stop"
    ALWAYS = "always"
    GONE = "gone"
    """There is nobody to ask; no client can send this."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` replaces the model's, where the person edited it."""

    decision: Decision
    code: str | None = None


class Approval(Protocol):
    """Asks the person. No answer is a no: where nobody can be asked, the answer is GONE."""

    def open(self) -> "Ticket | None":
        """A ticket for one block, or None where nothing needs to be asked."""
        ...


class Ticket(Protocol):
    """One block that waits: its id, and the answer."""

    @property
    def id(self) -> str: ...

    def answer(self) -> Awaitable[Answer]: ...


class Status(StrEnum):
    """How a turn ended, where it did not fail."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    BUDGET = "budget"


class Spending(Protocol):
    """Counts what the turn costs."""

    def add(self, usage: Usage) -> None: ...

    def refusal(self, at_most: float = 0.0) -> str | None:
        """Why a request that costs this at most may not be sent, in words; None while it may."""
        ...


class Turn:
    """One turn of a conversation. `messages` is what it has added so far, growing as it runs."""

    def __init__(
        self,
        *,
        history: Sequence[Message],
        model: Model,
        execution: Execution,
        approval: Approval,
        spending: Spending,
        emit: Emit,
        finished: Callable[[], None],
        max_rounds: int,
    ) -> None:
        """
        Args:
            history: the conversation so far, the person's latest words included.
            finished: called whenever a message is complete, so that it is kept before anybody
                hears that it is.
        """
        self._history = history
        self._model = model
        self._execution = execution
        self._approval = approval
        self._spending = spending
        self._emit = emit
        self._finished = finished
        self._max_rounds = max_rounds
        self._fold = Fold()
        self._task: asyncio.Task[object] | None = None
        self._asking = False
        """A block waits for its answer."""
        self._executing = False
        self._interrupted = False
        self._cancelled = False
        self._apart = False
        """The last message is an earlier reply's text: text that follows is a new paragraph."""

    @property
    def messages(self) -> list[Message]:
        return self._fold.messages

    async def answer(self) -> Status:
        """Run rounds until the model has answered.

        Raises:
            ModelError: the model cannot go on. `messages` holds what was said and run until then.
        """
        return await self._guarded(self._rounds)

    async def execute(self, language: str, code: str) -> Status:
        """Run one block that the person wrote: nothing is asked, no model is called."""
        return await self._guarded(partial(self._run_alone, Executing(code, language)))

    def interrupt(self) -> None:
        """Stop at once, whatever is under way; the turn then ends as INTERRUPTED."""
        self._interrupted = True
        if self._executing:
            self._execution.interrupt()
        elif self._task is not None and not self._cancelled:
            self._cancelled = self._task.cancel()

    async def _guarded(self, work: Callable[[], Awaitable[Status]]) -> Status:
        if self._interrupted:
            return Status.INTERRUPTED
        self._task = asyncio.current_task()
        try:
            status = await work()
            if self._cancelled:  # by `emit` itself, with the last chunk: it arrives here
                await asyncio.sleep(0)
            return status
        except asyncio.CancelledError:
            if not self._was_interrupt():
                raise
            if self._asking:
                await self._tell(Declined("stop"))
            return Status.INTERRUPTED
        finally:
            self._task = None
            self._fold.close()
            self._finished()

    def _was_interrupt(self) -> bool:
        """Whether nobody but `interrupt` has cancelled the task; it is then cancelled no more."""
        return self._cancelled and self._task is not None and self._task.uncancel() == 0

    async def _rounds(self) -> Status:
        for _ in range(self._max_rounds):
            status = await self._refused(0.0) or await self._round()
            if status is not None:
                return status
        await self._tell(MessageChunk(_TOO_MANY_ROUNDS.format(self._max_rounds)))
        return Status.STOPPED

    async def _refused(self, at_most: float) -> Status | None:
        """BUDGET, and the person told why, where a request of this cost may not be sent."""
        refusal = self._spending.refusal(at_most)
        if refusal is None:
            return None
        await self._tell(MessageChunk(refusal))
        return Status.BUDGET

    async def _round(self) -> Status | None:
        """One reply and its blocks. None: code ran, so the model is to be asked again."""
        try:
            async with aclosing(self._model.reply([*self._history, *self.messages])) as reply:
                status, ran = await self._follow(reply)
        finally:
            if usage := self._model.unfinished():
                self._spending.add(usage)
        self._finished()
        self._apart = any(isinstance(last, AssistantMessage) for last in self.messages[-1:])
        return status or (None if ran else Status.DONE)

    async def _follow(self, reply: AsyncGenerator[Reply, None]) -> tuple[Status | None, bool]:
        """Tell, and run, what a reply holds: how that ended the turn, if it did; if code ran."""
        ran = False
        async for part in reply:
            status = None
            match part:
                case Usage():
                    self._spending.add(part)
                case Quote(cost):
                    status = await self._refused(cost)
                case Executing():
                    status = await self._block(part)
                    ran = True
                case _:
                    await self._tell(part)
            if status is not None:
                return status, ran
        return None, ran

    async def _block(self, block: Executing) -> Status | None:
        """Ask, then run. None: go on."""
        ticket = self._approval.open()
        if ticket is None:
            return await self._run(block)
        self._asking = True
        await self._tell(replace(block, approval=ticket.id))
        answer = await ticket.answer()
        self._asking = False
        match answer.decision:
            case Decision.RUN | Decision.ALWAYS:
                edited = answer.code is not None and answer.code != block.code
                if not edited:
                    return await self._run(block, announced=True)
                return await self._run(replace(block, code=answer.code or ""))
            case Decision.SKIP:
                await self._tell(Declined("skip"))
                return None
            case Decision.STOP:
                await self._tell(Declined("stop"))
                return Status.STOPPED
            case Decision.GONE:
                await self._tell(Declined("gone"))
                return Status.STOPPED

    async def _run_alone(self, block: Executing) -> Status:
        return await self._run(block) or Status.DONE

    async def _run(self, block: Executing, *, announced: bool = False) -> Status | None:
        if not announced:
            await self._tell(block)
        self._executing = True
        try:
            async with aclosing(self._execution.run(block.language, block.code)) as chunks:
                async for chunk in chunks:
                    await self._tell(chunk)
        finally:
            self._executing = False
        return Status.INTERRUPTED if self._interrupted else None

    async def _tell(self, chunk: Chunk) -> None:
        if self._apart and isinstance(chunk, MessageChunk):
            chunk = MessageChunk(f"\n\n{chunk.text}")
        if not isinstance(chunk, ThinkingChunk | NoticeChunk):
            self._apart = False
        if isinstance(chunk, LanguageChunk):
            self._finished()
        self._fold.add(chunk)
        if isinstance(chunk, Executing | EndOfExecution | Declined):
            self._finished()
        await self._emit(chunk)


_TOO_MANY_ROUNDS = (
    "Stopped after {} rounds without an answer. Say `continue` to go on,"
    " or raise the setting max_rounds."
)
