"""Open Interpreter as a language server.

`Interpreter` is the Python library: an object over a daemon of its own. Everything else in the
package belongs to that daemon and is reached over the wire (`oi-daemon --stdio`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oi_daemon.client import Interpreter

__version__ = "0.1.0"
__all__ = ["Interpreter", "__version__"]


def __getattr__(name: str) -> Any:
    """Import the client only when it is asked for: the daemon itself never needs it."""
    if name == "Interpreter":
        from oi_daemon.client import Interpreter

        return Interpreter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
