"""AppleScript, on macOS: each block is a script of its own.

Not tested on a Mac: its tests run another program in `osascript`'s place.
"""

import shutil
from pathlib import Path

from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.file_worker import Given, file_worker
from oi_daemon.execution.process.worker import Worker

_LOOP = Path(__file__).with_name("boot.applescript.bash")


def applescript(workplace: Workplace) -> Worker:
    """AppleScript at this workplace."""

    def command(given: Given) -> list[str]:
        return ["bash", str(_LOOP), given.nonce, str(given.control), str(given.source)]

    return file_worker("AppleScript", workplace, missing=missing, command=command)


def missing() -> str | None:
    """Why there is no AppleScript here."""
    return None if shutil.which("osascript") else "AppleScript runs on macOS only."


def path(workplace: Workplace) -> str | None:
    return shutil.which("osascript")


LANGUAGE = Language(
    name="applescript", aliases=("osascript",), start=applescript, missing=missing, path=path
)
