"""A conversation that a daemon of one's own holds, started at need and again when it has died."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from oi_daemon.client.attributes import Configured
from oi_daemon.errors import BusyError

if TYPE_CHECKING:
    from oi_daemon.client.connection import Connection

Stored = dict[str, Any]
BUSY = (
    "Another thread is in a turn of this Interpreter."
    " Wait for it, or make an Interpreter() for each thread."
)


class Backed(Configured):
    """Knows as much of the conversation as it takes to give it to another daemon."""

    def __init__(
        self, conversation: str | None, settings: dict[str, Any], stderr: int | None
    ) -> None:
        """
        Args:
            stderr: descriptor that the daemon gets as its own; None: this program's.

        Raises:
            InvalidError: a setting that there is not, or a value that does not fit.
        """
        super().__init__(settings)
        self._connection: Connection | None = None
        self._stderr = stderr
        self._lock = threading.RLock()
        self._conversation = conversation or _new_id()
        self._apart = conversation is not None
        """The daemon and this object have yet to agree on what the conversation holds."""
        self._messages: list[Stored] = []
        """Those of the turns that have ended."""
        self._usage = {"input_tokens": 0, "output_tokens": 0, "cost": 0.0, "unpriced": 0}

    def start(self) -> None:
        """Start the daemon ahead of the first call that needs it, without waiting for it."""
        with self._alone():
            if not self._running:
                self._connection = self._started(self._connection)

    @property
    def _running(self) -> bool:
        return self._connection is not None and self._connection.alive

    @property
    def _begun(self) -> bool:
        """Whether the daemon knows, or has saved, something of the conversation."""
        return self._connection is not None or self._apart

    def _connected(self) -> "Connection":
        """The daemon: started, or started again, if need be; it knows all that this object does."""
        connection = self._connection
        if connection is None or not connection.alive:
            connection = self._connection = self._started(connection)
        if self._unsent:
            here = {"conversation": self._conversation, "settings": self._unsent}
            connection.request("oi/settings/set", here)
            self._unsent = {}
        if self._apart:
            self._restore(connection)
        return connection

    def _started(self, last: "Connection | None") -> "Connection":
        from oi_daemon.client.connection import Connection

        if last is not None and last.forked:
            self._conversation = _new_id()  # the parent goes on with its own
        _ = self._current  # mistakes in the configuration are told before anything runs
        connection = Connection(self._conversation, self._changed, self._stderr)
        self._unsent = {}
        self._apart = self._apart or bool(self._messages) or any(self._usage.values())
        return connection

    def _restore(self, connection: "Connection") -> None:
        """Agree on the conversation: it is on disk, or here, and the longer one is the newer."""
        here = {"conversation": self._conversation}
        saved = connection.request("oi/history/get", here)["messages"]
        self._messages = max(self._messages, saved, key=_extent)
        kept = {"messages": self._messages, "usage": self._usage}
        connection.request("oi/history/set", {**here, **kept})
        self._apart = False

    def _request(self, method: str, **params: Any) -> Any:
        with self._alone():
            here = {"conversation": self._conversation}
            return self._connected().request(f"oi/{method}", {**here, **params})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Where a call begins. Who is in a turn already waits for the lock instead.

        Raises:
            BusyError: another thread is in a call.
        """
        with self._if_free() as free:
            if not free:
                raise BusyError(BUSY)
            yield

    @contextmanager
    def _if_free(self) -> Iterator[bool]:
        """Whether no other thread is in a call; none can begin one until this is left."""
        free = self._lock.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._lock.release()


def _new_id() -> str:
    return os.urandom(4).hex()


def _extent(messages: list[Stored]) -> tuple[int, int]:
    """How much a conversation holds."""
    return len(messages), len(str(messages))
