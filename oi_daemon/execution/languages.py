"""The languages: what each is called, what starts it, and what it needs."""

from collections.abc import Callable
from dataclasses import dataclass

from oi_daemon.execution import applescript, html, javascript, powershell, python, r, shell
from oi_daemon.execution.language import Process, Workplace


@dataclass(frozen=True, kw_only=True)
class Language:
    name: str
    aliases: tuple[str, ...]
    start: Callable[[Workplace], Process]
    missing: Callable[[], str | None] = lambda: None
    """Why it cannot run on this machine; None where it can."""
    path: Callable[[Workplace], str | None] = lambda workplace: None
    """The program that runs it at this workplace; None if there is none.

    Raises NotInstalledError where the settings name a wrong one.
    """


PYTHON = Language(name="python", aliases=("py", "python3"), start=python.python, path=python.path)
LANGUAGES = (
    PYTHON,
    Language(
        name="shell",
        aliases=("sh", "bash", "zsh", "console"),
        start=shell.shell,
        missing=shell.missing,
        path=shell.path,
    ),
    Language(
        name="javascript",
        aliases=("js", "node", "nodejs", "mjs", "cjs", "typescript", "ts"),
        start=javascript.javascript,
        missing=javascript.missing,
        path=javascript.path,
    ),
    Language(name="r", aliases=("rscript",), start=r.r, missing=r.missing, path=r.path),
    Language(
        name="powershell",
        aliases=("pwsh", "ps1"),
        start=powershell.powershell,
        missing=powershell.missing,
        path=powershell.path,
    ),
    Language(
        name="applescript",
        aliases=("osascript",),
        start=applescript.applescript,
        missing=applescript.missing,
        path=applescript.path,
    ),
    Language(name="html", aliases=("htm",), start=html.Page),
)


def find_language(name: str) -> Language | None:
    """The language of this name or alias, in any case."""
    wanted = name.strip().lower()
    for language in LANGUAGES:
        if wanted == language.name or wanted in language.aliases:
            return language
    return None
