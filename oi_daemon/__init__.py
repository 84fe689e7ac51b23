"""Open Interpreter as a language server.

`Interpreter` is the Python library: an object over a daemon of its own. The errors are those that
its calls raise. Everything else in the package belongs to that daemon and is reached over the wire
(`oi-daemon --stdio`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oi_daemon.client.interpreter import Interpreter
    from oi_daemon.errors import (
        AuthError,
        BusyError,
        ConnectionLostError,
        ContextError,
        InvalidError,
        ModelError,
        NoModelError,
        OIError,
        RateLimitError,
    )

__version__ = "0.1.0"
__all__ = [
    "AuthError",
    "BusyError",
    "ConnectionLostError",
    "ContextError",
    "Interpreter",
    "InvalidError",
    "ModelError",
    "NoModelError",
    "OIError",
    "RateLimitError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import what is public only when it is asked for: the daemon itself never needs the client."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = "oi_daemon.client.interpreter" if name == "Interpreter" else "oi_daemon.errors"
    return getattr(import_module(module), name)
