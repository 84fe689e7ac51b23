"""Chunks, stored messages, and the fold of one into the other.

A chunk is the smallest thing that happens in a turn. Folding a turn's chunks gives the messages
that are stored. Values only: no ids of storage, no transport. The shapes of stored messages are
those of the library's documentation (`docs/protocol.md`, "Stored messages").
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from oi_daemon.errors import InvalidError
from oi_daemon.written import Bundle, Written


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """Some more text of the model's message."""

    text: str


@dataclass(frozen=True, slots=True)
class LanguageChunk:
    """A code block begins, in this language."""

    language: str


@dataclass(frozen=True, slots=True)
class CodeChunk:
    """Some more of the block's code."""

    text: str


@dataclass(frozen=True, slots=True)
class Executing:
    """The block is complete and about to run. This code is authoritative.

    With `approval`, nothing runs until that id is approved. If the person edits the code, a
    second `Executing` without `approval` follows and holds what really runs.
    """

    code: str
    language: str
    approval: str | None = None


@dataclass(frozen=True, slots=True)
class ActiveLine:
    """The line being run, counted from 1; None when nothing runs."""

    line: int | None


@dataclass(frozen=True, slots=True)
class Output:
    """Some more of what the code wrote, stdout and stderr in their true order."""

    text: str


@dataclass(frozen=True, slots=True)
class Display:
    """A picture, table or page."""

    data: Bundle


@dataclass(frozen=True, slots=True)
class InputRequest:
    """The running code waits for a line of input; `input` is the id that the answer names."""

    prompt: str
    password: bool
    input: str


@dataclass(frozen=True, slots=True)
class EndOfExecution:
    """The block has ended, however it went."""


Chunk = (
    MessageChunk
    | LanguageChunk
    | CodeChunk
    | Executing
    | ActiveLine
    | Output
    | Display
    | InputRequest
    | EndOfExecution
)


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What the person said."""

    message: str
    role: Literal["user"] = "user"


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What the model said."""

    message: str
    role: Literal["assistant"] = "assistant"


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """A block of code. `output` is None when it was not run: declined, or interrupted before."""

    language: str
    code: str
    output: str | None = None
    displays: tuple[Bundle, ...] = ()
    role: Literal["assistant"] = "assistant"


Message = UserMessage | AssistantMessage | CodeMessage


class Fold:
    """Folds chunks into messages, in time linear in their length.

    `messages` is what has been folded so far; the last of them may still grow.
    """

    def __init__(self) -> None:
        self._done: list[Message] = []
        self._open: MessageChunk | LanguageChunk | None = None
        self._parts: list[str] = []
        self._written: Written | None = None

    @property
    def messages(self) -> list[Message]:
        return [*self._done, *self._current()]

    def add(self, chunk: Chunk) -> None:
        match chunk:
            case MessageChunk(text):
                self._say(text)
            case LanguageChunk():
                self._begin(chunk)
            case CodeChunk(text):
                self._parts.append(text)
            case Executing(code, language):
                self._execute(code, language)
            case Output(text):
                self._output().write(text)
            case Display(data):
                self._output().show(data)
            case EndOfExecution():
                self._output()
                self.close()
            case ActiveLine() | InputRequest():
                pass
            case _:
                assert_never(chunk)

    def close(self) -> None:
        """The last message is finished: what comes next begins another."""
        self._done += self._current()
        self._open = None
        self._parts = []
        self._written = None

    def _begin(self, chunk: MessageChunk | LanguageChunk) -> None:
        self.close()
        self._open = chunk

    def _say(self, text: str) -> None:
        if not isinstance(self._open, MessageChunk):
            self._begin(MessageChunk(""))
        self._parts.append(text)

    def _execute(self, code: str, language: str) -> None:
        if not isinstance(self._open, LanguageChunk) or self._written is not None:
            self.close()
        self._open = LanguageChunk(language)
        self._parts = [code]

    def _output(self) -> Written:
        self._written = self._written or Written()
        return self._written

    def _current(self) -> list[Message]:
        text = "".join(self._parts)
        match self._open:
            case MessageChunk():
                return [AssistantMessage(text)] if text else []
            case LanguageChunk(language):
                if self._written is None:
                    return [CodeMessage(language, text)]
                output = self._written.text.removesuffix("\n")
                return [CodeMessage(language, text, output, self._written.displays)]
            case None:
                return []


