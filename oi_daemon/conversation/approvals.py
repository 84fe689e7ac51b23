"""What waits for a person: blocks that are to be approved."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from oi_daemon.conversation.turn import Answer, Decision


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A block that waits for its answer."""

    id: str
    _answer: asyncio.Future[Answer]

    async def answer(self) -> Answer:
        return await self._answer

    def give(self, answer: Answer) -> bool:
        """Give the answer; False if one has been given."""
        if self._answer.done():
            return False
        self._answer.set_result(answer)
        return True


class Approvals:
    """Asks the person about each block of a conversation, one at a time.

    Nothing but an answer that names the id of the block that waits lets it run, once.
    """

    def __init__(self, always: Callable[[], None]) -> None:
        """
        Args:
            always: called when the person allows all blocks from now on.
        """
        self.auto_run = False
        self._always = always
        self._ids = count(1)
        self._pending: PendingApproval | None = None
        self._declining = False

    def open(self) -> PendingApproval | None:
        """A ticket for the next block; None with `auto_run`."""
        if self.auto_run:
            return None
        answer = asyncio.get_running_loop().create_future()
        self._pending = PendingApproval(f"approval-{next(self._ids)}", answer)
        if self._declining:
            self._pending.give(_GONE)
        return self._pending

    def answer(self, approval: str, answer: Answer) -> bool:
        """Answer the block that waits; False if no block waits under that id."""
        pending = self._pending
        if pending is None or pending.id != approval or not pending.give(answer):
            return False
        if answer.decision is Decision.ALWAYS:
            self.auto_run = True
            self._always()
        return True

    def decline(self) -> None:
        """There is nobody to ask any more: what waits is declined, and all that comes."""
        self._declining = True
        if self._pending is not None:
            self._pending.give(_GONE)


_GONE = Answer(Decision.GONE)
