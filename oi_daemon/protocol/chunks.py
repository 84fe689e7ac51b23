"""Chunks on the wire: objects with one key, as the streaming documentation shows them."""

from collections.abc import Mapping
from typing import Any, assert_never, get_args

from oi_daemon.errors import InvalidError
from oi_daemon.messages import (
    ActiveLine,
    BackgroundChunk,
    BlockError,
    BlockResult,
    Chunk,
    CodeChunk,
    Declined,
    Display,
    EndOfExecution,
    EventChunk,
    Executing,
    InputRequest,
    LanguageChunk,
    MessageChunk,
    NoticeChunk,
    Output,
    ResultStatus,
    ThinkingChunk,
)

JOINED = frozenset({"message", "code", "output", "thinking"})
"""Kinds of text. Neighbouring chunks of one of them are joined while the client reads slowly."""

_TEXT = {"type": "string"}
SCHEMAS: dict[str, dict[str, Any]] = {
    "message": _TEXT,
    "language": _TEXT,
    "code": _TEXT,
    "executing": {
        "type": "object",
        "properties": {"code": _TEXT, "language": _TEXT},
        "required": ["code", "language"],
    },
    "active_line": {"type": ["integer", "null"]},
    "output": _TEXT,
    "end_of_execution": {"const": True},
    "display": {"type": "object", "description": "A Jupyter MIME bundle; binary data as base64."},
    "input": {
        "type": "object",
        "properties": {"prompt": _TEXT, "password": {"type": "boolean"}},
        "required": ["prompt", "password"],
    },
    "declined": {
        "type": "object",
        "properties": {"by": {"enum": ["skip", "stop", "gone"]}},
        "required": ["by"],
    },
    "thinking": _TEXT,
    "notice": {
        "type": "object",
        "properties": {
            "kind": {**_TEXT, "description": "One word: `retry`, `save`, `trimmed`, `limit`, ..."},
            "message": {**_TEXT, "description": "For a person."},
            "seconds": {"type": "number", "description": "How long it lasts, if that is known."},
            "block": {"type": "integer", "description": "Of `files`: the number for `oi/files/*`."},
            "files": {
                "type": "array",
                "description": "Of `files`: what the block has changed, at most 200.",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": _TEXT,
                        "change": {"enum": ["created", "changed", "deleted"]},
                        "size": {"type": "integer", "description": "Bytes."},
                    },
                    "required": ["path", "change", "size"],
                },
            },
        },
        "required": ["kind", "message"],
    },
    "event": {
        "type": "object",
        "properties": {
            "kind": {
                **_TEXT,
                "description": "What has happened: `begun`, `answered`, `ended`, `changed`, ...",
            },
            "message": {
                **_TEXT,
                "description": "Of `begun`: the person's words. Of a failed turn: the error.",
            },
            "approval": {**_TEXT, "description": "Of `answered`: the block's id."},
            "input": {**_TEXT, "description": "Of `answered`: the request's id."},
            "status": {**_TEXT, "description": "Of `ended`: the result's, or `failed`."},
        },
        "required": ["kind"],
    },
    "background": {
        "type": "object",
        "properties": {
            "block": {**_TEXT, "description": "The id of a block in the background."},
            "chunk": {"type": "object", "description": "What happens in it: a chunk."},
            "result": {"$ref": "#/$defs/BlockResult"},
        },
        "required": ["block", "chunk"],
    },
}
"""JSON Schema of each kind of chunk's value."""

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {**_TEXT, "description": "Its class or kind, such as `ValueError`."},
        "message": _TEXT,
        "traceback": {
            "type": "array",
            "items": _TEXT,
            "description": "Its lines; none if the language has none.",
        },
    },
    "required": ["name", "message", "traceback"],
}
"""JSON Schema of the error that ended a block."""
RESULT_SCHEMA: dict[str, Any] = {
    "description": "How a block ended.",
    "type": "object",
    "properties": {
        "status": {
            "enum": list(get_args(ResultStatus)),
            "description": "`error`: the code raised, or its exit status is not 0; `killed`: its"
            " process ended.",
        },
        "seconds": {"type": "number", "description": "How long it took."},
        "exit": {"type": "integer", "description": "Its exit status, where it has one."},
        "error": {"$ref": "#/$defs/BlockError"},
    },
    "required": ["status", "seconds"],
}
"""JSON Schema of the result that comes with the end of a block."""


