"""JSON-RPC 2.0 messages: recognizes requests, and makes answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from oi_daemon.errors import NoModelError, OIError, RequestError
from oi_daemon.messages.text import without_controls

Id: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A request or a notification."""

    method: str
    params: Any
    id: Id | None
    """The request's id; None for a notification, which gets no answer."""


def call_of(message: Mapping[str, Any]) -> Call | None:
    """The call that a message makes. None for an answer, which is dropped, as we send no requests.

    Raises:
        RequestError: it is neither; the text names the field.
    """
    if "method" not in message and ("result" in message or "error" in message):
        return None
    if message.get("jsonrpc") != "2.0":
        raise RequestError(RequestError.INVALID, 'jsonrpc: expected "2.0"')
    if not isinstance(message.get("method"), str):
        raise RequestError(RequestError.INVALID, "method: expected a method's name")
    if "id" in message and id_of(message) is None:
        raise RequestError(RequestError.INVALID, "id: expected a string or a whole number")
    return Call(message["method"], message.get("params"), id_of(message))


def id_of(message: Mapping[str, Any]) -> Id | None:
    """The message's id; None if it has none, or one that JSON-RPC does not allow."""
    given = message.get("id")
    return given if isinstance(given, str | int) and not isinstance(given, bool) else None


def answer(request_id: Id | None, result: Any) -> dict[str, Any]:
    """The answer with a request's result."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def failure(request_id: Id | None, error: OIError, message: str) -> dict[str, Any]:
    """The answer that says what went wrong.

    Args:
        request_id: None if no id could be read.
        message: the error's text, with nothing in it that must not be shown.
    """
    data: dict[str, Any] = {"kind": error.kind}
    if isinstance(error, NoModelError) and error.models:
        data["models"] = [name for name in error.models if without_controls(name) == name]
    shape = {"code": error.code, "message": message, "data": data}
    return {"jsonrpc": "2.0", "id": request_id, "error": shape}