def fold(chunks: Iterable[Chunk]) -> list[Message]:
    """The messages that these chunks amount to."""
    folding = Fold()
    for chunk in chunks:
        folding.add(chunk)
    return folding.messages


def dump(message: Message) -> dict[str, Any]:
    """The stored shape of a message, as in the library's documentation."""
    match message:
        case UserMessage(text) | AssistantMessage(text):
            return {"role": message.role, "message": text}
        case CodeMessage(language, code, output, displays):
            stored: dict[str, Any] = {"role": "assistant", "language": language, "code": code}
            if output is not None:
                stored["output"] = output
            if displays:
                stored["displays"] = [dict(display) for display in displays]
            return stored
        case _:
            assert_never(message)


def load(stored: Any) -> list[Message]:
    """Messages from a list of stored shapes.

    Takes the documentation's shapes, the merged one that Open Interpreter 0.1 really kept
    (`message`, `language`, `code`, `output` in one object) and the later one (`role`, `type`,
    `format`, `content`).

    Raises:
        InvalidError: one of them has none of these shapes; the text names its place and field.
    """
    if not isinstance(stored, Sequence) or isinstance(stored, str):
        raise InvalidError("messages: expected a list of messages")
    messages: list[Message] = []
    for index, item in enumerate(stored):
        _load_one(item, f"messages[{index}]", messages)
    return messages


def _load_one(item: Any, where: str, messages: list[Message]) -> None:
    if not isinstance(item, Mapping):
        raise InvalidError(f"{where}: expected an object with a role")
    role = item.get("role")
    if role not in ("user", "assistant") and not (role == "computer" and "type" in item):
        raise InvalidError(f"{where}.role: expected 'user' or 'assistant', not {role!r}")
    if "type" in item:
        _load_typed(item, where, messages)
    elif role == "user":
        messages.append(UserMessage(_text(item, "message", where)))
    else:
        _load_assistant(item, where, messages)


def _load_assistant(item: Mapping[str, Any], where: str, messages: list[Message]) -> None:
    if "code" not in item and "message" not in item:
        raise InvalidError(f"{where}: expected 'message', or 'language' and 'code'")
    if "message" in item:
        text = _text(item, "message", where)
        if text or "code" not in item:
            messages.append(AssistantMessage(text))
    if "code" in item:
        output = _text(item, "output", where) if item.get("output") is not None else None
        language, code = _text(item, "language", where), _text(item, "code", where)
        messages.append(CodeMessage(language, code, output, _displays(item, where)))


def _load_typed(item: Mapping[str, Any], where: str, messages: list[Message]) -> None:
    """The later shape: code and its output are two messages, the output's role is `computer`."""
    kind, text = item["type"], _text(item, "content", where)
    if kind == "message":
        user = item["role"] == "user"
        messages.append(UserMessage(text) if user else AssistantMessage(text))
    elif kind == "code":
        messages.append(CodeMessage(_text(item, "format", where), text))
    elif kind == "console":
        if item.get("format") != "active_line":
            _attach_output(text, where, messages)
    else:
        raise InvalidError(f"{where}.type: expected 'message', 'code' or 'console', not {kind!r}")


def _attach_output(text: str, where: str, messages: list[Message]) -> None:
    last = messages[-1] if messages else None
    if not isinstance(last, CodeMessage):
        raise InvalidError(f"{where}: output without a code message before it")
    messages[-1] = CodeMessage(last.language, last.code, (last.output or "") + text)


def _text(item: Mapping[str, Any], field: str, where: str) -> str:
    value = item.get(field)
    if not isinstance(value, str):
        raise InvalidError(f"{where}.{field}: expected text, not {type(value).__name__}")
    return value


def _displays(item: Mapping[str, Any], where: str) -> tuple[Bundle, ...]:
    displays = item.get("displays", [])
    if not isinstance(displays, list) or not all(isinstance(d, dict) for d in displays):
        raise InvalidError(f"{where}.displays: expected a list of MIME bundles")
    return tuple(displays)
