"""What a conversation does now: its state, and what waits for a person."""

from collections.abc import Awaitable, Callable

from oi_daemon.conversation.approvals import Approvals
from oi_daemon.conversation.collaborators import Answer, Decision, Emit
from oi_daemon.conversation.states import state_after
from oi_daemon.messages import Chunk, ConversationState, InputRequest

AnswerCode = Callable[[str, str | None], Awaitable[bool]]
"""Gives code the line that it waits for under an id. False if none waits under it."""


class Progress:
    """Follows the chunks of a conversation's turns, and passes on a person's answers."""

    def __init__(self, approvals: Approvals, answer_code: AnswerCode) -> None:
        self._approvals = approvals
        self._answer_code = answer_code
        self._state = ConversationState.IDLE
        self._input: str | None = None
        """Id of the input that code, or a question, waits for; None if nothing waits."""
        self._nobody_to_ask = False
        """No more requests can come, so nobody can approve code or type input."""

    @property
    def state(self) -> ConversationState:
        """What the conversation is doing."""
        return self._state

    def enter(self, state: ConversationState) -> None:
        """Set the state. This is the one place where it changes."""
        self._state = state

    def approve(self, approval: str, answer: Answer) -> bool:
        """Answer the block that waits. False if no block waits under this id."""
        if not self._approvals.answer(approval, answer):
            return False
        runs = answer.decision in (Decision.RUN, Decision.ALWAYS)
        self.enter(ConversationState.RUNNING if runs else ConversationState.THINKING)
        return True

    async def input(self, input: str, value: str | None) -> bool:
        """Give the line that code, or a question, waits for. False if nothing waits for it.

        Args:
            value: the line without its end; None for the end of the input.
        """
        if self._approvals.answer_question(input, value):
            self._input = None
            self.enter(ConversationState.THINKING)
            return True
        accepted = await self._answer_code(input, value)
        if accepted and self._input == input:
            self._input = None
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
            self._input = chunk.input if isinstance(chunk, InputRequest) else None
            await emit(chunk)
            if self._nobody_to_ask and self._input is not None:
                await self.input(self._input, None)

        return follow
