"""A turn as its client sees it."""

from collections.abc import Iterable, Mapping
from typing import Any

from oi_daemon.messages import dump, fold
from oi_daemon.protocol.chunks import from_wire


class Exchange:
    """A turn under way: what was asked, what has been heard, and what waits for an answer."""

    def __init__(self, number: int, asked: list[dict[str, Any]]) -> None:
        """
        Args:
            number: the request's, on the connection.
            asked: the messages that it adds at once.
        """
        self.number = number
        self._asked = asked
        self._heard: list[dict[str, Any]] = []
        self.approval: str | None = None
        """The id of the block that waits for a yes."""
        self.input: str | None = None
        """The id of the request for a line that waits for it."""

    def hear(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Note what a notification tells; gives its chunk."""
        self.approval, self.input = told.get("approval"), told.get("input")
        chunk: dict[str, Any] = told["chunk"]
        self._heard.append(chunk)
        return chunk

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The stored messages that it amounts to so far."""
        return [*self._asked, *folded([*self._heard])]


def folded(chunks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The stored messages that these chunks amount to."""
    return [dump(message) for message in fold(map(from_wire, chunks))]
