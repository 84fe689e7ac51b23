"""R: a persistent R that runs `boot.R`, under the user's own installation."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.file_worker import Given, file_worker
from oi_daemon.execution.process.worker import Worker

_BOOT = Path(__file__).with_name("boot.R")
_OPTIONS = ("--no-echo", "--no-save", "--no-restore")


def r(workplace: Workplace) -> Worker:
    """R at this workplace. It leaves temporary files when it is killed: so it has a folder."""

    def command(given: Given) -> list[str]:
        words = " ".join(map(str, given))
        return ["env", f"OI_R={words}", path(workplace) or "R", *_OPTIONS, f"--file={_BOOT}"]

    return file_worker(
        "R", workplace, missing=missing, command=command, environ=_environ, folder="TMPDIR"
    )


def missing() -> str | None:
    """Why there is no R here."""
    if shutil.which("R") is None:
        return (
            "R is not installed: get it from https://www.r-project.org, or on Debian and Ubuntu"
            " by `apt install r-base-core`."
        )
    return None if shutil.which("bash") else "R needs bash beside it, which is not installed."


def path(workplace: Workplace) -> str | None:
    return shutil.which("R")


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The same, in which R can write any character."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if locale not in ("C", "POSIX"):
        return dict(environ)
    return {**environ, "LC_ALL": "", "LC_CTYPE": "C.UTF-8"}


LANGUAGE = Language(name="r", aliases=("rscript",), start=r, missing=missing, path=path)
