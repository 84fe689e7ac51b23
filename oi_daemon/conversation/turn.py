"""The turn: from a person's words to an answer, through as many rounds as it takes.

A round is one reply of the model and the run of its code blocks. Their output goes back to the
model in the next round. The turn knows no transport, no files and no terminal: it sees a `Model`,
an `Execution`, an `Approval` and a `Spending`, and reports what happens by `emit`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from enum import StrEnum
from functools import partial

from oi_daemon.conversation.collaborators import (
    Approval,
    Decision,
    Emit,
    Execution,
    Model,
    Reply,
    Spending,
)
from oi_daemon.messages import (
    AssistantMessage,
    Chunk,
    Declined,
    EndOfExecution,
    Executing,
    Fold,
    InputRequest,
    LanguageChunk,
    Message,
    MessageChunk,
    NoticeChunk,
    ThinkingChunk,
)
from oi_daemon.messages.failing import same_failures
from oi_daemon.messages.usage import Quote, Usage

_SOON = 0.02
"""Seconds for which the chunks of a person's own block are held back, because it may end soon."""
MOST_SAME_FAILURES = 3
"""How often a turn's block may fail in the same way; then the turn stops."""


class Status(StrEnum):
    """How a turn ended that did not fail."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    BUDGET = "budget"
    BACKGROUND = "background"
    """The person's own block goes on in the background."""


