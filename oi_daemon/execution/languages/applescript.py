"""AppleScript, on macOS. Each block runs as a separate script, so no variables are kept.

Not tested on a Mac: the tests run another program in place of `osascript`.
"""

from collections.abc import Mapping
from pathlib import Path

from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.environment import which
from oi_daemon.execution.languages.file_worker import Given, file_worker
from oi_daemon.execution.process.language_process import LanguageProcess

_LOOP = Path(__file__).with_name("boot.applescript.bash")


def applescript(workplace: Workplace) -> LanguageProcess:
    """A worker that runs AppleScript at this workplace."""

    def command(given: Given) -> list[str]:
        return ["bash", str(_LOOP), given.nonce, str(given.control), str(given.source)]

    return file_worker("AppleScript", workplace, missing=missing, command=command)


def missing(environ: Mapping[str, str] | None = None) -> str | None:
    """The reason why AppleScript cannot run here, or None if it can."""
    return None if which("osascript", environ) else "AppleScript runs on macOS only."


def path(workplace: Workplace) -> str | None:
    """The `osascript` that runs it, or None if there is none."""
    return which("osascript", workplace.environ)


LANGUAGE = Language(
    name="applescript",
    aliases=("osascript",),
    start=applescript,
    missing=missing,
    path=path,
    suffix=".applescript",
    lexer="applescript",
    vscode=("applescript",),
    neovim=("applescript",),
)
