"""Stored messages: what a conversation keeps of its turns, as values and as plain dictionaries.

`docs/protocol.md`, "Stored messages", describes the dictionaries, which files and the wire have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, assert_never, get_args

from oi_daemon.errors import InvalidError, InvalidTypeError
from oi_daemon.messages.result import BlockError, BlockResult
from oi_daemon.messages.written import Bundle

BlockStatus = Literal["error", "interrupted", "killed", "declined"]
"""How a block ended if it did not just run to its end: its code failed, it was interrupted, its
process was killed, or it was not run because a person declined it."""

_LONG = 1.0
"""Seconds from which on the time that a block took is told to the model."""
_BLOCK_STATUSES: tuple[BlockStatus, ...] = get_args(BlockStatus)


@dataclass(frozen=True, slots=True)
class UserMessage:
    """Words of the person."""

    message: str
    displays: tuple[Bundle, ...] = ()
    """Pictures that the person shows with them."""
    role: Literal["user"] = "user"


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """Words of the model."""

    message: str
    provider: Mapping[str, Any] | None = None
    """Data that the model's server needs back in place of these words, which are a summary that the
    server has made. It is only in the file."""
    role: Literal["assistant"] = "assistant"


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """A block of code."""

    language: str
    code: str
    output: str | None = None
    """What the block wrote; None if it was not run."""
    displays: tuple[Bundle, ...] = ()
    status: BlockStatus | None = None
    """How the block ended; None if it just ran to its end, or if that is not known."""
    error: BlockError | None = None
    """The error that ended the block, if its language tells it."""
    provider: Mapping[str, Any] | None = None
    """Data that the model's server needs back with this block. It is only in the file."""
    exit: int | None = None
    """The block's exit status, if it has one and that is known. It is only in the file."""
    seconds: float | None = None
    """How long the block took, if that is known. `told_seconds` are in the file."""
    role: Literal["assistant"] = "assistant"

    @property
    def told_seconds(self) -> float | None:
        """How long the block took, where that says something: with an exit status, or if long."""
        if self.seconds is None or (self.exit is None and self.seconds < _LONG):
            return None
        return self.seconds


Message = UserMessage | AssistantMessage | CodeMessage


def dump(message: Message, *, for_file: bool = False) -> dict[str, Any]:
    """The message as a dictionary, in the shape of the library's documentation.

    Args:
        for_file: include what is kept in the conversation's file only: `provider`, `exit` and
            `seconds`.
    """
    match message:
        case UserMessage(text, displays):
            shown = {"displays": [dict(display) for display in displays]} if displays else {}
            return {"role": message.role, "message": text, **shown}
        case AssistantMessage(text, provider):
            kept = {"provider": dict(provider)} if for_file and provider else {}
            return {"role": message.role, "message": text, **kept}
        case CodeMessage():
            return _dump_code(message, for_file)
        case _:
            assert_never(message)


def _dump_code(block: CodeMessage, for_file: bool) -> dict[str, Any]:
    stored = {"role": "assistant", "language": block.language, "code": block.code}
    optional: dict[str, Any] = {
        "output": block.output,
        "displays": [dict(display) for display in block.displays] or None,
        "status": block.status,
        "error": block.error.dump() if block.error else None,
    }
    if for_file:
        optional["provider"] = block.provider and dict(block.provider)
        optional |= {"exit": block.exit, "seconds": block.told_seconds}
    return stored | {name: value for name, value in optional.items() if value is not None}


def with_result(block: CodeMessage, result: BlockResult) -> CodeMessage:
    """Return a block with what is stored of how it ended."""
    return replace(
        block,
        status=None if result.status == "ok" else result.status,
        error=result.error,
        exit=result.exit,
        seconds=result.seconds,
    )


def load(stored: Any) -> list[Message]:
    """The messages from a list of dictionaries.

    Accepts the documentation's shapes, the one that Open Interpreter 0.1 stored (`message`,
    `language`, `code` and `output` in one object) and the later one (`role`, `type`, `format` and
    `content`).

    Raises:
        InvalidError: one of them has none of these shapes. The text names its index and field.
    """
    if not isinstance(stored, Sequence) or isinstance(stored, str):
        raise InvalidTypeError("messages: expected a list of messages")
    messages: list[Message] = []
    for index, item in enumerate(stored):
        _load_one(item, f"messages[{index}]", messages)
    return messages


