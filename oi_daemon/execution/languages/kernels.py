"""Finds the installed Jupyter kernels by reading their files, in the folders where Jupyter looks.

`jupyter_client` is not used here because its import takes a third of a second.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PLAIN = "local-provisioner"
"""The provisioner that does no more than to run the command here."""


@dataclass(frozen=True, kw_only=True)
class KernelSpec:
    """What the file `kernel.json` says about a kernel."""

    name: str
    """Name of the folder with the kernel's file, in lower case."""
    language: str
    """Name of the language that the kernel runs, in lower case; empty if the file does not say."""
    command: tuple[str, ...]
    """Command line that starts the kernel. `{connection_file}` in it stands for a path. It may be
    empty if there is a provisioner."""
    provisioner: str = ""
    """Name of the provisioner that starts the kernel, perhaps on another machine; empty if the
    command starts it here."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that are added to the kernel's environment."""
    interrupted_by_message: bool = False
    """Whether the kernel is interrupted by a message instead of a signal."""
    folder: Path
    """The folder that the file is in."""

    @property
    def prefix(self) -> Path | None:
        """The environment that the kernel was installed into, or None if it is not in one."""
        *prefix, share, jupyter, kernels, _ = ("", "", *self.folder.parts)
        installed = (share, jupyter, kernels) == ("share", "jupyter", "kernels")
        return Path(*prefix) if installed else None


def find_kernels(environ: Mapping[str, str]) -> list[KernelSpec]:
    """All installed kernels. Of several with one name, only the one that Jupyter would choose."""
    found: dict[str, KernelSpec] = {}
    for place in _places(environ):
        for folder in _folders(place / "kernels"):
            kernel = _read(folder)
            if kernel is not None:
                found.setdefault(kernel.name, kernel)
    return list(found.values())


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    """Jupyter's data folders in the order of its search."""
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
    """The user's own data folder."""
    if sys.platform == "darwin":
        return Path("~/Library/Jupyter").expanduser()
    return Path(environ.get("XDG_DATA_HOME") or "~/.local/share", "jupyter").expanduser()


def _folders(place: Path) -> list[Path]:
    """The paths in a folder, sorted; none if it cannot be read."""
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _read(folder: Path) -> KernelSpec | None:
    """The kernel that this folder describes, or None if it describes none."""
    try:
        spec: dict[str, Any] = json.loads((folder / "kernel.json").read_bytes())
        provisioner = _provisioner(spec)
        arguments = spec.get("argv", []) if provisioner else spec["argv"]
        command = [str(argument) for argument in arguments]
        return KernelSpec(
            name=folder.name.lower(),
            language=str(spec.get("language", "")).lower(),
            command=tuple(part.replace("{resource_dir}", str(folder)) for part in command),
            provisioner=provisioner,
            environment={name: str(value) for name, value in (spec.get("env") or {}).items()},
            interrupted_by_message=spec.get("interrupt_mode") == "message",
            folder=folder,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _provisioner(spec: dict[str, Any]) -> str:
    """The provisioner that a kernel's file names; empty if it is the one of plain commands."""
    stanza = (spec.get("metadata") or {}).get("kernel_provisioner") or {}
    name = str(stanza.get("provisioner_name") or "")
    return "" if name == _PLAIN else name
