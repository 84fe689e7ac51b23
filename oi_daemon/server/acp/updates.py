"""Sends a session's updates, at most one every 40 ms, because each repeats a whole tool call."""

import asyncio
from typing import Any, Protocol

from oi_daemon.server.acp.block_call import BlockCall
from oi_daemon.server.acp.types import (
    ModelThoughts,
    ModelWords,
    SessionUpdate,
    TextBlock,
    ToolCallChanged,
    UpdateParams,
)

INTERVAL = 0.04
"""Seconds between two updates while something changes all the time."""
_PER_SECOND = 2_000_000
"""About how many characters a second are sent at most, so a large tool call is repeated less."""


class Notifier(Protocol):
    """Where the updates go: see `oi_daemon.server.peer.Peer`."""

    def notify(self, method: str, params: Any) -> None: ...


class Updates:
    """Collects text and changes of one session, and sends them in their order."""

    def __init__(self, peer: Notifier, session: str) -> None:
        self._peer = peer
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._words: type[ModelWords | ModelThoughts] = ModelWords
        """What the collected text is."""
        self._text: list[str] = []
        self._changed: BlockCall | None = None
        """A block with changes that were not sent. Then there is no collected text."""
        self._sent: ToolCallChanged | None = None
        """The last update of a block, which is not repeated."""
        self._next = 0.0
        """The loop's time from which on the next update may be sent."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> int:
        """Number of characters of text that were not sent."""
        return sum(map(len, self._text))

    def send(self, update: SessionUpdate) -> None:
        """Send an update now, after all that was collected."""
        self.flush()
        self._send(update)

    def say(self, text: str) -> None:
        """Add to the model's answer."""
        self._add(ModelWords, text)

    def think(self, text: str) -> None:
        """Add to the model's thinking."""
        self._add(ModelThoughts, text)

    def change(self, call: BlockCall, *, now: bool = False) -> None:
        """Send what has changed of a block.

        Args:
            now: it must not wait.
        """
        if self._text or self._changed is not call:
            self.flush()
        self._changed = call
        if now:
            self.flush()
        else:
            self._schedule()

    def flush(self) -> None:
        """Send what was collected."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._text:
            text, self._text = "".join(self._text), []
            self._send(self._words(content=TextBlock(text=text)))
            self._pause(len(text))
        if self._changed:
            call, self._changed = self._changed, None
            update = call.changed()
            if update != self._sent:
                self._send(update)
                self._pause(call.size)
            self._sent = update

    def _add(self, words: type[ModelWords | ModelThoughts], text: str) -> None:
        if self._changed or words is not self._words:
            self.flush()
        self._words = words
        self._text.append(text)
        self._schedule()

    def _pause(self, sent: int) -> None:
        self._next = self._loop.time() + INTERVAL + sent / _PER_SECOND

    def _schedule(self) -> None:
        """Send at once if the last update was long enough ago, else when it is."""
        if self._timer is not None:
            return
        if self._loop.time() >= self._next:
            self.flush()
        else:
            self._timer = self._loop.call_at(self._next, self.flush)

    def _send(self, update: SessionUpdate) -> None:
        self._peer.notify("session/update", UpdateParams(session_id=self._session, update=update))
