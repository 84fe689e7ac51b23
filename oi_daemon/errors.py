"""What goes wrong, in words for a person.

OIError                     everything a person should read; never holds a key
├── InvalidError            a request, setting or message that does not fit; nothing was changed
├── RequestError            what came is no request, or cannot be taken now
├── InternalError           a fault of ours
├── BusyError               the conversation has a turn under way
├── DiskError               a conversation or a file cannot be saved or read
└── ModelError              the model cannot go on
    ├── AuthError           no key, or one that the server refuses
    ├── RateLimitError      too many requests, or the account's quota is spent
    ├── ContextError        the conversation does not fit the model's context window
    ├── ConnectionLostError the server cannot be reached, or the stream broke off
    └── NoModelError        the server does not have that model

`kind` is the word that travels in a JSON-RPC error's `data.kind`, `code` its number.
"""

from collections.abc import Sequence
from typing import ClassVar


class OIError(Exception):
    """Base of all errors meant for a person: the message says what happened and what to do."""

    kind: ClassVar[str] = "error"
    code: int = -32000


class InvalidError(OIError):
    kind = "invalid"
    code = -32602


class RequestError(OIError):
    """Not about what is asked but about the request itself; each carries its own code."""

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
    """A fault of ours: the log has the details, the text only says where."""

    kind = "internal"
    code = -32603


class BusyError(OIError):
    kind = "busy"
    code = -32010


class DiskError(OIError):
    kind = "disk"


class ModelError(OIError):
    kind = "model"
    code = -32001


class AuthError(ModelError):
    kind = "auth"


class RateLimitError(ModelError):
    kind = "rate_limit"


class ContextError(ModelError):
    kind = "context"


class ConnectionLostError(ModelError):
    kind = "connection"


class NoModelError(ModelError):
    kind = "no_model"

    models: Sequence[str] = ()
    """Those that the server has, where it told."""


def error_for(kind: str) -> type[OIError]:
    """The class for a `kind` that came over the wire; `OIError` for one that is not known."""
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
    """The interpreter of a language is not on this machine; the message says how to get it."""
