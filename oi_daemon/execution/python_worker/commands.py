"""The functions that `magic` makes `!command`, `%magic` and `name?` lines call.

A command may contain Python values, as `{expression}` or `$name`.
"""

from __future__ import annotations

import os
import re
import sys

from .figures import use_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_VALUE = re.compile(r"(?<![{$])\{([^{}]+)\}(?!\})|\$([^\W\d]\w*)")
"""Matches `{expression}` and `$name` in a command."""


def run(command: str) -> None:
    """Do what `!command` does: run it in the shell."""
    os.system(_expanded(command, sys._getframe(1)))


def lines(command: str) -> list[str]:
    """Do what `name = !command` does: run it and return the lines that it writes to stdout."""
    import subprocess

    command = _expanded(command, sys._getframe(1))
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE)
    return done.stdout.decode("utf-8", "replace").splitlines()


def script(shell: str, text: str) -> None:
    """Do what a `%%bash` or `%%sh` cell does: run the text in this shell."""
    import subprocess

    done = subprocess.run([shell, "-c", text])
    if done.returncode:
        sys.stderr.write(f"{shell} ended with code {done.returncode}.\n")


def cd(folder: str) -> None:
    """Do what `%cd folder` does: change the working folder, and print it."""
    folder = _expanded(folder, sys._getframe(1)).strip("'\"")
    os.chdir(os.path.expanduser(folder or "~"))  # noqa: PTH111
    sys.stdout.write(f"{os.getcwd()}\n")  # noqa: PTH109


def pip(arguments: str) -> None:
    """Do what `%pip arguments` does: run the pip of this Python."""
    from importlib import invalidate_caches
    from shlex import quote

    arguments = _expanded(arguments, sys._getframe(1))
    os.system(f"{quote(sys.executable)} -m pip {arguments}")
    invalidate_caches()


def matplotlib(backend: str) -> None:
    """Do what `%matplotlib inline` does: display figures. Any other backend is ignored."""
    import matplotlib as module

    use_backend(module)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].switch_backend(module.rcParams["backend"])


def who(patterns: str) -> None:
    """Do what `%who` and `%whos` do: list the variables; with patterns, those that match one."""
    from .variables import table

    sys.stdout.write(f"{table(sys._getframe(1).f_globals, patterns.split())}\n")


def explain(name: str, mark: str) -> None:
    """Do what `name?` does: write what the name stands for; with `??`, its source as well."""
    from .documentation import documentation

    frame = sys._getframe(1)
    try:
        value = eval(name, {**frame.f_globals, **frame.f_locals})
    except Exception:
        sys.stdout.write(f"Object `{name}` not found.\n")
    else:
        sys.stdout.write(documentation(value, name, source=mark == "??"))


def _expanded(command: str, frame: FrameType) -> str:
    """Return the command with Python values filled in.

    The names are looked up in the caller's frame. What names no Python value stays as it is,
    because the shell may know it.
    """

    def value(found: re.Match[str]) -> str:
        """Return the text for one `{expression}` or `$name`."""
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
