"""The shell: a persistent bash that keeps its folder, variables, functions and aliases."""

import os
import shutil
from pathlib import Path

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.environment import environment, find_python
from oi_daemon.execution.languages.file_worker import nameless_file, write_text
from oi_daemon.execution.process.launch import Program
from oi_daemon.execution.process.worker import Dialect, Worker

_BOOT = Path(__file__).with_name("boot.bash")


def shell(workplace: Workplace) -> Worker:
    """A shell at this workplace, in which `python` and `pip` are those that run Python code."""
    bash = _Bash(workplace)
    return Worker(Dialect(name="The shell", program=bash.program, request=bash.request), workplace)


def missing() -> str | None:
    """Why there is no shell here."""
    return None if shutil.which("bash") else "The shell needs bash, which is not installed."


def path(workplace: Workplace) -> str | None:
    return shutil.which("bash")


class _Bash:
    """Its blocks are handed over in a file without a name: bash gets the lines of a file right."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._source = -1

    def program(self) -> Program:
        bash = shutil.which("bash")
        if bash is None:
            raise NotInstalledError(missing() or "")
        python = find_python(self._workplace.python, os.environ)
        self._source, state = nameless_file(), nameless_file()
        kept = os.open(os.devnull, os.O_RDONLY)  # a number for bash to keep its standard input at
        files = (self._source, state, kept)

        def command(control: int, answers: int, nonce: str) -> list[str]:
            options = ["--noprofile", "--norc", str(_BOOT)]
            return [bash, *options, nonce, *map(str, (control, answers, *files))]

        return Program(
            command=command,
            environment=environment(python, os.environ),
            cwd=self._workplace.cwd,
            descriptors=files,
        )

    def request(self, number: int, code: str) -> bytes:
        write_text(self._source, code)
        return b"%d\n" % number


LANGUAGE = Language(
    name="shell",
    aliases=(
        "sh",
        "bash",
        "zsh",
        "console",
    ),
    start=shell,
    missing=missing,
    path=path,
)
