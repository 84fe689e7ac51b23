"""The person's own programs: their editor, and what opens a file or a folder."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from oi_daemon.errors import OIError
from oi_daemon.terminal.printing import print_warning

_EDITORS = ("editor", "nano", "vim", "vi", "emacs")
"""Editors to look for where the person has not set one; the first that is found is taken."""


def edit_text(text: str, suffix: str) -> str | None:
    """Open a text in the person's editor; returns what they leave, None without an editor.

    Args:
        suffix: suffix of the file that the editor opens, by which it knows the language.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"block{suffix}"
        path.write_text(f"{text}\n", encoding="utf-8")
        try:
            _run([*_editor(), str(path)])
        except OIError as error:
            print_warning(str(error))
            return None
        return path.read_text(encoding="utf-8").removesuffix("\n")


def open_file(path: Path) -> None:
    """Open a text file in the person's editor, else in what the platform has for it.

    Where there is no terminal, nothing is opened unless the person has set an editor.

    Raises:
        OIError: there is nothing to open it with.
    """
    opener = _opener()
    if _configured_editor() or (opener is None and sys.stdin.isatty() and sys.stdout.isatty()):
        _run([*_editor(), str(path)])
    elif opener is not None:
        _run([opener, str(path)])


def open_folder(path: Path) -> None:
    """Open a folder in the platform's file manager, if there is a desktop."""
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
    """The command of the person's editor.

    Raises:
        OIError: there is none.
    """
    if command := _configured_editor():
        return shlex.split(command)
    for name in _EDITORS:
        if shutil.which(name):
            return [name]
    raise OIError("There is no editor: set VISUAL or EDITOR to the command of yours.")


def _configured_editor() -> str:
    """The command of the editor that the person has set; empty if none is set."""
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""


def _opener() -> str | None:
    """The platform's program that opens files and folders; None without a desktop."""
    if sys.platform == "darwin":
        return shutil.which("open")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return shutil.which("xdg-open")
    return None


def _run(command: list[str]) -> None:
    """Run a program in the terminal, and wait for its end.

    Raises:
        OIError: it cannot be started.
    """
    try:
        subprocess.run(command, check=False)
    except OSError as error:
        raise OIError(
            f"{command[0]} cannot be started: {error.strerror}. Set VISUAL or EDITOR to the"
            " command of your editor."
        ) from error
