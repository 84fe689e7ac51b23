"""The Python library: the reference's object, over a daemon that starts at first use."""

import sys
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from oi_daemon.client.live_messages import shown_messages, stored
from oi_daemon.client.sharing import SharedConversation
from oi_daemon.errors import InvalidTypeError
from oi_daemon.terminal.notebook import is_notebook

if TYPE_CHECKING:
    from os import PathLike

    from oi_daemon.client.handover import Handover
    from oi_daemon.messages.shapes import ChunkStream, MessageDict, UsageDict
    from oi_daemon.settings.shapes import SettingsDict


class TurnStopped(KeyboardInterrupt):
    """A person has stopped the turn, in a notebook, which would show all of our frames."""

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines in place of a traceback."""
        return ["The turn was stopped. What was said and run until then is kept."]


class Interpreter(SharedConversation):
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

    @overload
    def chat(
        self,
        message: str | None = None,
        *,
        stream: Literal[True],
        display: bool | None = None,
        files: "Iterable[str | PathLike[str]]" = (),
    ) -> "ChunkStream": ...

    @overload
    def chat(
        self,
        message: str | None = None,
        *,
        stream: Literal[False] = False,
        display: bool | None = None,
        files: "Iterable[str | PathLike[str]]" = (),
    ) -> "list[MessageDict]": ...

    def chat(
        self,
        message: str | None = None,
        *,
        stream: bool = False,
        display: bool | None = None,
        files: "Iterable[str | PathLike[str]]" = (),
    ) -> "ChunkStream | list[MessageDict]":
        """Ask. Without a message, an interactive chat in the terminal.

        With `stream`, returns the chunks as they happen. Taking the next one after `executing` lets
        the code run; leaving the loop there runs nothing, and later it stops what runs. That is so
        with `auto_run` as well. `approve` and `input` answer otherwise, before the next one is
        taken.

        Without `stream`, returns the conversation's messages once the turn has ended. With
        `display`, shows everything in the terminal and asks there; without, code runs only with
        `auto_run`.

        Args:
            files: paths of files that go with the message: pictures are shown to the model, text
                is given to it, and of others it learns where they are.

        Raises:
            InvalidError: the message is not text, or a file cannot be read.
            OIError: what keeps the turn from going on, in words; of the class for its kind.
        """
        self._leave_stream()
        if message is None and not files:
            from oi_daemon.terminal.session import Session

            Session(self).converse()
            return shown_messages(self.messages)
        if not isinstance(message, str):
            raise InvalidTypeError(f"message: expected text, not {type(message).__name__}")
        chunks = self._asked(message, files)
        self._stream, self._reader = weakref.ref(chunks), threading.get_ident()
        is_shown = not stream or sys.stdout.isatty() if display is None else display
        if is_shown:
            chunks = self._shown(chunks, asks=not stream)
        if stream:
            return chunks
        try:
            self._exhaust(chunks, declines=not is_shown)
        except KeyboardInterrupt:
            if not is_notebook():
                raise
            raise TurnStopped from None
        return shown_messages(self.messages) if is_shown else self.messages

    def _asked(self, message: str, files: "Iterable[str | PathLike[str]]") -> "ChunkStream":
        """The chunks of a turn that asks the model."""
        from oi_daemon.client.active_turn import ActiveTurn

        displays: Sequence[dict[str, Any]] = ()
        if files:
            from oi_daemon.terminal.attached_files import read_files

            attached = read_files(files)
            message, displays = attached.added_to(message), attached.displays
        return self._run(lambda remote: ActiveTurn.chat(remote, message, displays))

    def _exhaust(self, chunks: "ChunkStream", *, declines: bool) -> None:
        """Take all chunks of a turn.

        Args:
            declines: end the turn at the first block that a person should be asked about.
        """
        with closing(chunks):
            for _ in chunks:
                if declines and self.awaits_approval:
                    self.approve("stop")

    def _shown(self, chunks: "ChunkStream", *, asks: bool) -> "ChunkStream":
        """The chunks, which are shown as they pass by.

        Args:
            asks: ask the person about what waits for an answer.
        """
        from oi_daemon.terminal.approval import Person
        from oi_daemon.terminal.display import show

        return show(
            chunks,
            Person(self) if asks else None,
            model=self.model,
            sandboxed=self.sandbox != "none",
            result=lambda: self.last_result,
        )

    @overload
    def execute(self, language: str, code: str, *, stream: Literal[True]) -> "ChunkStream": ...

    @overload
    def execute(
        self, language: str, code: str, *, stream: Literal[False] = False
    ) -> "list[MessageDict]": ...

    def execute(
        self, language: str, code: str, *, stream: bool = False
    ) -> "list[MessageDict] | ChunkStream":
        """Run code of your own where the model's runs; returns the messages that this added.

        With `stream`, returns the chunks as they happen.
        """
        if not stream:
            return self._execute(language, code)
        from oi_daemon.client.active_turn import ActiveTurn

        self._leave_stream()
        chunks = self._run(lambda remote: ActiveTurn.execute(remote, language, code))
        self._stream, self._reader = weakref.ref(chunks), threading.get_ident()
        return chunks

    def push(self, **variables: object) -> None:
        """Give the Python code of the conversation variables, as in `push(sales=df)`.

        They are copies: a change of one is not seen on the other side.

        Raises:
            OIError: a value cannot be pickled here, or cannot be unpickled there.
        """
        self._handover().push(variables)

    def pull(self, name: str, /, *names: str) -> Any:
        """Return a variable of the Python code of the conversation, or another expression's value.

        Of several names, a tuple. They are copies. With a sandbox, only plain values come.

        Raises:
            OIError: there is no such variable, or it cannot be handed over.
        """
        values = self._handover().pull([name, *names])
        return tuple(values) if names else values[0]

    def _handover(self) -> "Handover":
        from oi_daemon.client.handover import Handover

        return Handover(
            partial(self._execute, "python"),
            partial(self._execute, "python", aside=True),
            sandboxed=self.sandbox != "none",
        )

    def _execute(self, language: str, code: str, *, aside: bool = False) -> "list[MessageDict]":
        """Run code; returns the messages of that.

        Args:
            aside: nothing of it is kept in the conversation.
        """
        from oi_daemon.client.active_turn import ActiveTurn

        self._leave_stream()
        for _ in self._run(lambda it: ActiveTurn.execute(it, language, code, aside=aside)):
            pass
        return self._added

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

    def close(self) -> None:
        """End the daemon and all that it runs. The next call starts another.

        With `shared`, only leave it: a turn under way goes on, and the next call comes back. With
        `host` alone, end the conversation there, but not the daemon.
        """
        if self._connection is None:
            return
        self._leave_stream(lets_run=self._connection.is_shared and self.shared)
        self._connection.close()

    if not TYPE_CHECKING:  # a type checker is to know the names of today only

        def __getattr__(self, name: str) -> object:
            if not name.startswith("_"):
                from oi_daemon.client.earlier_names import read

                return read(self, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("_") and not hasattr(type(self), name):
                from oi_daemon.client.earlier_names import assign

                if assign(self, name, value):
                    return
            super().__setattr__(name, value)

    def __enter__(self) -> "Interpreter":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
