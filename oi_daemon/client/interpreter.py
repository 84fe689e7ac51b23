"""The Python library: the reference's object, over a daemon that starts at first use."""

import sys
import threading
import weakref
from collections.abc import Generator
from contextlib import closing
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Literal, overload

from oi_daemon.client.revival import BUSY, Backed, Stored
from oi_daemon.errors import BusyError, InvalidError, OIError

if TYPE_CHECKING:
    from oi_daemon.client.connection import Connection
    from oi_daemon.client.exchange import Exchange

ChunkStream = Generator[dict[str, Any], None, None]
ApprovalDecision = Literal["run", "skip", "stop", "always"]


class Interpreter(Backed):
    """Asks a language model, which runs code here, and gives its answer.

    Nothing is started before the first call that needs the daemon. Several objects are several
    conversations, each with a daemon of its own. One thread at a time may use an object.
    """

    def __init__(
        self, *, conversation: str | None = None, stderr: int | None = None, **settings: Any
    ) -> None:
        """
        Args:
            conversation: id of a saved conversation to go on with. Default: a new one.
            stderr: descriptor for the daemon's warnings. Default: this program's stderr.
            settings: settings to assign.

        Raises:
            InvalidError: a setting that there is not, or a value that does not fit.
        """
        super().__init__(conversation, settings, stderr)
        self._exchange: Exchange | None = None
        self._last_turn: dict[str, Any] = {}
        self._stream: weakref.ref[ChunkStream] | None = None
        self._taker = 0

    @overload
    def chat(
        self, message: str | None = None, *, stream: Literal[True], display: bool | None = None
    ) -> ChunkStream: ...

    @overload
    def chat(
        self,
        message: str | None = None,
        *,
        stream: Literal[False] = False,
        display: bool | None = None,
    ) -> list[Stored]: ...

    def chat(
        self, message: str | None = None, *, stream: bool = False, display: bool | None = None
    ) -> ChunkStream | list[Stored]:
        """Ask. Without a message, an interactive chat in the terminal.

        With `stream`, gives the chunks as they happen. Taking the next one after `executing` lets
        the code run; leaving the loop there runs nothing, and later it stops what runs. `approve`
        and `input` answer otherwise, before the next one is taken.

        Without `stream`, gives the conversation's messages once the turn has ended. With
        `display`, shows everything in the terminal and asks there; without, code runs only with
        `auto_run`.

        Raises:
            OIError: what keeps the turn from going on, in words; of the class for its kind.
        """
        self._leave_stream()
        if message is None:
            from oi_daemon.terminal.session import Session

            Session(self).converse()  # pyright: ignore[reportArgumentType]
            return self.messages
        if not isinstance(message, str):
            raise InvalidError(f"message: expected text, not {type(message).__name__}")
        chunks = self._turn("oi/stream", {"message": message})
        self._stream, self._taker = weakref.ref(chunks), threading.get_ident()
        shown = not stream or sys.stdout.isatty() if display is None else display
        if shown:
            from oi_daemon.terminal.approval import Person
            from oi_daemon.terminal.display import show

            chunks = show(chunks, None if stream else Person(self))
        if stream:
            return chunks
        with closing(chunks):
            for chunk in chunks:
                if "executing" in chunk and not shown:
                    self.approve("stop")
        return self.messages

    def execute(self, language: str, code: str) -> list[Stored]:
        """Run code of one's own where the model's runs; gives the messages that this added."""
        self._leave_stream()
        for _ in self._turn("oi/execute", {"language": language, "code": code}):
            pass
        added: list[Stored] = self._last_turn["messages"]
        return added

    def approve(self, decision: ApprovalDecision, code: str | None = None) -> None:
        """Answer the block that waits in the stream; `code` runs in place of the model's."""
        exchange = self._exchange
        if exchange is not None and exchange.approval is not None:
            approval, exchange.approval = exchange.approval, None
            self._answer("approve", approval=approval, decision=decision, code=code)

    @property
    def awaits_approval(self) -> bool:
        """Whether the latest chunk of the stream is a block that waits for `approve`."""
        return self._exchange is not None and self._exchange.approval is not None

    def input(self, value: str | None) -> None:
        """Answer the code that waits for a line in the stream; None is end of file."""
        exchange = self._exchange
        if exchange is not None and exchange.input is not None:
            waiting, exchange.input = exchange.input, None
            self._answer("input", input=waiting, value=value)

    @property
    def conversation(self) -> str:
        """The conversation's id. Assigning one goes on with that conversation."""
        return self._conversation

    @conversation.setter
    def conversation(self, conversation: str) -> None:
        self._leave_stream()
        self._conversation, self._messages, self._apart = conversation, [], True
        self._unsent = dict(self._changed)

    @property
    def messages(self) -> list[Stored]:
        """The conversation, in the documentation's shape. Assigning restores one.

        It can be read while another thread waits in a turn: it is what that one has heard.
        """
        with self._if_free() as free:
            if not free:
                return [*self._messages, *(self._exchange.messages if self._exchange else [])]
            if not self._apart and not self._running:
                return self._messages
            messages: list[Stored] = self._request("history/get")["messages"]
            if self._exchange is None:
                self._messages = messages
            return messages

    @messages.setter
    def messages(self, messages: list[Stored]) -> None:
        from oi_daemon.messages import dump, load

        stored = [dump(message) for message in load(messages)]
        self._leave_stream()
        if self._begun:
            self._request("history/set", messages=stored)
        self._messages = stored

    @property
    def usage(self) -> dict[str, Any]:
        """What all turns of this object have used: `input_tokens`, `output_tokens`, `cost`.

        `cost` is in US dollars, of the requests whose price is known; `unpriced` counts the others.
        """
        with self._if_free() as free:
            if free and self._running:
                for state in self._request("status")["conversations"]:
                    if state["conversation"] == self.conversation:
                        self._usage = state["usage"]
        return dict(self._usage)

    @property
    def last_turn(self) -> dict[str, Any]:
        """How the latest turn ended: `status`, one of done, interrupted, stopped (by a person, or
        by `max_rounds`) and budget, and `usage`. Empty if there was none, or if it failed.
        """
        return {name: self._last_turn[name] for name in ("status", "usage") if self._last_turn}

    def undo(self) -> list[Stored]:
        """Remove the last user message and all that answered it; gives what was removed."""
        self._leave_stream()
        removed: list[Stored] = self._request("history/undo")["removed"]
        self._messages = self._request("history/get")["messages"]
        return removed

    def reset(self) -> None:
        """Begin an empty conversation with fresh interpreters; settings and budget stay."""
        self._leave_stream()
        if self._begun:
            self._request("history/reset")
        self._messages = []

    def saved(self, query: str = "", cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        """A page of the saved conversations, newest first: what `oi/history/list` gives."""
        page: dict[str, Any] = self._request(
            "history/list", query=query or None, cursor=cursor, limit=limit
        )
        return page

    def local_models(self) -> list[dict[str, Any]]:
        """The model servers found on this machine: the `api_base` and the `models` of each."""
        found: list[dict[str, Any]] = self._request("models")["local"]
        return found

    def languages(self) -> list[dict[str, Any]]:
        """The languages, and whether code in them can run here: what `oi/languages` gives."""
        found: list[dict[str, Any]] = self._request("languages")["languages"]
        return found

    def close(self) -> None:
        """End the daemon and all that it runs. The next call starts another."""
        self._leave_stream()
        if self._connection is not None:
            self._connection.close()

    def __enter__(self) -> "Interpreter":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _turn(self, method: str, params: dict[str, Any]) -> ChunkStream:
        """A turn's chunks. Left before its end, however that is, it is stopped: nothing runs on."""
        from oi_daemon.client.exchange import (
            Exchange,  # now: at the program's end none can be imported
        )

        with self._alone():
            connection = self._connected()
        exchange = self._exchange = Exchange(connection.new_id(), _asked(params))
        self._last_turn = {}
        try:
            with self._lock:
                here = {"conversation": self.conversation}
                connection.send(exchange.number, method, {**params, **here})
            while (told := self._next(connection, exchange)) is not None:
                yield exchange.hear(told)
                self.approve("run")
                self.input(None)
            self._keep(connection.result(exchange.number))
        except BaseException:
            self._settle(connection, exchange)
            raise

    def _next(self, connection: "Connection", exchange: "Exchange") -> dict[str, Any] | None:
        """The next notification; None once the turn has ended."""
        with self._lock:
            self._taker = threading.get_ident()
            return connection.chunk(exchange.number)

    def _keep(self, result: dict[str, Any]) -> None:
        """What a turn has added."""
        self._exchange = None
        self._last_turn, self._usage = result, result["session"]
        self._messages = [*self._messages, *result["messages"]]

    def _settle(self, connection: "Connection", exchange: "Exchange") -> None:
        """Stop the turn, if it is still under way, and keep what it has added."""
        here = {"conversation": self.conversation}
        exchange.approval = exchange.input = None
        try:
            with self._lock:
                if connection.request("oi/interrupt", here)["interrupted"]:
                    self._keep(connection.result(exchange.number))
                else:
                    self._messages = connection.request("oi/history/get", here)["messages"]
        except OIError:  # the daemon is gone
            self._messages = [*self._messages, *exchange.messages]
        except BaseException:
            connection.close()
            self._messages = [*self._messages, *exchange.messages]
            raise
        finally:
            self._exchange = None
            connection.forget()

    def _leave_stream(self) -> None:
        """Close a stream that was left without being exhausted.

        Raises:
            BusyError: it is another thread's.
        """
        stream = self._stream() if self._stream is not None else None
        if not isinstance(stream, GeneratorType) or stream.gi_frame is None:
            return
        with self._alone():
            if stream.gi_running or self._taken_elsewhere:
                raise BusyError(BUSY)
            stream.close()

    @property
    def _taken_elsewhere(self) -> bool:
        """Whether the stream's chunks are taken by another thread."""
        others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        return self._taker in others

    def _answer(self, method: str, **params: Any) -> None:
        """Answer what waits in the stream: of no use to a daemon that is started again."""
        with self._lock:
            if self._connection is not None:
                here = {"conversation": self.conversation}
                self._connection.request(f"oi/{method}", {**here, **params})


def _asked(params: dict[str, Any]) -> list[Stored]:
    return [{"role": "user", "message": params["message"]}] if "message" in params else []
