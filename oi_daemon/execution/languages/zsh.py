"""zsh: a zsh that keeps running and executes blocks by `boot.zsh`."""

from collections.abc import Mapping
from pathlib import Path

from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.environment import which
from oi_daemon.execution.languages.file_worker import Given, file_worker
from oi_daemon.execution.process.language_process import LanguageProcess

_BOOT = Path(__file__).with_name("boot.zsh")


def zsh(workplace: Workplace) -> LanguageProcess:
    """A worker that runs zsh at this workplace."""

    def command(given: Given) -> list[str]:
        return [path(workplace) or "zsh", "-f", str(_BOOT), *map(str, given)]

    return file_worker("zsh", workplace, missing=missing, command=command)


def missing(environ: Mapping[str, str] | None = None) -> str | None:
    """The reason why zsh cannot run here, or None if it can."""
    if which("zsh", environ):
        return None
    return (
        "zsh is not installed (on Debian and Ubuntu: `apt install zsh`). The language `shell` is"
        " bash, which runs most code that is meant for zsh."
    )


def path(workplace: Workplace) -> str | None:
    """The zsh that runs it, or None if there is none."""
    return which("zsh", workplace.environ)


LANGUAGE = Language(
    name="zsh",
    aliases=(),
    start=zsh,
    missing=missing,
    path=path,
    suffix=".zsh",
    lexer="zsh",
    vscode=("zsh",),
    neovim=("zsh",),
)
