"""The environment in which the user's code runs: their own, and their own Python."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from oi_daemon.errors import NotInstalledError

_PLAIN = {"TERM": "dumb", "PAGER": "cat", "GIT_PAGER": "cat"}
"""Output is a pipe: no paging, no cursor movements."""


def find_python(setting: str | None, environ: Mapping[str, str]) -> str:
    """The Python that runs Python code: the setting, the active environment's, or the daemon's.

    The setting is a command, a path, or the folder of a virtual environment.

    Raises:
        NotInstalledError: the setting names none.
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


def environment(python: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's own environment, in which `pip` and `python` belong to this Python."""
    changed = {**environ, **_PLAIN}
    prefix = Path(python).parent.parent
    if (prefix / "pyvenv.cfg").exists():
        changed["VIRTUAL_ENV"] = str(prefix)
        changed["PATH"] = os.pathsep.join([str(prefix / "bin"), environ.get("PATH", os.defpath)])
    return changed
