"""A conversation in a daemon, which is started at need and again when it has died."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oi_daemon.client.attributes import SettingAttributes
from oi_daemon.client.live_messages import LiveMessages
from oi_daemon.errors import BusyError, InvalidError

if TYPE_CHECKING:
    from oi_daemon.client.active_turn import ActiveTurn
    from oi_daemon.client.connection import Connection
    from oi_daemon.client.followed_turn import FollowedTurn
    from oi_daemon.client.remote import RemoteConversation
    from oi_daemon.client.resumed_turn import ResumedTurn
    from oi_daemon.messages.shapes import MessageDict, UsageDict

BUSY = (
    "Another thread is in a turn of this Interpreter."
    " Wait for it, or make an Interpreter() for each thread."
)


_APPLIED_HERE = ("auto_run", "shared", "host", "send_keys")
_WITH_KEYS = ("api_key", "extra_headers", "mcp")
_NOT_SENT = (
    "{name} may hold a key, so it is not sent to {host}. Set it there, in the settings file or the"
    " environment; or let it be sent by the setting send_keys."
)


class PersistentConversation(SettingAttributes):
    """A conversation that outlives its daemon.

    It keeps the messages, the settings and the usage, and gives them to the next daemon.
    """

    def __init__(
        self, conversation: str | None, settings: Mapping[str, object], stderr: int | None
    ) -> None:
        """
        Args:
            conversation: id of a saved conversation; None: a new one.
            stderr: descriptor that the daemon uses as its stderr; None: this program's.

        Raises:
            InvalidError: there is no such setting, or a value does not fit.
        """
        super().__init__(settings)
        self._connection: Connection | None = None
        """The connection to the latest daemon; None before the first one is started."""
        self._stderr = stderr
        self._lock = threading.RLock()
        """Held while a thread is in a call."""
        self._conversation = conversation or _new_id()
        self._needs_sync = conversation is not None
        """True until `_restore` has compared our messages with the daemon's and kept the longer
        list."""
        self._messages = LiveMessages()
        """The messages of the turns that have ended."""
        self._turn: ActiveTurn | FollowedTurn | ResumedTurn | None = None
        """The turn under way; None between turns."""
        self._usage: UsageDict = {
            "input_tokens": 0,
            "output_tokens": 0,
            "cost": 0.0,
            "unpriced": 0,
        }

    def start(self, *, wait: bool = False) -> None:
        """Start the daemon ahead of the first call that needs it.

        Args:
            wait: until it answers.

        Raises:
            ConnectionLostError: waiting, the daemon at `host` cannot be reached.
        """
        with self._exclusive():
            if not self._is_running:
                self._connection = self._start_daemon(self._connection)
            if wait:
                self._remote(self._connected()).status()

    @property
    def _is_running(self) -> bool:
        """Whether the daemon is alive."""
        return self._connection is not None and self._connection.is_alive

    @property
    def _is_known(self) -> bool:
        """Whether a daemon may hold, or may have saved, messages of this conversation."""
        return self._connection is not None or self._needs_sync

    def _connected(self) -> "Connection":
        """The connection to a running daemon that knows our settings and messages.

        Starts the daemon, or starts it again, if need be.

        Raises:
            InvalidError: the program has changed the list of messages so that it does not fit.
        """
        changed = None if self._turn else self._messages.take_changes()
        connection = self._connection
        if connection is not None and not self._turn and not self._is_for(connection):
            connection.close()
        if connection is None or not connection.is_alive:
            connection = self._connection = self._start_daemon(connection)
        self._close_with(connection)
        self._send_settings(self._remote(connection))
        if self._needs_sync and changed is None:
            self._restore(connection)
        elif changed is not None:
            self._remote(connection).restore(changed, self._usage if self._needs_sync else None)
            self._needs_sync = False
        return connection

    def _send_settings(self, remote: "RemoteConversation") -> None:
        """Send the daemon those settings that were assigned since this was last done."""
        if settings := self._for_daemon(self._unsent):
            remote.configure(settings)
        self._unsent = {}

    def _start_daemon(self, last: "Connection | None") -> "Connection":
        """Start a daemon; `last` is the connection to the one before it."""
        from oi_daemon.client.connection import Connection

        if last is not None and last.is_forked:
            self._conversation = _new_id()  # the parent process goes on with its own conversation
        _ = self._current  # warn of mistakes in the configuration before anything runs
        connection = Connection(
            self._conversation,
            self._for_daemon(self._whole_assigned()),
            self._stderr,
            is_shared=self._current.shared,
            host=self._current.host,
        )
        self._unsent = {}
        has_history = bool(self._messages.list) or any(self._usage.values())
        self._needs_sync = self._needs_sync or has_history
        return connection

    def _close_with(self, connection: "Connection") -> None:
        """Let our conversation end with this connection, unless it is lost or is to be shared."""
        if self.host is not None and not self.shared:
            connection.closes.add(self._conversation)

    def _is_for(self, connection: "Connection") -> bool:
        """Whether this is a connection to the daemon that the settings name."""
        is_shared = self.shared or self.host is not None
        return (connection.is_shared, connection.host) == (is_shared, self.host)

    def _whole_assigned(self) -> Mapping[str, object]:
        """All settings that were assigned, with the key of this place if it is to be sent."""
        if self.host is None or not self.send_keys:
            return self._assigned
        return {"api_key": self.api_key, "extra_headers": self.extra_headers, **self._assigned}

    def _for_daemon(self, settings: Mapping[str, object]) -> dict[str, object]:
        """The settings for the daemon, without those that are applied here.

        It asks about every block, so `auto_run` is not among them.

        Raises:
            InvalidError: one of them holds a key, which is not sent elsewhere.
        """
        sent = {name: value for name, value in settings.items() if name not in _APPLIED_HERE}
        if self.host is not None and not self.send_keys:
            for name in _WITH_KEYS:
                if sent.get(name) is not None:
                    raise InvalidError(_NOT_SENT.format(name=name, host=self.host))
        return sent

    def _restore(self, connection: "Connection") -> None:
        """Compare our messages with the daemon's, which it has read from the disk.

        Both then have the longer list, because it is the newer one. What a shared daemon holds is
        left as it is if it is not shorter: a turn of another client may be under way.
        """
        remote = self._remote(connection)
        ours, theirs = self._messages.list, remote.messages()
        is_ahead = _length(theirs) >= _length(ours)
        self._messages.set(theirs if is_ahead else ours)
        if not (connection.is_shared and is_ahead and self._counts_all(remote)):
            remote.restore(self._messages.list, self._usage)
        self._needs_sync = False

    def _counts_all(self, remote: "RemoteConversation") -> bool:
        """Whether the daemon counts at least the requests that we know of."""
        used = remote.usage() if any(self._usage.values()) else self._usage
        return used is not None and used["input_tokens"] >= self._usage["input_tokens"]

    def _remote(self, connection: "Connection") -> "RemoteConversation":
        """Our conversation in the daemon at the other end of this connection."""
        from oi_daemon.client.remote import RemoteConversation

        return RemoteConversation(connection, self._conversation)

    @contextmanager
    def _daemon(self) -> Iterator["RemoteConversation"]:
        """Our conversation in a running daemon. No other thread can begin a call meanwhile.

        Raises:
            BusyError: another thread is in a call.
        """
        with self._exclusive():
            yield self._remote(self._connected())

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Guards the start of a public call.

        Code inside a turn takes `_lock` directly, and blocks until it is free.

        Raises:
            BusyError: another thread is in a call.
        """
        with self._try_lock() as is_free:
            if not is_free:
                raise BusyError(BUSY)
            yield

    @contextmanager
    def _try_lock(self) -> Iterator[bool]:
        """Take the lock if it is free, without waiting; gives whether it was taken."""
        is_free = self._lock.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._lock.release()


def _new_id() -> str:
    """A random id for a new conversation."""
    return os.urandom(4).hex()


def _length(messages: "Sequence[MessageDict]") -> tuple[int, int]:
    """How long a conversation is: by its messages, then by its text."""
    return len(messages), len(str(messages))
