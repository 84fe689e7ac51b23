"""A conversation whose connection may be lost in the middle of a turn, which goes on meanwhile."""

import time
from typing import TYPE_CHECKING

from oi_daemon.client.changed_files import ChangedFiles
from oi_daemon.errors import ConnectionLostError, NoDaemonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oi_daemon.client.active_turn import ActiveTurn
    from oi_daemon.client.followed_turn import FollowedTurn
    from oi_daemon.client.resumed_turn import ResumedTurn
    from oi_daemon.messages.shapes import ChunkDict

    OwnTurn = ActiveTurn | ResumedTurn
    AnyTurn = OwnTurn | FollowedTurn

_CONNECTING = "The connection was lost. What runs there runs on. Connecting again ..."
_CONNECT_AFTER = (0, 1, 2, 4, 8, 15, *[30] * 20)
"""Seconds between the attempts to connect again: ten minutes in all."""


class ReconnectingConversation(ChangedFiles):
    """Goes on with a turn over another connection, where the daemon is at another place."""

    def _next_or_notice(
        self, turn: "OwnTurn", next_chunk: "Callable[[OwnTurn], ChunkDict | None]"
    ) -> "Iterator[ChunkDict | None]":
        """The next chunk of a turn; before it, a notice if the connection was lost meanwhile.

        The turn that goes on is then `self._turn`.
        """
        while True:
            try:
                chunk = next_chunk(turn)
            except ConnectionLostError as error:
                self._check_connection(turn, error)
                yield {"notice": {"kind": "connection", "message": _CONNECTING}}
                turn = self._resumed(turn, error)
            else:
                yield chunk
                return

    def _answer(self, answer: "Callable[[AnyTurn], None]") -> None:
        """Give the turn under way an answer; again if the connection was lost with it."""
        turn = self._turn
        if turn is None:
            return
        try:
            answer(turn)
        except ConnectionLostError as error:
            if (own := self._own_turn) is None:
                raise
            answer(self._resumed(own, error))

    def _send_in_turn(self) -> None:
        """Send what was assigned meanwhile; what is lost on the way is sent with the next call."""
        unsent = self._unsent
        try:
            with self._lock:
                if self._turn is not None:
                    self._send_settings(self._turn.remote)
        except ConnectionLostError:
            self._unsent = unsent
            if self.host is None:
                raise

    @property
    def _own_turn(self) -> "OwnTurn | None":
        """The turn under way, unless another client has begun it."""
        from oi_daemon.client.followed_turn import FollowedTurn

        return None if isinstance(self._turn, FollowedTurn) else self._turn

    def _check_connection(self, turn: "OwnTurn", error: ConnectionLostError) -> None:
        """Raise the error unless a connection to another place was lost."""
        connection = turn.remote.connection
        if connection.host is None or connection.is_alive or not connection.has_answered:
            raise error

    def _resumed(self, turn: "OwnTurn", error: ConnectionLostError) -> "ResumedTurn":
        """Connect again, and go on with the turn. Tries for a while.

        Raises:
            ConnectionLostError: it cannot be connected; or it was another connection.
        """
        from oi_daemon.client.resumed_turn import ResumedTurn

        self._check_connection(turn, error)
        for seconds in _CONNECT_AFTER:
            time.sleep(seconds)
            try:
                with self._lock:
                    connection = self._connection = self._start_daemon(self._connection)
                    self._close_with(connection)
                    remote = self._remote(connection)
                    resumed = self._turn = ResumedTurn(remote, turn, len(self._messages.list))
                    self._needs_sync = False
                    return resumed
            except ConnectionLostError as again:
                if isinstance(again, NoDaemonError) or self._is_running:
                    raise
                error = again
        raise error
