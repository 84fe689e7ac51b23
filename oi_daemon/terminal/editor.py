"""The person's own programs: their editor, and what opens a file or a folder."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from oi_daemon.errors import OIError
from oi_daemon.terminal.voice import warn

_COMMON = ("editor", "nano", "vim", "vi", "emacs")


def edited(code: str, suffix: str) -> str | None:
    """The code as the person leaves it in their editor; None if there is no editor.

    Args:
        suffix: suffix of the file that the editor opens, by which it knows the language.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"block{suffix}"
        path.write_text(f"{code}\n", encoding="utf-8")
        try:
            _run([*_editor(), str(path)])
        except OIError as error:
            warn(str(error))
            return None
        return path.read_text(encoding="utf-8").removesuffix("\n")


def open_file(path: Path) -> None:
    """Open a text file in the person's editor, else in what the platform has for it.

    Nothing is opened from a pipe, unless there is an editor that the person has set.

    Raises:
        OIError: there is nothing to open it with.
    """
    opener = _opener()
    if _chosen() or (opener is None and sys.stdin.isatty() and sys.stdout.isatty()):
        _run([*_editor(), str(path)])
    elif opener is not None:
        _run([opener, str(path)])


def open_folder(path: Path) -> None:
    """Open a folder where the platform can; over ssh there is nothing to open it with."""
    opener = _opener()
    if opener is not None:
        subprocess.Popen(
            [opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _editor() -> list[str]:
    if chosen := _chosen():
        return shlex.split(chosen)
    for name in _COMMON:
        if shutil.which(name):
            return [name]
    raise OIError("There is no editor: set VISUAL or EDITOR to the command of yours.")


def _chosen() -> str:
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""


def _opener() -> str | None:
    """The platform's program that opens things, where there is a desktop."""
    if sys.platform == "darwin":
        return shutil.which("open")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return shutil.which("xdg-open")
    return None


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=False)
    except OSError as error:
        raise OIError(
            f"{command[0]} cannot be started: {error.strerror}. Set VISUAL or EDITOR to the"
            " command of your editor."
        ) from error
