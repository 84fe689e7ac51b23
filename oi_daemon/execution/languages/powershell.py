"""PowerShell: a `pwsh` that keeps running and executes blocks by `boot.ps1`.

Not tested with a real PowerShell: the tests run a program that imitates one.
"""

from collections.abc import Mapping
from pathlib import Path

from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.environment import which
from oi_daemon.execution.languages.file_worker import Given, file_worker
from oi_daemon.execution.process.language_process import LanguageProcess

_BOOT = Path(__file__).with_name("boot.ps1")
_OPTIONS = ("-NoLogo", "-NoProfile", "-NoExit")


def powershell(workplace: Workplace) -> LanguageProcess:
    """A worker that runs PowerShell at this workplace."""

    def command(given: Given) -> list[str]:
        boot = str(_BOOT).replace("'", "''")
        start = f". '{boot}' '{given.nonce}' {given.control} {given.answers} {given.source}"
        return [path(workplace) or "pwsh", *_OPTIONS, "-Command", start]

    return file_worker("PowerShell", workplace, missing=missing, command=command)


def missing(environ: Mapping[str, str] | None = None) -> str | None:
    """The reason why PowerShell cannot run here, or None if it can."""
    if which("pwsh", environ) or which("powershell", environ):
        return None
    return "PowerShell is not installed (https://aka.ms/install-powershell says how to get `pwsh`)."


def path(workplace: Workplace) -> str | None:
    """The PowerShell that runs it, or None if there is none."""
    return which("pwsh", workplace.environ) or which("powershell", workplace.environ)


LANGUAGE = Language(
    name="powershell",
    aliases=("pwsh", "ps1"),
    start=powershell,
    missing=missing,
    path=path,
    suffix=".ps1",
    lexer="powershell",
    vscode=("powershell",),
    neovim=("ps1",),
)
