"""R: an R of the user's installation that keeps running and executes blocks by `boot.R`."""

from collections.abc import Mapping
from pathlib import Path

from oi_daemon.execution.language import Language, Lookup, Workplace
from oi_daemon.execution.languages.environment import which
from oi_daemon.execution.languages.file_worker import Given, file_worker
from oi_daemon.execution.process.language_process import LanguageProcess

_START = Path(__file__).with_name("start.R")
_GRACE = 5.0
"""Seconds that an interrupted block has to stop. R handles an interrupt only between two steps, and
a product of matrices is one step; a kill loses all variables, because there is no standby."""
_OPTIONS = ("--no-echo", "--no-save", "--no-restore")


def r(workplace: Workplace) -> LanguageProcess:
    """A worker that runs R at this workplace.

    It has a temporary folder of its own, because R leaves temporary files when it is killed.
    """

    def command(given: Given) -> list[str]:
        words = " ".join(map(str, given))
        return ["env", f"OI_R={words}", path(workplace) or "R", *_OPTIONS, f"--file={_START}"]

    return file_worker(
        "R",
        workplace,
        missing=missing,
        command=command,
        environ=_environ,
        folder="TMPDIR",
        grace=_GRACE,
        lookup=_lookup,
    )


def _lookup(number: int, lookup: Lookup) -> bytes:
    """What is sent for a lookup: a line with its number, kind, position, limit and code."""
    code = lookup.code.encode("utf-8", "replace").hex()
    head = f"? {number} {lookup.kind} {lookup.position} {lookup.limit}"
    return f"{head} {code}\n".encode()


def missing(environ: Mapping[str, str] | None = None) -> str | None:
    """The reason why R cannot run here, or None if it can."""
    if which("R", environ) is None:
        return (
            "R is not installed: get it from https://www.r-project.org, or on Debian and Ubuntu"
            " by `apt install r-base-core`."
        )
    return None if which("bash", environ) else "R needs bash beside it, which is not installed."


def path(workplace: Workplace) -> str | None:
    """The R that runs it, or None if there is none."""
    return which("R", workplace.environ)


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with a locale in which R can write any character."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if locale not in ("C", "POSIX"):
        return dict(environ)
    return {**environ, "LC_ALL": "", "LC_CTYPE": "C.UTF-8"}


LANGUAGE = Language(
    name="r",
    aliases=("rscript",),
    start=r,
    missing=missing,
    path=path,
    suffix=".R",
    lexer="r",
    vscode=("r",),
    neovim=("r",),
)
