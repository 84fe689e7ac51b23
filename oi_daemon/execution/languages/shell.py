"""The shell: a bash that keeps running, and so its folder, variables, functions and aliases."""

import os
import shutil
from pathlib import Path

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.environment import environment, find_python
from oi_daemon.execution.languages.file_worker import nameless_file, write_text
from oi_daemon.execution.languages.shell_lookups import answer, command
from oi_daemon.execution.process.language_process import LanguageProcess
from oi_daemon.execution.process.launch import Program
from oi_daemon.execution.process.worker_spec import LookupBlock, WorkerSpec

_BOOT = Path(__file__).with_name("boot.bash")


def shell(workplace: Workplace) -> LanguageProcess:
    """A worker that runs bash at this workplace.

    `python` and `pip` in it are those of the Python that runs Python code.
    """
    bash = _Bash(workplace)
    lookups = LookupBlock(
        code=command, answer=lambda lookup, text: answer(lookup, text, bash.environment)
    )
    spec = WorkerSpec(
        name="The shell", program=bash.program, request=bash.request, lookup_block=lookups
    )
    return LanguageProcess(spec, workplace)


def missing() -> str | None:
    """The reason why there is no shell here, or None if there is one."""
    return None if shutil.which("bash") else "The shell needs bash, which is not installed."


def path(workplace: Workplace) -> str | None:
    """The bash that runs it, or None if there is none."""
    return shutil.which("bash")


class _Bash:
    """Starts bash and hands over its blocks in a nameless file.

    Bash reports the right line numbers only for code that it reads from a file.
    """

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self.environment: dict[str, str] = {}
        """The variables with which bash was started."""
        self._source = -1
        """Descriptor of the file that holds the block's code."""

    def program(self) -> Program:
        """How to start bash.

        Raises:
            NotInstalledError: there is no bash, or the Python of the settings does not exist.
        """
        bash = shutil.which("bash")
        if bash is None:
            raise NotInstalledError(missing() or "")
        python = find_python(self._workplace.python, os.environ)
        self._source, state = nameless_file(), nameless_file()
        kept = os.open(os.devnull, os.O_RDONLY)  # bash keeps its standard input at this number
        files = (self._source, state, kept)

        def command(control: int, answers: int, nonce: str) -> list[str]:
            options = ["--noprofile", "--norc", str(_BOOT)]
            return [bash, *options, nonce, *map(str, (control, answers, *files))]

        self.environment = environment(python, os.environ)
        return Program(
            command=command,
            environment=self.environment,
            cwd=self._workplace.cwd,
            descriptors=files,
        )

    def request(self, number: int, code: str) -> bytes:
        """Write a block's code to the file; returns what is sent over the control socket."""
        write_text(self._source, code)
        return b"%d\n" % number


LANGUAGE = Language(
    name="shell",
    aliases=("sh", "bash", "zsh", "console"),
    start=shell,
    missing=missing,
    path=path,
    suffix=".sh",
    lexer="bash",
    vscode=("shellscript",),
    neovim=("sh", "bash", "zsh"),
)