def with_fields_of_file(messages: Sequence[Message], known: Sequence[Message]) -> list[Message]:
    """Return the messages; one gets from an equal known one what only the file has.

    Clients never see these fields, so they cannot give them back when they set a conversation.
    """
    blocks: dict[tuple[str, str], list[CodeMessage]] = {}
    for block in known:
        if isinstance(block, CodeMessage):
            blocks.setdefault((block.language, block.code), []).append(block)
    words = {m.message: m for m in known if isinstance(m, AssistantMessage) and m.provider}
    complete: list[Message] = []
    for message in messages:
        if isinstance(message, CodeMessage) and message.provider is None:
            same = blocks.get((message.language, message.code))
            message = _with_fields(message, same.pop(0)) if same else message
        elif isinstance(message, AssistantMessage):
            message = words.get(message.message, message)
        complete.append(message)
    return complete


def _with_fields(block: CodeMessage, known: CodeMessage) -> CodeMessage:
    ran = block.output is not None
    return replace(
        block,
        provider=known.provider,
        exit=known.exit if ran else None,
        seconds=known.seconds if ran else None,
    )


def _load_one(item: Any, where: str, messages: list[Message]) -> None:
    if not isinstance(item, Mapping):
        raise InvalidTypeError(f"{where}: expected an object with a role")
    role = item.get("role")
    if role not in ("user", "assistant") and not (role == "computer" and "type" in item):
        raise InvalidError(f"{where}.role: expected 'user' or 'assistant', not {role!r}")
    if "type" in item:
        _load_typed(item, where, messages)
    elif role == "user":
        messages.append(UserMessage(_text(item, "message", where), _displays(item, where)))
    else:
        _load_assistant(item, where, messages)


def _load_assistant(item: Mapping[str, Any], where: str, messages: list[Message]) -> None:
    if "code" not in item and "message" not in item:
        raise InvalidError(f"{where}: expected 'message', or 'language' and 'code'")
    if "message" in item:
        text = _text(item, "message", where)
        if text or "code" not in item:
            provider = None if "code" in item else _object(item, "provider")
            messages.append(AssistantMessage(text, provider))
    if "code" in item:
        messages.append(_load_code(item, where))


def _load_code(item: Mapping[str, Any], where: str) -> CodeMessage:
    status = item.get("status")
    return CodeMessage(
        language=_text(item, "language", where),
        code=_text(item, "code", where),
        output=None if item.get("output") is None else _text(item, "output", where),
        displays=_displays(item, where),
        status=status if status in _BLOCK_STATUSES else None,
        error=_error(item),
        provider=_object(item, "provider"),
        exit=_number(item, "exit", int),
        seconds=_number(item, "seconds", float, int),
    )


def _load_typed(item: Mapping[str, Any], where: str, messages: list[Message]) -> None:
    """Load the later shape, in which the output of code is a message of its own."""
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
    messages[-1] = replace(last, output=(last.output or "") + text)


def _text(item: Mapping[str, Any], field: str, where: str) -> str:
    value = item.get(field)
    if not isinstance(value, str):
        raise InvalidTypeError(f"{where}.{field}: expected text, not {type(value).__name__}")
    return value


def _object(item: Mapping[str, Any], field: str) -> Mapping[str, Any] | None:
    """The field's value; None if it is not an object, because other versions may differ here."""
    value = item.get(field)
    return value if isinstance(value, Mapping) else None


def _error(item: Mapping[str, Any]) -> BlockError | None:
    """The error that ended a block; None if there is none."""
    told = _object(item, "error")
    return None if told is None else BlockError.bounded(told)


def _number(item: Mapping[str, Any], field: str, *types: type) -> Any:
    """The field's value if it is a number of one of these types; else None."""
    value = item.get(field)
    return value if isinstance(value, types) and not isinstance(value, bool) else None


def _displays(item: Mapping[str, Any], where: str) -> tuple[Bundle, ...]:
    displays = item.get("displays", [])
    if not isinstance(displays, list) or not all(isinstance(d, dict) for d in displays):
        raise InvalidTypeError(f"{where}.displays: expected a list of MIME bundles")
    return tuple(displays)
