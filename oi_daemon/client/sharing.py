"""A conversation of the shared daemon, in which other clients may have begun a turn."""

import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from oi_daemon.client.turns import ConversationInTurns
from oi_daemon.errors import InvalidError, OIError

if TYPE_CHECKING:
    from oi_daemon.client.followed_turn import FollowedTurn
    from oi_daemon.messages.shapes import ChunkStream, MessageDict, RunningConversationDict

_PRIVATE = (
    "This conversation has a daemon of its own, so there are no others to attach to. Begin with"
    " `interpreter --shared` or `--attach`; in Python, with `Interpreter(shared=True)`."
)


class SharedConversation(ConversationInTurns):
    """Can go on with any conversation of the shared daemon, in the middle of a turn too."""

    def running(self) -> "list[RunningConversationDict]":
        """The other conversations that the shared daemon holds, the newest first."""
        self._needs_shared()
        with self._daemon() as remote:
            return remote.running()

    def attach(
        self, conversation: str | None = None
    ) -> "tuple[list[MessageDict], ChunkStream | None]":
        """Go on with a conversation of the shared daemon, and follow the turn under way in it.

        Returns its messages, and if a turn is under way, whoever began it, a stream with all that
        follows on them. `approve` and `input` answer what waits there; if another client was first,
        nothing happens. Taking the next chunk answers nothing, unless `auto_run` is on, and leaving
        the stream stops nothing, unless by Ctrl-C.

        Args:
            conversation: the id. Default: this object's conversation.

        Raises:
            InvalidError: there is no such conversation, or `shared` is off.
        """
        self._needs_shared()
        self._leave_stream()
        if conversation not in (None, self.conversation):
            self._find(conversation or "")
        from oi_daemon.client.followed_turn import FollowedTurn

        with self._daemon() as remote:
            turn = FollowedTurn(remote, remote.attach())
            if not turn.is_under_way:
                remote.detach()
        self._messages.set(turn.before)
        if not turn.is_under_way:
            return [*turn.before], None
        chunks = self._follow(turn)
        self._stream, self._reader = weakref.ref(chunks), threading.get_ident()
        return turn.settled, chunks

    def _needs_shared(self) -> None:
        """Raise if there is nobody to share conversations with.

        Raises:
            InvalidError: the setting `shared` is off.
        """
        if not self.shared and self.host is None:
            raise InvalidError(_PRIVATE)

    def _find(self, conversation: str) -> None:
        """Go on with a conversation that the daemon holds or has on disk.

        Raises:
            InvalidError: there is none; this object's conversation stays.
        """
        with self._daemon() as remote:
            is_known = remote.knows(conversation)
        if not is_known:
            raise InvalidError(f"There is no conversation {conversation}.")
        self.conversation = conversation

    def _follow(self, turn: "FollowedTurn") -> "ChunkStream":
        """The chunks of a turn that another client has begun."""
        self._turn, self._is_in_turn = turn, True
        self._last_turn, self._added = {}, []
        try:
            while (chunk := self._next_chunk(turn)) is not None:
                yield chunk
                if self.auto_run:
                    self.approve("run")
        except KeyboardInterrupt:
            turn.interrupt()
            turn.wait()
            raise
        finally:
            self._turn, self._is_in_turn = None, False
            with suppress(OIError), self._lock:
                turn.remote.detach()
                self._messages.set(turn.remote.messages())
            turn.remote.connection.discard()
        if turn.failure:
            raise OIError(turn.failure)
