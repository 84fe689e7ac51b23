"""JSON-RPC 2.0 messages: recognizes requests and answers, and makes them."""

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


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """An answer to one of our own requests."""

    id: Id | None
    """The request's id; None if the other side could not read it."""
    result: Any
    error: Any
    """What went wrong, as the other side tells it; None if nothing did."""


def call_of(message: Mapping[str, Any]) -> Call | None:
    """The call that a message makes. None for an answer: see `answer_of`.

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


def answer_of(message: Mapping[str, Any]) -> PeerAnswer:
    """The answer that a message is, of which `call_of` says that it makes no call."""
    return PeerAnswer(id_of(message), message.get("result"), message.get("error"))


def id_of(message: Mapping[str, Any]) -> Id | None:
    """The message's id; None if it has none, or one that JSON-RPC does not allow."""
    given = message.get("id")
    return given if isinstance(given, str | int) and not isinstance(given, bool) else None


def request(request_id: Id, method: str, params: Any) -> dict[str, Any]:
    """A request that the other side answers under this id."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def notification(method: str, params: Any) -> dict[str, Any]:
    """A message that gets no answer."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def answer(request_id: Id | None, result: Any) -> dict[str, Any]:
    """The answer with a request's result."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def failure(request_id: Id | None, error: OIError, message: str) -> dict[str, Any]:
    """The answer that says what went wrong.

    Args:
        request_id: None if no id could be read.
        message: the error's text, with nothing in it that must not be shown.
    """
    data: dict[str, Any] = {"kind": error.kind, **error.details}
    if isinstance(error, NoModelError) and error.models:
        data["models"] = [name for name in error.models if without_controls(name) == name]
    shape = {"code": error.code, "message": message, "data": data}
    return {"jsonrpc": "2.0", "id": request_id, "error": shape}
