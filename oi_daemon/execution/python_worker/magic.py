"""Lines that are no Python: `!command` and `%magic`. Loaded when the first block has one.

Some magics are ours, so that they work without IPython; all others are IPython's.
"""

from __future__ import annotations

import os
import re
import sys

_OWN = {
    "run": re.compile(r"!(.+)"),
    "pip": re.compile(r"%pip\b(.*)"),
    "cd": re.compile(r"%cd\b(.*)"),
    "matplotlib": re.compile(r"%matplotlib\b(.*)"),
}
"""By the name of what runs them in `commands`."""
_CAPTURED = re.compile(r"([^\W\d][\w, ]*=)\s*!(.+)")
_SCRIPT = re.compile(r"\s*%%(bash|sh)[ \t]*\n(.*)", re.DOTALL)
_MAGIC = re.compile(r"(?:[^\W\d][\w, ]*=\s*)?%{1,2}[a-zA-Z]")


def script_as_python(code: str) -> str | None:
    """A block that is a `%%bash` cell, as Python."""
    script = _SCRIPT.fullmatch(code)
    return _call("script", script[1], script[2]) if script else None


def line_as_python(line: str) -> str | None:
    """A line that needs no IPython, as Python."""
    captured = _CAPTURED.fullmatch(line)
    if captured:
        return f"{captured[1]} {_call('lines', captured[2])}"
    for name, pattern in _OWN.items():
        found = pattern.fullmatch(line)
        if found:
            return _call(name, found[1].strip())
    return None


def _call(name: str, *arguments: str) -> str:
    values = ", ".join(map(repr, arguments))
    return f"__import__({__package__ + '.commands'!r}, fromlist='*').{name}({values})"


def is_magic(line: str) -> bool:
    """`%magic`, `%%magic` or `name = %magic`."""
    return _MAGIC.match(line) is not None


def through_ipython(code: str, line: str) -> str:
    """The code as IPython makes Python of it.

    Raises:
        SyntaxError: IPython is not installed.
    """
    try:
        from IPython.core.interactiveshell import InteractiveShell
    except ImportError:
        raise SyntaxError(
            f"`{line}` needs IPython, which {sys.executable} does not have:"
            " install it with `%pip install ipython`"
        ) from None
    if not InteractiveShell.initialized():
        _start(InteractiveShell)
    transformed: str = InteractiveShell.instance().transform_cell(code)
    return transformed


def _start(shells: type) -> None:
    """IPython's shell on our namespace; it must not take over output or write a history."""
    from traitlets.config import Config

    main, hook = sys.modules["__main__"], sys.displayhook
    config = Config()
    config.HistoryManager.enabled = False
    shell = shells.instance(user_module=main, user_ns=main.__dict__, config=config)  # type: ignore[attr-defined]
    sys.displayhook = hook

    def system(command: str) -> None:
        os.system(shell.var_expand(command, depth=1))

    shell.system = system