class Turn:
    """One turn of a conversation."""

    def __init__(
        self,
        *,
        history: Sequence[Message],
        model: Model,
        execution: Execution,
        approval: Approval,
        spending: Spending,
        emit: Emit,
        finished: Callable[[], Awaitable[None]],
        max_rounds: int,
    ) -> None:
        """
        Args:
            history: the conversation so far, the person's latest words included.
            finished: saves the messages. It is awaited when a message is complete, before the
                chunk that completes it is emitted, so that nobody learns of it before it is saved.
        """
        self._history = history
        self._model = model
        self._execution = execution
        self._approval = approval
        self._spending = spending
        self._send = emit
        self._finished = finished
        self._max_rounds = max_rounds
        self._fold = Fold()
        self._emitted = asyncio.Event()
        """Set while every chunk that is folded was also emitted."""
        self._emitted.set()
        self._task: asyncio.Task[object] | None = None
        """The task in which the turn runs; None before it begins and after it has ended."""
        self._awaits_answer = False
        """True while a block waits for its answer."""
        self._executing = False
        """True while a block runs."""
        self._saving = False
        """True while a message is saved before the chunk that completes it is emitted."""
        self.is_complete = False
        """True once no more messages can follow, although the turn has not ended yet."""
        self._interrupted = False
        """True once `interrupt` was called."""
        self._cancelled = False
        """True once `interrupt` has cancelled the task."""
        self._new_paragraph = False
        """True if the last message is text of an earlier reply: text that follows is separated."""

    @property
    def messages(self) -> list[Message]:
        """The messages that the turn has added so far. The last one may still grow."""
        return self._fold.messages

    async def folded(self) -> Fold:
        """Wait until all that is folded was emitted too, and return the fold.

        It is so until the caller waits for something else.
        """
        while not self._emitted.is_set():
            await self._emitted.wait()
        return self._fold

    async def answer(self) -> Status:
        """Run rounds until the model has answered.

        Raises:
            ModelError: the model cannot go on. `messages` holds what was said and run until then.
        """
        return await self._interruptible(self._rounds)

    async def compact(self) -> Status:
        """Let the model summarise the oldest part of the conversation.

        Raises:
            ModelError: the model cannot do that.
        """
        return await self._interruptible(self._compact)

    async def execute(self, language: str, code: str) -> Status:
        """Run one block that the person wrote. Nobody is asked, and no model is called."""
        return await self._interruptible(partial(self._run_own, Executing(code, language)))

    def interrupt(self) -> None:
        """Stop whatever is under way. The turn then ends as INTERRUPTED."""
        self._interrupted = True
        if self._executing:
            self._execution.interrupt()
        elif self._saving:
            pass  # `_emit` ends the turn, once the chunk that it has folded is out
        elif self._task is not None and not self._cancelled:
            self._cancelled = self._task.cancel()

    @property
    def interrupted(self) -> bool:
        """Whether the turn was interrupted, at whatever moment."""
        return self._interrupted

    async def _interruptible(self, work: Callable[[], Awaitable[Status]]) -> Status:
        if self._interrupted:
            return Status.INTERRUPTED
        self._task = asyncio.current_task()
        try:
            status = await work()
            if self._cancelled:  # during the last `emit`: the cancellation arrives here
                await asyncio.sleep(0)
            return status
        except (asyncio.CancelledError, _InterruptedWhileSaving) as error:
            if isinstance(error, asyncio.CancelledError) and not self._is_own_cancellation():
                raise
            if self._awaits_answer:
                await self._emit(Declined("stop"))
            return Status.INTERRUPTED
        finally:
            self._task = None
            self._fold.close()
            await self._finished()

    def _is_own_cancellation(self) -> bool:
        """Whether only `interrupt` has cancelled the task. If so, this takes the mark away."""
        return self._cancelled and self._task is not None and self._task.uncancel() == 0

    async def _rounds(self) -> Status:
        for _ in range(self._max_rounds):
            if not await self._may_send(None):
                return Status.BUDGET
            status = await self._round()
            if status is not None:
                return status
        await self._emit(MessageChunk(_TOO_MANY_ROUNDS.format(self._max_rounds)))
        return Status.STOPPED

    async def _compact(self) -> Status:
        """Follow the one reply that is a summary."""
        if not await self._may_send(None):
            return Status.BUDGET
        try:
            summary = self._model.compact(self._history, self._spending.left)
            async with aclosing(summary) as reply:
                status, _ = await self._follow(reply)
        finally:
            if usage := self._model.unfinished():
                self._spending.add(usage)
        return status or Status.DONE

    async def _may_send(self, quote: Quote | None) -> bool:
        """Whether the budget allows the next request. If not, a notice says why."""
        verdict = self._spending.verdict(quote)
        if verdict.notice is not None:
            await self._emit(NoticeChunk("limit", verdict.notice))
        if quote and verdict.question and await self._agrees(verdict.question):
            self._spending.accept(quote.model)
            return True
        if verdict.refusal is None:
            return True
        await self._emit(MessageChunk(verdict.refusal))
        return False

    async def _agrees(self, question: str) -> bool:
        ticket = self._approval.ask()
        await self._emit(InputRequest(question, password=False, input=ticket.id))
        return await ticket.answer()

    async def _round(self) -> Status | None:
        """Get one reply and run its blocks. Returns None if the model must be asked again."""
        try:
            messages = [*self._history, *self.messages]
            async with aclosing(self._model.reply(messages, self._spending.left)) as reply:
                status, ran = await self._follow(reply)
        finally:
            if usage := self._model.unfinished():
                self._spending.add(usage)
        if ran and status is None and await self._save():
            return Status.INTERRUPTED
        if ran and status is None and self._goes_in_circles():
            await self._emit(MessageChunk(_IN_CIRCLES))
            return Status.STOPPED
        ends_in_text = isinstance(self.messages[-1], AssistantMessage) if self.messages else False
        self._new_paragraph = ends_in_text
        return status or (None if ran else Status.DONE)

    def _goes_in_circles(self) -> bool:
        """Whether a block has failed so often in the same way that the model must be stopped."""
        return max(same_failures(self.messages), default=0) >= MOST_SAME_FAILURES

    async def _follow(self, reply: AsyncGenerator[Reply, None]) -> tuple[Status | None, bool]:
        """Emit and run what a reply holds.

        Returns how that ended the turn, or None if it did not, and whether the reply had code.
        """
        ran = False
        async for part in reply:
            status = None
            match part:
                case Usage():
                    self._spending.add(part)
                case Quote():
                    status = None if await self._may_send(part) else Status.BUDGET
                case Executing():
                    status = await self._block(part)
                    ran = True
                case _:
                    await self._emit(part)
            if status is not None:
                return status, ran
        return None, ran

    async def _block(self, block: Executing) -> Status | None:
        """Ask about a block, then run it. None to go on with the turn."""
        ticket = self._approval.open()
        if ticket is None:
            return await self._run(block)
        self._awaits_answer = True
        await self._emit(replace(block, approval=ticket.id))
        answer = await ticket.answer()
        self._awaits_answer = False
        match answer.decision:
            case Decision.RUN | Decision.ALWAYS:
                edited = answer.code is not None and answer.code != block.code
                if not edited:
                    return await self._run(block, announced=True)
                return await self._run(replace(block, code=answer.code or ""))
            case Decision.SKIP:
                await self._emit(Declined("skip"))
                return None
            case Decision.STOP:
                await self._emit(Declined("stop"))
                return Status.STOPPED
            case Decision.GONE:
                await self._emit(Declined("gone"))
                return Status.STOPPED

    async def _run_own(self, block: Executing) -> Status:
        """Run the person's own block. One that ends soon is saved once, with its output."""
        async with aclosing(self._execution.run(block.language, block.code)) as chunks:
            early, is_late = list[Chunk](), asyncio.Event()
            beginning = asyncio.create_task(self._begin_own(chunks, early, is_late))
            try:
                await asyncio.wait([beginning], timeout=_SOON)
                if early and isinstance(early[-1], EndOfExecution):
                    await self._emit_whole([block, *early])
                    async for chunk in chunks:  # a notice may follow
                        await self._emit(chunk)
                else:
                    is_late.set()
                    await self._emit(block)
                    for chunk in early:
                        await self._emit(chunk)
                    emitted = len(early)
                    await beginning
                    for chunk in early[emitted:]:
                        await self._emit(chunk)
                    async for chunk in chunks:
                        await self._emit(chunk)
            finally:
                beginning.cancel()
                await asyncio.gather(beginning, return_exceptions=True)
                self._executing = False
        return Status.INTERRUPTED if self._interrupted else Status.DONE

    async def _begin_own(
        self, chunks: AsyncGenerator[Chunk, None], early: list[Chunk], is_late: asyncio.Event
    ) -> None:
        """Run a block until it ends, asks for input, or gives one more chunk when it is late.

        Args:
            early: gets the chunks until then.
        """
        self._executing = True
        async for chunk in chunks:
            early.append(chunk)
            if isinstance(chunk, EndOfExecution | InputRequest) or is_late.is_set():
                return

    async def _emit_whole(self, chunks: Sequence[Chunk]) -> None:
        """Emit all chunks of a turn that runs the person's own block, after one save."""
        self._emitted.clear()
        try:
            for chunk in chunks:
                self._fold.add(chunk)
            self.is_complete = True
            await self._save()
            for chunk in chunks:
                await self._send(chunk)
        finally:
            self._emitted.set()

    async def _run(self, block: Executing, *, announced: bool = False) -> Status | None:
        """Run a block. Returns None if the turn continues.

        Args:
            announced: the block's `Executing` was emitted before.
        """
        if not announced:
            await self._emit(block)
        self._executing = True
        try:
            async with aclosing(self._execution.run(block.language, block.code)) as chunks:
                async for chunk in chunks:
                    await self._emit(chunk)
        finally:
            self._executing = False
        return Status.INTERRUPTED if self._interrupted else None

    async def _emit(self, chunk: Chunk) -> None:
        """Add a chunk to the turn's messages, and send it."""
        if self._new_paragraph and isinstance(chunk, MessageChunk):
            chunk = replace(chunk, text=f"\n\n{chunk.text}")
        if not isinstance(chunk, ThinkingChunk | NoticeChunk):
            self._new_paragraph = False
        interrupted = isinstance(chunk, LanguageChunk) and await self._save()
        self._fold.add(chunk)
        if isinstance(chunk, Executing | EndOfExecution | Declined):
            self._emitted.clear()
            try:
                interrupted = await self._save()
            finally:
                self._emitted.set()
        await self._send(chunk)
        if interrupted:
            raise _InterruptedWhileSaving

    async def _save(self) -> bool:
        """Save the messages. True if an interrupt came meanwhile, which the caller has to apply.

        It does not cancel the task here, because a chunk that is folded must also be emitted.
        """
        before = self._interrupted
        self._saving = not self._executing
        try:
            await self._finished()
        finally:
            self._saving = False
        return self._interrupted and not before and not self._executing


class _InterruptedWhileSaving(Exception):
    """An interrupt came while a message was saved. It ends the turn now."""


_IN_CIRCLES = (
    "Stopped: the model ran the same block three times, with the same error each time. Say in other"
    " words what you want, tell it what to do about the error, or choose another model."
)
_TOO_MANY_ROUNDS = (
    "Stopped after {} rounds without an answer. Say `continue` to go on,"
    " or raise the setting max_rounds."
)
