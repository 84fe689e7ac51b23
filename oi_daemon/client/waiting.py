"""What a turn waits for, as its client sees it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oi_daemon.client.remote import RemoteConversation
    from oi_daemon.messages.shapes import ApprovalDecision


class WaitingTurn:
    """A turn that may wait for a person: for a yes, or for a line of input."""

    def __init__(self, remote: "RemoteConversation") -> None:
        self.remote = remote
        self._approval: str | None = None
        """The id of the block that waits to be approved; None if none waits."""
        self._input: str | None = None
        """The id of the request for input that waits for a line; None if none waits."""

    @property
    def awaits_approval(self) -> bool:
        """Whether the latest chunk is a block that waits to be approved."""
        return self._approval is not None

    def approve(self, decision: "ApprovalDecision", code: str | None = None) -> None:
        """Answer the block that waits, if one does; `code` runs in place of the model's.

        Nothing happens if another client was first.
        """
        waiting, self._approval = self._approval, None
        if waiting is not None:
            self.remote.approve(waiting, decision, code)

    def answer_input(self, value: str | None) -> None:
        """Give the running code the line that it waits for, if it does; None is end of file."""
        waiting, self._input = self._input, None
        if waiting is not None:
            self.remote.input(waiting, value)
