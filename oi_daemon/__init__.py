"""Open Interpreter as a language server.

`Interpreter` is the Python library: an object over a daemon of its own; `AsyncInterpreter` is the
same for asyncio. The errors are those that its calls raise; the dictionaries are the types of what
they take and return. Everything else in the package belongs to that daemon and is reached over the
wire (`oi-daemon --stdio`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oi_daemon.client.asynchronous import AsyncInterpreter
    from oi_daemon.client.interpreter import Interpreter
    from oi_daemon.errors import (
        AuthError,
        BusyError,
        ConnectionLostError,
        ContextError,
        DiskError,
        InvalidError,
        ModelError,
        NoModelError,
        OIError,
        RateLimitError,
    )
    from oi_daemon.messages.shapes import ChunkDict, MessageDict
    from oi_daemon.settings.shapes import SettingsDict

__version__ = "0.1.0"
__all__ = [
    "AsyncInterpreter",
    "AuthError",
    "BusyError",
    "ChunkDict",
    "ConnectionLostError",
    "ContextError",
    "DiskError",
    "Interpreter",
    "InvalidError",
    "MessageDict",
    "ModelError",
    "NoModelError",
    "OIError",
    "RateLimitError",
    "SettingsDict",
    "__version__",
]

_MODULES = {
    "AsyncInterpreter": "oi_daemon.client.asynchronous",
    "ChunkDict": "oi_daemon.messages.shapes",
    "Interpreter": "oi_daemon.client.interpreter",
    "MessageDict": "oi_daemon.messages.shapes",
    "SettingsDict": "oi_daemon.settings.shapes",
}
"""Where the public names are defined. Those that are not listed are errors."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, because the daemon never needs the client."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES.get(name, "oi_daemon.errors")), name)
