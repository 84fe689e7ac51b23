"""The Python library: the reference's object, over a daemon that starts at first use."""

import secrets
from collections.abc import Generator
from typing import Any, Generic, Literal, TypeVar, overload

from oi_daemon.config import load_settings
from oi_daemon.connection import Connection, result_of
from oi_daemon.errors import OIError
from oi_daemon.messages import dump, load
from oi_daemon.settings import NAMES, Settings, change

T = TypeVar("T")
Chunks = Generator[dict[str, Any], None, None]
Decision = Literal["run", "skip", "stop", "always"]


class _Setting(Generic[T]):
    """A setting as an attribute: checked when it is assigned."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "_Setting[T]": ...

    @overload
    def __get__(self, instance: "Interpreter", owner: type) -> T: ...

    def __get__(self, instance: "Interpreter | None", owner: type) -> "T | _Setting[T]":
        if instance is None:
            return self
        value: T = getattr(instance._current, self._name)
        return value

    def __set__(self, instance: "Interpreter", value: T) -> None:
        instance._change({self._name: value})


class Interpreter:
    """Asks a language model, which runs code here, and gives its answer.

    Nothing is started before the first call that needs the daemon. Several objects are several
    conversations, each with a daemon of its own. One call at a time may use an object.
    """

    model = _Setting[str]()
    local = _Setting[bool]()
    auto_run = _Setting[bool]()
    debug_mode = _Setting[bool]()
    max_output = _Setting[int]()
    conversation_history = _Setting[bool]()
    conversation_filename = _Setting[str | None]()
    conversation_history_path = _Setting[str | None]()
    temperature = _Setting[float]()
    system_message = _Setting[str]()
    context_window = _Setting[int | None]()
    max_tokens = _Setting[int | None]()
    api_base = _Setting[str | None]()
    api_key = _Setting[str | None]()
    max_budget = _Setting[float | None]()
    max_rounds = _Setting[int]()
    tool_style = _Setting[Literal["auto", "tools", "functions", "markdown"]]()
    python = _Setting[str | None]()
    cwd = _Setting[str | None]()

    def __init__(self, *, conversation: str | None = None, **settings: Any) -> None:
        """
        Args:
            conversation: id of a saved conversation to go on with. Default: a new one.
            settings: settings to assign.

        Raises:
            InvalidError: a setting that there is not, or a value that does not fit.
        """
        self.conversation = conversation or secrets.token_hex(4)
        self._settings: Settings | None = None
        self._changed: dict[str, Any] = {}
        self._unsent: dict[str, Any] = {}
        self._connection: Connection | None = None
        self._messages: list[dict[str, Any]] = []
        self._stream: Chunks | None = None
        self._approval: str | None = None
        self._input: str | None = None
        if settings:
            self._change(settings)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name != "conversation" and not hasattr(type(self), name):
            raise AttributeError(f"there is no setting {name!r}; the settings are {NAMES}")
        object.__setattr__(self, name, value)

    @overload
    def chat(
        self, message: str | None = None, *, stream: Literal[True], display: bool = False
    ) -> Chunks: ...

    @overload
    def chat(
        self, message: str | None = None, *, stream: Literal[False] = False, display: bool = True
    ) -> list[dict[str, Any]]: ...

    def chat(
        self, message: str | None = None, *, stream: bool = False, display: bool | None = None
    ) -> Chunks | list[dict[str, Any]]:
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
        from oi_daemon.display import show
        from oi_daemon.prompt import converse

        self._leave_stream()
        if message is None:
            converse(self)
            return self.messages
        self._stream = chunks = self._turn("oi/stream", {"message": message})
        if stream:
            return show(chunks) if display else chunks
        if display is not False:
            chunks = show(chunks, ask=self)
        for chunk in chunks:
            if "executing" in chunk and display is False:
                self.approve("stop")
        return self.messages

    def execute(self, language: str, code: str) -> list[dict[str, Any]]:
        """Run code of one's own where the model's runs; gives the messages that this added."""
        self._leave_stream()
        before = len(self._messages)
        for _ in self._turn("oi/execute", {"language": language, "code": code}):
            pass
        return self._messages[before:]

    def approve(self, decision: Decision, code: str | None = None) -> None:
        """Answer the block that waits in the stream; `code` runs in place of the model's."""
        approval, self._approval = self._approval, None
        if approval is not None:
            self._request("approve", approval=approval, decision=decision, code=code)

    @property
    def awaits_approval(self) -> bool:
        """Whether the latest chunk of the stream is a block that waits for `approve`."""
        return self._approval is not None

    def input(self, value: str | None) -> None:
        """Answer the code that waits for a line in the stream; None is end of file."""
        waiting, self._input = self._input, None
        if waiting is not None:
            self._request("input", input=waiting, value=value)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, in the documentation's shape. Assigning restores one."""
        if self._connection is not None and self._connection.alive:
            self._messages = self._request("history/get")["messages"]
        return self._messages

    @messages.setter
    def messages(self, messages: list[dict[str, Any]]) -> None:
        self._leave_stream()
        self._messages = [dump(message) for message in load(messages)]
        if self._connection is not None:
            self._request("history/set", messages=self._messages)

    def undo(self) -> list[dict[str, Any]]:
        """Remove the last user message and all that answered it; gives what was removed."""
        self._leave_stream()
        removed: list[dict[str, Any]] = self._request("history/undo")["removed"]
        return removed

    def reset(self) -> None:
        """Begin an empty conversation with fresh interpreters; settings and budget stay."""
        self._leave_stream()
        if self._connection is not None:
            self._request("history/reset")
        self._messages = []

    def close(self) -> None:
        """End the daemon and all that it runs. The next call starts another."""
        self._leave_stream()
        if self._connection is not None:
            self._connection.close()

    def __enter__(self) -> "Interpreter":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _turn(self, method: str, params: dict[str, Any]) -> Chunks:
        """A turn's chunks. Left before its end, it is stopped: nothing runs on."""
        connection = self._connected()
        request = None
        try:
            request = connection.send(method, {**params, "conversation": self.conversation})
            while (frame := connection.next()).get("id") != request:
                if "method" in frame:
                    yield self._taken(frame["params"])
                    self.approve("run")
                    self.input(None)
        except (GeneratorExit, KeyboardInterrupt):
            self._abandon(connection, request)
            raise
        self._messages += result_of(frame)["messages"]

    def _taken(self, params: dict[str, Any]) -> dict[str, Any]:
        """The chunk; what it waits for is noted."""
        self._approval, self._input = params.get("approval"), params.get("input")
        chunk: dict[str, Any] = params["chunk"]
        return chunk

    def _abandon(self, connection: Connection, request: int | None) -> None:
        """Stop the turn under way and read it to its end."""
        if request is None or not connection.alive:
            connection.close()
            return
        try:
            self.approve("stop")
            self._request("interrupt")
            while (frame := connection.next()).get("id") != request:
                pass
            self._messages += result_of(frame)["messages"]
        except OIError:
            pass  # it was about to fail anyway, and nobody waits for it
        except KeyboardInterrupt:
            connection.close()
            raise

    def _leave_stream(self) -> None:
        """Close a stream that was left without being exhausted."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _connected(self) -> Connection:
        """The daemon: started, or started again with the conversation, if need be."""
        if self._connection is None or not self._connection.alive:
            self._connection = Connection(self._changed)
            self._unsent = {}
            self._restore(self._connection)
        if self._unsent:
            settings, self._unsent = self._unsent, {}
            here = {"conversation": self.conversation, "settings": settings}
            self._connection.request("oi/settings/set", here)
        return self._connection

    def _restore(self, connection: Connection) -> None:
        """Give a new daemon the conversation, unless it is on disk in full."""
        here = {"conversation": self.conversation}
        if self._messages:
            saved = connection.request("oi/history/get", here)["messages"]
            if len(saved) < len(self._messages):
                connection.request("oi/history/set", {**here, "messages": self._messages})

    def _request(self, method: str, **params: Any) -> Any:
        here = {"conversation": self.conversation}
        return self._connected().request(f"oi/{method}", {**here, **params})

    def _change(self, changes: dict[str, Any]) -> None:
        """Check and keep; the daemon gets them with the next request."""
        self._settings = change(self._current, changes)
        self._changed |= changes
        self._unsent |= changes

    @property
    def _current(self) -> Settings:
        """The settings as configured, with this object's on top."""
        if self._settings is None:
            self._settings = load_settings().settings
        return self._settings
