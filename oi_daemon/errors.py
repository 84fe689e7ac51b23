"""The errors, whose messages are for people.

OIError                     base of all; its message never holds a key
├── InvalidError            a request, setting or message does not fit; nothing was changed
│   └── InvalidTypeError    ... because it has the wrong type
├── RequestError            a message is not a request, or is not allowed now
├── InternalError           a fault of the daemon
├── BusyError               the conversation has a turn under way
├── DiskError               a conversation or a file cannot be saved or read
└── ModelError              the model cannot go on
    ├── AuthError           no key, or one that the server refuses
    ├── RateLimitError      too many requests, or the account's quota is spent
    ├── ContextError        the conversation does not fit the model's context window
    ├── ConnectionLostError the server cannot be reached, or the stream broke off
    │   └── NoDaemonError   ... because no daemon is installed at the place of the setting `host`
    └── NoModelError        the server does not have that model

`kind` is the word that travels in a JSON-RPC error's `data.kind`, `code` its number.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar


class OIError(Exception):
    """Base of all errors for a person: the message says what happened and what to do."""

    kind: ClassVar[str] = "error"
    """The word in `data.kind` of the JSON-RPC error."""
    code: int = -32000
    """The code of the JSON-RPC error."""
    details: Mapping[str, Any] = MappingProxyType({})
    """Further fields of the JSON-RPC error's `data`."""

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines in place of a traceback: the message says what to do."""
        return [f"{type(self).__name__}: {self}"]


class InvalidError(OIError, ValueError):
    """A request, setting or message does not fit. Nothing was changed."""

    kind = "invalid"
    code = -32602


class InvalidTypeError(InvalidError, TypeError):
    """A value in a request, setting or message has the wrong type. Nothing was changed."""


class RequestError(OIError):
    """A message is not a request, or is not allowed now. Each such error has its own code."""

    kind = "request"

    PARSE = -32700
    INVALID = -32600
    NO_METHOD = -32601
    NOT_INITIALIZED = -32002
    CANCELLED = -32800

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class InternalError(OIError):
    """A fault of the daemon. Its text says where the details are: in the log."""

    kind = "internal"
    code = -32603


class BusyError(OIError):
    """The conversation has a turn under way."""

    kind = "busy"
    code = -32010


class DiskError(OIError):
    """A conversation or another file cannot be saved or read."""

    kind = "disk"


class ModelError(OIError):
    """The model cannot go on."""

    kind = "model"
    code = -32001


class AuthError(ModelError):
    """There is no key, or the server refuses it."""

    kind = "auth"


class RateLimitError(ModelError):
    """There were too many requests, or the account's quota is spent."""

    kind = "rate_limit"


class ContextError(ModelError):
    """The conversation does not fit into the model's context window."""

    kind = "context"


class ConnectionLostError(ModelError):
    """The server, or the daemon, cannot be reached, or the connection broke off."""

    kind = "connection"


class NoDaemonError(ConnectionLostError):
    """No daemon is installed at the place that the setting `host` names."""


class NoModelError(ModelError):
    """The server does not have the model."""

    kind = "no_model"

    models: Sequence[str] = ()
    """Names of the models that the server has, if it lists them."""


def error_for(kind: str) -> type[OIError]:
    """The class for a `kind` from the wire; `OIError` for an unknown one."""
    return _BY_KIND.get(kind, OIError)


_BY_KIND = {
    error.kind: error
    for error in (
        InvalidError,
        BusyError,
        DiskError,
        ModelError,
        AuthError,
        RateLimitError,
        ContextError,
        ConnectionLostError,
        NoModelError,
    )
}


class NotInstalledError(OIError):
    """The program that runs a language is not installed. The message says how to get it."""
