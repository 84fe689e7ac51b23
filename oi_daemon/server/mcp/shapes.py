"""The parameters of a host's requests that are read. Unknown fields are ignored."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from oi_daemon.errors import InvalidError
from oi_daemon.protocol.jsonrpc import Id

MODERN = "2026-07-28"
"""The revision without a handshake: each request says what it speaks, and questions are results."""
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
"""The revisions with `initialize`, the newest first."""
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
"""Key of the version in `_meta`, in requests of `MODERN`."""
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
"""Key of the client's capabilities in `_meta`, in requests of `MODERN`."""
UNSUPPORTED_VERSION = -32022
"""Code of the error for a version that is not spoken here."""


class InitializeParams(msgspec.Struct, frozen=True, rename="camel"):
    """Parameters of `initialize`."""

    protocol_version: str
    capabilities: dict[str, Any] = {}


class ToolParams(msgspec.Struct, frozen=True, rename="camel"):
    """Parameters of `tools/call`."""

    name: str
    arguments: dict[str, Any] = {}
    input_responses: dict[str, dict[str, Any]] | None = None
    """Answers to the questions of an earlier result, in `MODERN`."""
    request_state: str | None = None
    """What that result named, so that the call goes on."""


class CursorParams(msgspec.Struct, frozen=True):
    """Parameters of the lists."""

    cursor: str | None = None


class ReadParams(msgspec.Struct, frozen=True):
    """Parameters of `resources/read`."""

    uri: str


class RequestMeta(msgspec.Struct, frozen=True, rename={"progress_token": "progressToken"}):
    """The `_meta` of a request, without the fields whose names are URLs."""

    progress_token: Id | None = None


T = TypeVar("T")

Session = Annotated[str, Meta(min_length=1, max_length=200)] | None


class RunArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of the tool `run_code`."""

    language: str
    code: str
    session: Session = None


class VariablesArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of the tool `variables`."""

    session: Session = None
    language: str | None = None


class SessionArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of the tools `interrupt` and `reset`."""

    session: Session = None


class NoArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of the tool `sessions`."""


def converted(value: Any, shape: type[T]) -> T:
    """The value in this shape.

    Raises:
        InvalidError: it does not fit; the text names the field.
    """
    try:
        return msgspec.convert({} if value is None else value, shape)
    except msgspec.ValidationError as error:
        raise InvalidError(str(error)) from error


def meta_of(params: Any) -> Mapping[str, Any]:
    """The `_meta` of a request's parameters; empty if there is none."""
    meta = params.get("_meta") if isinstance(params, Mapping) else None
    return meta if isinstance(meta, Mapping) else {}
