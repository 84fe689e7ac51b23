"""What a conversation does now: its state, and what waits for a person."""

from collections.abc import Awaitable, Callable
from typing import TypeGuard

from oi_daemon.conversation.approvals import Approvals
from oi_daemon.conversation.collaborators import Answer, Decision, Emit
from oi_daemon.conversation.states import state_after
from oi_daemon.messages import (
    ActiveLine,
    Chunk,
    ConversationState,
    EndOfExecution,
    EventChunk,
    Executing,
    InputRequest,
)

AnswerCode = Callable[[str, str | None], Awaitable[bool]]
"""Gives code the line that it waits for under an id. False if none waits under it."""


class Progress:
    """Follows the chunks of a conversation's turns, and passes on a person's answers."""

    def __init__(self, approvals: Approvals, answer_code: AnswerCode) -> None:
        self._approvals = approvals
        self._answer_code = answer_code
        self._state = ConversationState.IDLE
        self._waiting: Executing | InputRequest | None = None
        """What waits for a person; None if nothing does."""
        self.active_line: int | None = None
        """The line that is being run, counted from 1; None if none is, or it is not known."""
        self._nobody_to_ask = False
        """No more requests can come, so nobody can approve code or type input."""

    @property
    def state(self) -> ConversationState:
        """What the conversation is doing."""
        return self._state

    @property
    def waiting(self) -> Executing | InputRequest | None:
        """The block that waits for an approval, or the request for input; None if nothing waits."""
        return self._waiting

    def enter(self, state: ConversationState) -> None:
        """Set the state. This is the one place where it changes."""
        self._state = state

    def approve(self, approval: str, answer: Answer) -> bool:
        """Answer the block that waits. False if no block waits under this id."""
        if not self._approvals.answer(approval, answer):
            return False
        self._waiting = None
        runs = answer.decision in (Decision.RUN, Decision.ALWAYS)
        self.enter(ConversationState.RUNNING if runs else ConversationState.THINKING)
        return True

    async def input(self, input: str, value: str | None) -> bool:
        """Give the line that code, or a question, waits for. False if nothing waits for it.

        Args:
            value: the line without its end; None for the end of the input.
        """
        if self._approvals.answer_question(input, value):
            self._waiting = None
            self.enter(ConversationState.THINKING)
            return True
        accepted = await self._answer_code(input, value)
        if accepted and self._input == input:
            self._waiting = None
            self.enter(ConversationState.RUNNING)
        return accepted

    async def decline(self) -> None:
        """Decline what waits, and all that comes later, because there is nobody to ask."""
        self._nobody_to_ask = True
        self._approvals.decline()
        if self._input is not None:
            await self.input(self._input, None)

    def following(self, emit: Emit) -> Emit:
        """`emit` that also sets the state, and declines a request for input that nobody answers."""

        async def follow(chunk: Chunk) -> None:
            self.enter(state_after(chunk, self._state))
            if isinstance(chunk, ActiveLine):
                self.active_line = chunk.line
            elif isinstance(chunk, Executing | EndOfExecution):
                self.active_line = None
            if not isinstance(chunk, EventChunk):
                self._waiting = chunk if waits(chunk) else None
            await emit(chunk)
            if self._nobody_to_ask and self._input is not None:
                await self.input(self._input, None)

        return follow

    @property
    def _input(self) -> str | None:
        """Id of the input that code, or a question, waits for; None if nothing waits."""
        return self._waiting.input if isinstance(self._waiting, InputRequest) else None


def waits(chunk: Chunk) -> TypeGuard[Executing | InputRequest]:
    """Whether a person has to answer this chunk before the turn goes on."""
    if isinstance(chunk, Executing):
        return chunk.approval is not None
    return isinstance(chunk, InputRequest)
