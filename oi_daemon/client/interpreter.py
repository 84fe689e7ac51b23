"""The Python library: the reference's object, over a daemon that starts at first use."""

import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from types import GeneratorType
from typing import TYPE_CHECKING, Literal, Unpack, overload

from oi_daemon.client.live_messages import stored
from oi_daemon.client.persistent import BUSY, PersistentConversation
from oi_daemon.errors import BusyError, InvalidError, InvalidTypeError, OIError

if TYPE_CHECKING:
    from oi_daemon.client.active_turn import ActiveTurn, TurnOutcome
    from oi_daemon.client.followed_turn import FollowedTurn
    from oi_daemon.client.remote import RemoteConversation
    from oi_daemon.messages.shapes import (
        ApprovalDecision,
        ChunkDict,
        ChunkStream,
        CompletionsDict,
        LanguageDict,
        LastTurnDict,
        LocalServerDict,
        MessageDict,
        ResultDict,
        RunningConversationDict,
        SavedPageDict,
        UsageDict,
        VariableDict,
    )
    from oi_daemon.settings.shapes import SettingsDict


_PRIVATE = (
    "This conversation has a daemon of its own, so there are no others to attach to. Begin with"
    " `interpreter --shared` or `--attach`; in Python, with `Interpreter(shared=True)`."
)


