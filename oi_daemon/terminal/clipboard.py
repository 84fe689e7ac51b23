"""The clipboard of the person's desktop, or of the terminal itself."""

import base64
import os
import shutil
import subprocess
import sys

from oi_daemon.errors import OIError

_NONE = "There is no clipboard: neither a desktop nor a terminal is here."


def copy(text: str) -> None:
    """Put a text into the clipboard.

    Raises:
        OIError: there is none.
    """
    program = _program()
    if program is not None and _given_to(program, text):
        return
    if not sys.stdout.isatty():
        raise OIError(_NONE)
    encoded = base64.b64encode(text.encode()).decode()
    sys.stdout.write(f"\x1b]52;c;{encoded}\a")  # most terminals take this, also through ssh
    sys.stdout.flush()


def _program() -> list[str] | None:
    """The program that takes a text for the clipboard; None if there is none."""
    candidates = {
        "pbcopy": sys.platform == "darwin",
        "wl-copy": "WAYLAND_DISPLAY" in os.environ,
        "xclip -selection clipboard": "DISPLAY" in os.environ,
        "xsel --clipboard --input": "DISPLAY" in os.environ,
        "clip.exe": sys.platform == "win32" or "WSL_DISTRO_NAME" in os.environ,
    }
    for command, is_possible in candidates.items():
        if is_possible and shutil.which(command.split()[0]):
            return command.split()
    return None


def _given_to(program: list[str], text: str) -> bool:
    """Whether the program has taken the text."""
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            program, input=text.encode(), stdout=quiet, stderr=quiet, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