def to_wire(chunk: Chunk) -> dict[str, Any]:  # noqa: C901 - a case for each kind
    """The chunk as an object with one key."""
    match chunk:
        case MessageChunk(text):
            return {"message": text}
        case CodeChunk(text):
            return {"code": text}
        case Output(text):
            return {"output": text}
        case ActiveLine(line):
            return {"active_line": line}
        case LanguageChunk(language):
            return {"language": language}
        case Executing(code, language):
            return {"executing": {"code": code, "language": language}}
        case EndOfExecution():
            return {"end_of_execution": True}
        case Display(data):
            return {"display": dict(data)}
        case InputRequest(prompt, password):
            return {"input": {"prompt": prompt, "password": password}}
        case Declined(by):
            return {"declined": {"by": by}}
        case ThinkingChunk(text):
            return {"thinking": text}
        case NoticeChunk(kind, message, seconds, details):
            known = dict(details) if seconds is None else {"seconds": seconds, **details}
            return {"notice": {"kind": kind, "message": message, **known}}
        case EventChunk(kind, details):
            return {"event": {"kind": kind, **details}}
        case BackgroundChunk(block, inner):
            result = inner.result if isinstance(inner, EndOfExecution) else None
            ended = {} if result is None else {"result": result_to_wire(result)}
            return {"background": {"block": block, "chunk": to_wire(inner), **ended}}
        case _:
            assert_never(chunk)


def result_to_wire(result: BlockResult) -> dict[str, Any]:
    """How a block ended, as the object that comes with its end."""
    known = {"exit": result.exit, "error": result.error and result.error.dump()}
    wire = {"status": result.status, "seconds": round(result.seconds, 6)}
    return wire | {name: value for name, value in known.items() if value is not None}


def result_from_wire(result: Mapping[str, Any] | None) -> BlockResult | None:
    """How a block ended; None if that is not there, or not of this version."""
    match result:
        case {"status": "ok" | "error" | "interrupted" | "killed" as status, **more}:
            seconds, exit, error = more.get("seconds"), more.get("exit"), more.get("error")
            return BlockResult(
                status,
                float(seconds) if isinstance(seconds, int | float) else 0.0,
                exit if isinstance(exit, int) else None,
                BlockError.bounded(error) if isinstance(error, Mapping) else None,
            )
    return None


def from_wire(  # noqa: C901 - a case for each kind
    chunk: Mapping[str, Any], result: Mapping[str, Any] | None = None
) -> Chunk:
    """Return the chunk that an object on the wire stands for. The ids are in the notification.

    Args:
        result: what comes with the end of a block.

    Raises:
        InvalidError: it is not a chunk of this version.
    """
    match chunk:
        case {"message": str(text)}:
            return MessageChunk(text)
        case {"language": str(language)}:
            return LanguageChunk(language)
        case {"code": str(text)}:
            return CodeChunk(text)
        case {"executing": {"code": str(code), "language": str(language)}}:
            return Executing(code, language)
        case {"active_line": int(line) | (None as line)}:
            return ActiveLine(line)
        case {"output": str(text)}:
            return Output(text)
        case {"end_of_execution": True}:
            return EndOfExecution(result_from_wire(result))
        case {"display": dict(data)}:
            return Display(data)
        case {"input": {"prompt": str(prompt), "password": bool(password)}}:
            return InputRequest(prompt, password, "")
        case {"declined": {"by": "skip" | "stop" | "gone" as by}}:
            return Declined(by)
        case {"thinking": str(text)}:
            return ThinkingChunk(text)
        case {"notice": {"kind": str(kind), "message": str(message), **more}}:
            seconds = more.pop("seconds", None)
            known = seconds if isinstance(seconds, int | float) else None
            return NoticeChunk(kind, message, known, {str(name): more[name] for name in more})
        case {"event": {"kind": "begun" | "answered" | "ended" | "changed" as kind, **details}}:
            return EventChunk(kind, {str(name): str(value) for name, value in details.items()})
        case {"background": {"block": str(block), "chunk": dict(inner), **more}}:
            ended = more.get("result")
            return BackgroundChunk(
                block, from_wire(inner, ended if isinstance(ended, dict) else None)
            )
    raise InvalidError(f"chunk: none of {', '.join(SCHEMAS)}")
