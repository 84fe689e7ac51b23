"""The Jupyter kernels that are installed, found where Jupyter looks for them.

Read from their files: `jupyter_client` would tell the same, after a third of a second of imports in
the daemon.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class KernelSpec:
    name: str
    language: str
    command: tuple[str, ...]
    """`{connection_file}` in it stands for a path."""
    environment: Mapping[str, str] = field(default_factory=dict)
    interrupted_by_message: bool = False
    folder: Path

    @property
    def prefix(self) -> Path | None:
        """The environment that it was installed into, if that is one."""
        *prefix, share, jupyter, kernels, _ = ("", "", *self.folder.parts)
        installed = (share, jupyter, kernels) == ("share", "jupyter", "kernels")
        return Path(*prefix) if installed else None


def find_kernels(environ: Mapping[str, str]) -> list[KernelSpec]:
    """All of them; where there are several of one name, the one that Jupyter would take."""
    found: dict[str, KernelSpec] = {}
    for place in _places(environ):
        for folder in _folders(place / "kernels"):
            kernel = _read(folder)
            if kernel is not None:
                found.setdefault(kernel.name, kernel)
    return list(found.values())


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    """Jupyter's data folders: named, the user's, the environments', the system's."""
    for named in environ.get("JUPYTER_PATH", "").split(os.pathsep):
        if named:
            yield Path(named)
    yield Path(environ.get("JUPYTER_DATA_DIR") or _users(environ))
    for prefix in (environ.get("VIRTUAL_ENV"), environ.get("CONDA_PREFIX"), sys.prefix):
        if prefix:
            yield Path(prefix, "share", "jupyter")
    yield Path("/usr/local/share/jupyter")
    yield Path("/usr/share/jupyter")


def _users(environ: Mapping[str, str]) -> Path:
    if sys.platform == "darwin":
        return Path("~/Library/Jupyter").expanduser()
    return Path(environ.get("XDG_DATA_HOME") or "~/.local/share", "jupyter").expanduser()


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _read(folder: Path) -> KernelSpec | None:
    """The kernel that this folder describes, if it describes one."""
    try:
        spec: dict[str, Any] = json.loads((folder / "kernel.json").read_bytes())
        command = [str(argument) for argument in spec["argv"]]
        return KernelSpec(
            name=folder.name.lower(),
            language=str(spec.get("language", "")).lower(),
            command=tuple(part.replace("{resource_dir}", str(folder)) for part in command),
            environment={name: str(value) for name, value in (spec.get("env") or {}).items()},
            interrupted_by_message=spec.get("interrupt_mode") == "message",
            folder=folder,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
