"""What both transports have in common."""

from collections.abc import Callable
from typing import Protocol

MAX_MESSAGE = 16 << 20
"""Bytes of the largest message that is accepted of a server."""


class ServerGoneError(Exception):
    """The server has ended, or cannot be reached. The text says how, as the end of a sentence."""


class MessageReceiver(Protocol):
    """What a transport does with what arrives."""

    def on_message(self, data: bytes) -> None:
        """A message has arrived."""
        ...

    def on_oversized(self) -> None:
        """A message of more than `MAX_MESSAGE` bytes was dropped."""
        ...

    def on_end(self, reason: str) -> None:
        """Nothing more will arrive. The reason is the end of a sentence, as in "it ended"."""
        ...


class Transport(Protocol):
    """Carries messages to a server and back. Each is one JSON object."""

    def send(self, message: bytes, failed: Callable[[str], None]) -> None:
        """Send a message.

        Args:
            failed: called with the reason if it did not arrive, or no answer will come.
        """
        ...

    def on_initialized(self, version: str) -> None:
        """The server has agreed to this version of the protocol."""
        ...

    async def close(self) -> None:
        """End the server, if it was started here, and the connection."""
        ...
