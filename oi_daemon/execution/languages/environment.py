"""The environment in which the user's code runs, and the Python that runs it."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from oi_daemon.errors import NotInstalledError

_PLAIN = {"TERM": "dumb", "PAGER": "cat", "GIT_PAGER": "cat"}
"""Variables for an output that is a pipe: no pager, no cursor movements."""


def find_python(setting: str | None, environ: Mapping[str, str]) -> str:
    """The Python that runs Python code.

    It is the one that the setting names, else that of the active environment, else the daemon's
    own. The setting is a command, a path, or the folder of a virtual environment.

    Raises:
        NotInstalledError: the setting names no Python.
    """
    if setting:
        path = Path(setting).expanduser()
        command = path / "bin" / "python" if path.is_dir() else path
        found = shutil.which(str(command), path=environ.get("PATH"))
        if found is None:
            raise NotInstalledError(
                f"There is no Python at {setting!r}: change the setting `python`."
            )
        return found
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if prefix := environ.get(variable):
            python = Path(prefix, "bin", "python")
            if python.exists():
                return str(python)
    return sys.executable


def which(command: str, environ: Mapping[str, str] | None) -> str | None:
    """The program that a command means in an environment; in None, this process's."""
    return shutil.which(command, path=None if environ is None else environ.get("PATH"))


def environment(python: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, changed so that `pip` and `python` belong to this Python."""
    changed = {**environ, **_PLAIN}
    prefix = Path(python).parent.parent
    if (prefix / "pyvenv.cfg").exists():
        changed["VIRTUAL_ENV"] = str(prefix)
        changed["PATH"] = os.pathsep.join([str(prefix / "bin"), environ.get("PATH", os.defpath)])
    return changed
