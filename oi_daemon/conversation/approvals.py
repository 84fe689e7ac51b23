"""Questions to the person: whether a block may run, and whether a request may be sent."""

import asyncio
from dataclasses import dataclass
from itertools import count

from oi_daemon.conversation.collaborators import Answer, Decision


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A block that waits for its answer."""

    id: str
    _answer: asyncio.Future[Answer]

    async def answer(self) -> Answer:
        """Wait for the answer."""
        return await self._answer

    def give(self, answer: Answer) -> bool:
        """Give the answer. False if one was given before."""
        if self._answer.done():
            return False
        self._answer.set_result(answer)
        return True


@dataclass(frozen=True, slots=True)
class PendingQuestion:
    """A question that waits for a line of text, as code does that reads its input."""

    id: str
    _line: asyncio.Future[str | None]

    async def answer(self) -> bool:
        """Wait for the line. True if it means yes."""
        return (await self._line or "").strip().lower() in ("y", "yes")

    def give(self, line: str | None) -> bool:
        """Give the line that was asked for. Returns False if one was given before.

        Args:
            line: the person's words; None if there is nobody to ask.
        """
        if self._line.done():
            return False
        self._line.set_result(line)
        return True


class Approvals:
    """Asks the person about each block of a conversation, one at a time.

    A block runs only after an answer that names its id, and each answer counts once.
    """

    def __init__(self) -> None:
        self.auto_run = False
        """Blocks run without being asked about."""
        self.all_allowed = False
        """True after a person answered `always`, until the conversation takes that back."""
        self._ids = count(1)
        self._pending: PendingApproval | None = None
        self._question: PendingQuestion | None = None
        self._nobody_to_ask = False

    def open(self) -> PendingApproval | None:
        """A ticket for the next block; None if it may run without being asked about."""
        if self.auto_run:
            return None
        answer = asyncio.get_running_loop().create_future()
        self._pending = PendingApproval(f"approval-{next(self._ids)}", answer)
        if self._nobody_to_ask:
            self._pending.give(_GONE)
        return self._pending

    def ask(self) -> PendingQuestion:
        """A ticket for a question that is answered by `oi/input`."""
        line = asyncio.get_running_loop().create_future()
        self._question = PendingQuestion(f"question-{next(self._ids)}", line)
        if self._nobody_to_ask:
            self._question.give(None)
        return self._question

    def answer(self, approval: str, answer: Answer) -> bool:
        """Answer the block that waits. False if no block waits under that id."""
        pending = self._pending
        if pending is None or pending.id != approval or not pending.give(answer):
            return False
        if answer.decision is Decision.ALWAYS:
            self.auto_run = self.all_allowed = True
        return True

    def answer_question(self, question: str, line: str | None) -> bool:
        """Answer the question that waits. False if none waits under that id."""
        pending = self._question
        return pending is not None and pending.id == question and pending.give(line)

    def decline(self) -> None:
        """Decline what waits, and all that comes later, because there is nobody to ask."""
        self._nobody_to_ask = True
        if self._pending is not None:
            self._pending.give(_GONE)
        if self._question is not None:
            self._question.give(None)


_GONE = Answer(Decision.GONE)
