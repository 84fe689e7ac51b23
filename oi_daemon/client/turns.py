"""A conversation in which one turn at a time is under way."""

import threading
from collections.abc import Callable, Mapping
from types import GeneratorType
from typing import TYPE_CHECKING

from oi_daemon.client.persistent import BUSY
from oi_daemon.client.reconnecting import ReconnectingConversation
from oi_daemon.errors import BusyError, OIError

if TYPE_CHECKING:
    import weakref

    from oi_daemon.client.active_turn import ActiveTurn, TurnOutcome
    from oi_daemon.client.reconnecting import AnyTurn, OwnTurn
    from oi_daemon.client.remote import RemoteConversation
    from oi_daemon.messages.shapes import (
        ApprovalDecision,
        ChunkDict,
        ChunkStream,
        LastTurnDict,
        MessageDict,
        ResultDict,
    )


class ConversationInTurns(ReconnectingConversation):
    """Runs turns as streams of chunks, answers what waits in them, and stops them."""

    def __init__(
        self, conversation: str | None, settings: Mapping[str, object], stderr: int | None
    ) -> None:
        """See `PersistentConversation`."""
        super().__init__(conversation, settings, stderr)
        self._last_turn: LastTurnDict = {}
        self._last_result: ResultDict | None = None
        self._added: list[MessageDict] = []
        """The messages that the latest turn has added."""
        self._stream: weakref.ref[ChunkStream] | None = None
        """The latest stream that `chat` has returned."""
        self._is_in_turn = self._is_interrupted = False
        """Whether a turn is under way or prepared, and whether it was interrupted."""
        self._reader = 0
        """Id of the thread that takes the stream's chunks."""

    @property
    def conversation(self) -> str:
        """The conversation's id. Assigning one goes on with that conversation."""
        return self._conversation

    @conversation.setter
    def conversation(self, conversation: str) -> None:
        self._leave_stream()
        self._end_allow_all()
        self._conversation, self._needs_sync = conversation, True
        self._messages.replace([])
        self._unsent = dict(self._assigned)

    def approve(self, decision: "ApprovalDecision", code: str | None = None) -> None:
        """Answer the block that waits in the stream; `code` runs in place of the model's.

        `always` turns `auto_run` on until the conversation is reset or another one begins.
        """
        if self._turn is not None:
            with self._lock:
                if decision == "always" and self._turn.awaits_approval:
                    self._allow_all()
                wanted = "run" if decision == "always" else decision
                self._answer(lambda turn: turn.approve(wanted, code))

    @property
    def awaits_approval(self) -> bool:
        """Whether the latest chunk of the stream is a block that a person should be asked about.

        It is False with `auto_run`; the block still runs only when the next chunk is taken.
        """
        return self._turn is not None and self._turn.awaits_approval and not self.auto_run

    def input(self, value: str | None) -> None:
        """Answer the code that waits for a line in the stream; None is end of file."""
        if self._turn is not None:
            with self._lock:
                self._answer(lambda turn: turn.answer_input(value))

    def interrupt(self) -> bool:
        """Stop the turn under way, from any thread or from the handler of a signal.

        The call or the stream that is in the turn goes on to its end as usual; `last_turn` then
        says `interrupted`. The conversation and the variables are kept. Returns False if no turn
        is under way.
        """
        if not self._is_in_turn:
            return False
        self._is_interrupted = True
        if self._turn is not None:
            self._turn.interrupt()
        return True

    @property
    def last_turn(self) -> "LastTurnDict":
        """How the latest turn ended: `status`, one of done, interrupted, stopped (by a person, or
        by `max_rounds`) and budget, `usage`, and `thinking`, if the model told any. Empty if there
        was none, or if it failed.
        """
        return {**self._last_turn}

    @property
    def last_result(self) -> "ResultDict | None":
        """How the latest block ended: `status`, one of ok, error, interrupted and killed (its
        process ended), `seconds`, `exit` and `error` where its language has them. None before the
        first block has ended; in a stream it is there with `end_of_execution`.
        """
        return self._last_result

    def _run(self, begin: "Callable[[RemoteConversation], ActiveTurn]") -> "ChunkStream":
        """The chunks of a turn. If the stream is left before its end, the turn is stopped.

        Args:
            begin: makes the turn, once there is a daemon.
        """
        self._is_in_turn, self._is_interrupted = True, False
        try:
            with self._daemon() as remote:
                turn = self._turn = begin(remote)
            yield from self._chunks(turn)
        finally:
            self._is_in_turn = False

    def _chunks(self, begun: "ActiveTurn") -> "ChunkStream":
        """The chunks of a turn that is not sent yet; what it adds is kept."""
        self._last_turn, self._added = {}, []
        turn: OwnTurn = begun
        try:
            if self._is_interrupted:
                begun.interrupt()
            with self._lock:
                begun.send()
            while True:
                for chunk in self._next_or_notice(turn, self._next_chunk):
                    turn = self._own_turn or turn
                    if chunk is None:
                        return self._finish(turn.outcome())
                    yield chunk
                self._send_in_turn()  # a budget applies to this turn as well
                self.approve("run")
                self.input(None)
                turn = self._own_turn or turn
        except BaseException:
            self._abort(turn)
            raise

    def _next_chunk(self, turn: "AnyTurn") -> "ChunkDict | None":
        """Wait for the next chunk; None once the turn has ended."""
        with self._lock:
            self._reader = threading.get_ident()
            chunk = turn.next_chunk()
            self._last_result = turn.latest_result or self._last_result
            return chunk

    def _finish(self, outcome: "TurnOutcome") -> None:
        """Keep what a turn has added."""
        self._turn = None
        self._last_turn, self._usage = outcome.summary, outcome.usage
        self._added = outcome.messages
        if outcome.is_kept:
            self._messages.add(outcome.messages)

    def _abort(self, turn: "OwnTurn") -> None:
        """Stop the turn, if it is still under way, and keep what it has added."""
        connection = turn.remote.connection
        try:
            with self._lock:
                outcome = turn.abort()
                if outcome is not None:
                    self._finish(outcome)
                else:
                    self._messages.set(turn.remote.messages())
        except OIError:  # the daemon is gone
            self._messages.add(turn.messages)
        except BaseException:
            connection.close()
            self._messages.add(turn.messages)
            raise
        finally:
            self._turn = None
            connection.discard()

    def _leave_stream(self, *, lets_run: bool = False) -> None:
        """Close a stream that was left without being exhausted.

        Args:
            lets_run: leave the daemon first, which then knows nothing of it, so the turn goes on.

        Raises:
            BusyError: another thread takes its chunks.
        """
        stream = self._stream() if self._stream is not None else None
        if not isinstance(stream, GeneratorType) or stream.gi_frame is None:
            return
        with self._exclusive():
            if stream.gi_running or self._is_read_elsewhere:
                raise BusyError(BUSY)
            if lets_run and self._connection is not None:
                self._connection.close()
            stream.close()

    @property
    def _is_read_elsewhere(self) -> bool:
        """Whether another thread takes the stream's chunks."""
        others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        return self._reader in others
