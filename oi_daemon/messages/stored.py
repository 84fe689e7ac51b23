"""Stored messages: what a conversation keeps of its turns, and its form in files and on the wire.

The shapes are those of the library's documentation (`docs/protocol.md`, "Stored messages").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from oi_daemon.errors import InvalidError
from oi_daemon.messages.written import Bundle


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