class Interpreter(PersistentConversation):
    """Asks a language model, which runs code here, and returns its answer.

    Nothing is started before the first call that needs the daemon. Several objects are several
    conversations, each with a daemon of its own; with the setting `shared`, all use one that
    outlives them. One thread at a time may use an object.
    """

    def __init__(
        self,
        *,
        conversation: str | None = None,
        stderr: int | None = None,
        **settings: "Unpack[SettingsDict]",
    ) -> None:
        """
        Args:
            conversation: id of a conversation to go on with: a saved one, or one that the shared
                daemon holds. Default: a new one.
            stderr: descriptor for the daemon's warnings. Default: this program's stderr.
            settings: settings to assign.

        Raises:
            InvalidError: there is no such setting, or a value does not fit.
        """
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

    @overload
    def chat(
        self, message: str | None = None, *, stream: Literal[True], display: bool | None = None
    ) -> "ChunkStream": ...

    @overload
    def chat(
        self,
        message: str | None = None,
        *,
        stream: Literal[False] = False,
        display: bool | None = None,
    ) -> "list[MessageDict]": ...

    def chat(
        self, message: str | None = None, *, stream: bool = False, display: bool | None = None
    ) -> "ChunkStream | list[MessageDict]":
        """Ask. Without a message, an interactive chat in the terminal.

        With `stream`, returns the chunks as they happen. Taking the next one after `executing` lets
        the code run; leaving the loop there runs nothing, and later it stops what runs. That is so
        with `auto_run` as well. `approve` and `input` answer otherwise, before the next one is
        taken.

        Without `stream`, returns the conversation's messages once the turn has ended. With
        `display`, shows everything in the terminal and asks there; without, code runs only with
        `auto_run`.

        Raises:
            OIError: what keeps the turn from going on, in words; of the class for its kind.
        """
        self._leave_stream()
        if message is None:
            from oi_daemon.terminal.session import Session

            Session(self).converse()
            return self.messages
        if not isinstance(message, str):
            raise InvalidTypeError(f"message: expected text, not {type(message).__name__}")
        from oi_daemon.client.active_turn import ActiveTurn

        chunks = self._run(lambda remote: ActiveTurn.chat(remote, message))
        self._stream, self._reader = weakref.ref(chunks), threading.get_ident()
        shown = not stream or sys.stdout.isatty() if display is None else display
        if shown:
            from oi_daemon.terminal.approval import Person
            from oi_daemon.terminal.display import show

            person = None if stream else Person(self)
            chunks = show(chunks, person, model=self.model, result=lambda: self.last_result)
        if stream:
            return chunks
        with closing(chunks):
            for _ in chunks:
                if not shown and self.awaits_approval:
                    self.approve("stop")
        return self.messages

    def execute(self, language: str, code: str) -> "list[MessageDict]":
        """Run code of your own where the model's runs; returns the messages that this added."""
        from oi_daemon.client.active_turn import ActiveTurn

        self._leave_stream()
        for _ in self._run(lambda remote: ActiveTurn.execute(remote, language, code)):
            pass
        return self._added

    def approve(self, decision: "ApprovalDecision", code: str | None = None) -> None:
        """Answer the block that waits in the stream; `code` runs in place of the model's.

        `always` turns `auto_run` on until the conversation is reset or another one begins.
        """
        if self._turn is not None:
            with self._lock:
                if decision == "always" and self._turn.awaits_approval:
                    self._allow_all()
                self._turn.approve("run" if decision == "always" else decision, code)

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
                self._turn.answer_input(value)

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

    @property
    def messages(self) -> "list[MessageDict]":
        """The conversation, in the documentation's shape. Assigning restores one.

        The list grows with each turn, and may be changed in place; the next call takes the change
        over. Assigning another list ends that. While another thread is in a turn, a copy is
        returned, with what has come so far.
        """
        with self._try_lock() as is_free:
            if not is_free:
                return [*self._messages.list, *(self._turn.messages if self._turn else [])]
            if not self._needs_sync and not self._is_running:
                return self._messages.list
            with self._daemon() as remote:
                messages = remote.messages()
            if self._turn is not None:
                return messages
            self._messages.set(messages)
            return self._messages.list

    @messages.setter
    def messages(self, messages: Sequence[Mapping[str, object]]) -> None:
        restored = stored(messages)
        self._leave_stream()
        self._end_allow_all()
        self._messages.replace(self._messages.list)  # what was changed in place is gone
        if self._is_known:
            with self._daemon() as remote:
                remote.restore(restored)
        self._messages.replace(restored)

    @property
    def usage(self) -> "UsageDict":
        """What all turns of this object have used: `input_tokens`, `output_tokens`, `cost`.

        `cost` is in US dollars, of the requests whose price is known; `unpriced` counts the others.
        `about` is true if a cost is by the price of an earlier version of the model.
        """
        with self._try_lock() as is_free:
            if is_free and self._is_running:
                with self._daemon() as remote:
                    self._usage = remote.usage() or self._usage
        return {**self._usage}

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

    def undo(self) -> "list[MessageDict]":
        """Remove the last user message and all that answered it; returns what was removed."""
        self._leave_stream()
        with self._daemon() as remote:
            removed = remote.undo()
            self._messages.set(remote.messages())
        return removed

    def compact(self) -> "list[MessageDict]":
        """Let the model summarise the oldest part of the conversation; returns the summary.

        From then on the model gets the summary in place of that part. `messages` keeps all of it,
        and `undo` removes the summary.
        """
        from oi_daemon.client.active_turn import ActiveTurn

        self._leave_stream()
        for chunk in self._run(ActiveTurn.compact):
            if "input" in chunk and self._turn is not None:
                self._turn.answer_input(None)  # a model without a price is not asked under a budget
        return self._added

    def reset(self) -> None:
        """Begin an empty conversation with fresh interpreters; settings and budget stay."""
        self._leave_stream()
        self._end_allow_all()
        if self._is_known:
            with self._daemon() as remote:
                remote.reset()
        self._messages.replace([])

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
        if not self.shared:
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

    def saved(self, query: str = "", cursor: str | None = None, limit: int = 50) -> "SavedPageDict":
        """A page of the saved conversations, newest first, as `oi/history/list` returns it."""
        with self._daemon() as remote:
            return remote.saved(query, cursor, limit)

    def models(self) -> list[str]:
        """The chat models of the server that the settings name, the best ones first.

        Empty if it does not list them.
        """
        with self._daemon() as remote:
            return remote.models()

    def local_models(self) -> "list[LocalServerDict]":
        """The model servers found on this machine: the `api_base` and the `models` of each."""
        with self._daemon() as remote:
            return remote.local_models()

    def languages(self) -> "list[LanguageDict]":
        """The languages, and whether code in them can run here, as `oi/languages` returns them."""
        with self._daemon() as remote:
            return remote.languages()

    def variables(self, language: str | None = None, limit: int = 1000) -> "list[VariableDict]":
        """The variables of one language, or of all that were used; at most `limit` of each.

        Nothing of the values is run for that, not even their `repr`.
        """
        with self._daemon() as remote:
            return remote.variables(language, limit)

    def inspect(
        self, code: str, position: int | None = None, language: str = "python"
    ) -> dict[str, str]:
        """What is known of the name at a position of the code, or at its end, by MIME type.

        Empty if there is no such name.
        """
        with self._daemon() as remote:
            return remote.inspect(language, code, len(code) if position is None else position)

    def complete(
        self, code: str, position: int | None = None, language: str = "python"
    ) -> "CompletionsDict":
        """What may stand at a position of the code, or at its end: names, attributes, keys."""
        with self._daemon() as remote:
            return remote.complete(language, code, len(code) if position is None else position)

    def close(self) -> None:
        """End the daemon and all that it runs. The next call starts another.

        With `shared`, only leave it: a turn under way goes on, and the next call comes back.
        """
        if self._connection is None:
            return
        self._leave_stream(lets_run=self._connection.is_shared)
        self._connection.close()

    def __enter__(self) -> "Interpreter":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

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

    def _chunks(self, turn: "ActiveTurn") -> "ChunkStream":
        """The chunks of a turn that is not sent yet; what it adds is kept."""
        self._last_turn, self._added = {}, []
        try:
            if self._is_interrupted:
                turn.interrupt()
            with self._lock:
                turn.send()
            while (chunk := self._next_chunk(turn)) is not None:
                yield chunk
                with self._lock:
                    self._send_settings(turn.remote)  # a budget applies to this turn as well
                self.approve("run")
                self.input(None)
            self._finish(turn.outcome())
        except BaseException:
            self._abort(turn)
            raise

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

    def _next_chunk(self, turn: "ActiveTurn | FollowedTurn") -> "ChunkDict | None":
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
        self._messages.add(outcome.messages)

    def _abort(self, turn: "ActiveTurn") -> None:
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
