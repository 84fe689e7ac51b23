"""What lines that are no Python call. Python's values stand in them as `{name}` or `$name`."""

from __future__ import annotations

import os
import re
import sys

from .figures import use_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_VALUE = re.compile(r"(?<![{$])\{([^{}]+)\}(?!\})|\$([^\W\d]\w*)")


def run(command: str) -> None:
    """`!command`"""
    os.system(_expanded(command, sys._getframe(1)))


def lines(command: str) -> list[str]:
    """`name = !command`: the lines that it writes to stdout."""
    import subprocess

    command = _expanded(command, sys._getframe(1))
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE)
    return done.stdout.decode("utf-8", "replace").splitlines()


def script(shell: str, text: str) -> None:
    """`%%bash`"""
    import subprocess

    done = subprocess.run([shell, "-c", text])
    if done.returncode:
        sys.stderr.write(f"{shell} ended with code {done.returncode}.\n")


def cd(folder: str) -> None:
    """`%cd folder`"""
    folder = _expanded(folder, sys._getframe(1)).strip("'\"")
    os.chdir(os.path.expanduser(folder or "~"))  # noqa: PTH111
    sys.stdout.write(f"{os.getcwd()}\n")  # noqa: PTH109


def pip(arguments: str) -> None:
    """`%pip arguments`: of this Python."""
    from importlib import invalidate_caches
    from shlex import quote

    arguments = _expanded(arguments, sys._getframe(1))
    os.system(f"{quote(sys.executable)} -m pip {arguments}")
    invalidate_caches()


def matplotlib(backend: str) -> None:
    """`%matplotlib inline`, or any other word: figures are displayed here."""
    import matplotlib as module

    use_backend(module)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].switch_backend(module.rcParams["backend"])


def _expanded(command: str, frame: FrameType) -> str:
    """The command with Python's values; what names none is left to the shell."""

    def value(found: re.Match[str]) -> str:
        expression = (found[1] or found[2]).strip()
        known = {**frame.f_globals, **frame.f_locals}
        if expression.isidentifier():
            return str(known[expression]) if expression in known else found[0]
        try:
            code = compile(expression, "<command>", "eval")
            return str(eval(code, known)) if code.co_names else found[0]
        except Exception:
            return found[0]

    return _VALUE.sub(value, command)
