"""Displays in a terminal: kept as files, named, and shown where the terminal can show pictures."""

import base64
import binascii
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from oi_daemon.files import make_private, write_private
from oi_daemon.messages.written import DISPLAY_ID, Bundle, says_little
from oi_daemon.settings.paths import pictures_path

_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
    "text/html": ".html",
}
"""Suffix of the file that a display of each type is kept in."""
_TEXTS = ("image/svg+xml", "text/html")
"""Types whose data is text; that of all others is base64."""
_PIECE = 4096
"""Bytes of a picture in each of kitty's escape sequences, at most."""


class DisplayFiles:
    """The displays of a block as files. One that takes another's place overwrites its file."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str], Path] = {}
        """The files by display id and type."""

    def keep(self, data: Bundle) -> Path | None:
        """Write the display to a file; returns its path, None if it is text or the disk fails."""
        kind = next((kind for kind in _SUFFIXES if kind in data), None)
        if kind is None or (kind == "text/html" and not says_little(data)):
            return None
        name = str(data.get(DISPLAY_ID, len(self._paths)))
        path = self._paths.setdefault((name, kind), _new_path(_SUFFIXES[kind]))
        try:
            make_private(path.parent)
            write_private(path, _bytes(kind, data[kind]))
        except (OSError, binascii.Error, ValueError):
            return None
        return path


def _new_path(suffix: str) -> Path:
    """A path for a new file, named by the time."""
    now = f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_{time.time_ns() % 10**9:09}"
    return pictures_path() / f"{now}{suffix}"


def words(data: Bundle, path: Path | None) -> str:
    """A display in words: the file that it is kept in, or else its text."""
    if path is not None:
        return f"[{'page' if path.suffix == '.html' else 'picture'}: {path}]\n"
    text = data.get("text/plain") or re.sub(r"<[^>]+>", "", str(data.get("text/html", "")))
    shown = str(text).rstrip() or f"[{', '.join(data)}]"
    return f"{shown}\n"


def inline(data: Bundle, environ: Mapping[str, str] = os.environ) -> str:
    """The escape sequences that show the picture; empty if this terminal has none."""
    png = data.get("image/png")
    if not isinstance(png, str) or "TMUX" in environ or "STY" in environ:
        return ""
    encoded = "".join(png.split())
    program, term = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    if "KITTY_WINDOW_ID" in environ or "kitty" in term or "ghostty" in term:
        return _kitty(encoded)
    if program in ("iTerm.app", "WezTerm") or environ.get("LC_TERMINAL") == "iTerm2":
        return f"\x1b]1337;File=inline=1:{encoded}\a\n"
    if term.startswith(("foot", "mlterm", "contour")):
        return _sixel(encoded)
    return ""


def _kitty(encoded: str) -> str:
    """The escape sequences of kitty's protocol for a PNG in base64."""
    pieces = [encoded[start : start + _PIECE] for start in range(0, len(encoded), _PIECE)]
    head = "a=T,f=100,"
    sequences = []
    for number, piece in enumerate(pieces, 1):
        sequences.append(f"\x1b_G{head}m={int(number < len(pieces))};{piece}\x1b\\")
        head = ""
    return "".join([*sequences, "\n"])


def _sixel(encoded: str) -> str:
    """A PNG in base64 as sixels, made by libsixel's program; empty if that is not installed."""
    program = shutil.which("img2sixel")
    if program is None:
        return ""
    try:
        png = base64.b64decode(encoded)
        done = subprocess.run([program], input=png, capture_output=True, timeout=10, check=True)
    except (binascii.Error, OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("ascii", "replace") + "\n"


def _bytes(kind: str, value: object) -> bytes:
    """The content of the file for a display's data of this type."""
    return str(value).encode() if kind in _TEXTS else base64.b64decode(str(value))
