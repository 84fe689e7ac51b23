"""Turns `!command`, `%magic` and `name?` lines into Python. Loaded when a block has such a line.

A few magics are implemented in `commands`, so that they work without IPython; all others are left
to IPython.
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
    "who": re.compile(r"%whos?\b(.*)"),
}
"""Matches the lines that need no IPython, by the name of the function in `commands` for them."""
_CAPTURED = re.compile(r"([^\W\d][\w, ]*=)\s*!(.+)")
"""Matches `name = !command`."""
_HELP = re.compile(r"(\?\??)\s*([^\W\d][\w.]*)|([^\W\d][\w.]*)(\?\??)")
"""Matches `?name`, `??name`, `name?` and `name??`."""
_SCRIPT = re.compile(r"\s*%%(bash|sh)[ \t]*\n(.*)", re.DOTALL)
"""Matches a `%%bash` or `%%sh` cell."""
_MAGIC = re.compile(r"(?:[^\W\d][\w, ]*=\s*)?%{1,2}[a-zA-Z]")
"""Matches the beginning of any magic line."""


def script_as_python(code: str) -> str | None:
    """Return a `%%bash` or `%%sh` cell as Python; None if the block is no such cell."""
    script = _SCRIPT.fullmatch(code)
    return _call("script", script[1], script[2]) if script else None


def line_as_python(line: str) -> str | None:
    """Return a line that needs no IPython as Python; None for any other line."""
    captured = _CAPTURED.fullmatch(line)
    if captured:
        return f"{captured[1]} {_call('lines', captured[2])}"
    question = _HELP.fullmatch(line)
    if question:
        before, after, name, mark = question.groups()
        return _call("explain", after or name, before or mark)
    for name, pattern in _OWN.items():
        found = pattern.fullmatch(line)
        if found:
            return _call(name, found[1].strip())
    return None


def _call(name: str, *arguments: str) -> str:
    """Return an expression that calls this function of `commands`, on one line, without a name."""
    values = ", ".join(map(repr, arguments))
    return f"__import__({f'{__package__}.commands'!r}, fromlist='*').{name}({values})"


def is_magic(line: str) -> bool:
    """Return True for `%magic`, `%%magic` and `name = %magic`."""
    return _MAGIC.match(line) is not None


def through_ipython(code: str, line: str) -> str:
    """Return the code as IPython turns it into Python; `line` is the line that needs IPython.

    Raises:
        SyntaxError: IPython is not installed. The message says how to install it.
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
    """Start IPython's shell in the blocks' namespace, without its output handling and history."""
    from traitlets.config import Config

    main, hook = sys.modules["__main__"], sys.displayhook
    config = Config()
    config.HistoryManager.enabled = False
    shell = shells.instance(user_module=main, user_ns=main.__dict__, config=config)  # type: ignore[attr-defined]
    sys.displayhook = hook

    def system(command: str) -> None:
        """Run a command as IPython's shell does, but with the worker's `os.system`."""
        os.system(shell.var_expand(command, depth=1))

    shell.system = system
