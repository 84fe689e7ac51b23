"""The shell: a bash that keeps running, and so its folder, variables, functions and aliases."""

from collections.abc import Mapping

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.environment import environment, find_python, which
from oi_daemon.execution.languages.shell_lookups import answer, command
from oi_daemon.execution.languages.shell_script import ShellScript
from oi_daemon.execution.process.language_process import LanguageProcess
from oi_daemon.execution.process.launch import Program
from oi_daemon.execution.process.worker_spec import LookupBlock, WorkerSpec


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


def missing(environ: Mapping[str, str] | None = None) -> str | None:
    """The reason why there is no shell here, or None if there is one."""
    return None if which("bash", environ) else "The shell needs bash, which is not installed."


def path(workplace: Workplace) -> str | None:
    """The bash that runs it, or None if there is none."""
    return which("bash", workplace.environ)


class _Bash:
    """Starts bash, and hands over its blocks as parts of its script."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self.environment: dict[str, str] = {}
        """The variables with which bash was started."""
        self._script: ShellScript | None = None
        """The script of the bash that was started last."""

    def program(self) -> Program:
        """How to start bash.

        Raises:
            NotInstalledError: there is no bash, or the Python of the settings does not exist.
        """
        environ = self._workplace.environ
        bash = which("bash", environ)
        if bash is None:
            raise NotInstalledError(missing(environ) or "")
        python = find_python(self._workplace.python, environ)
        script = self._script = ShellScript(self._workplace.cwd)

        def command(control: int, answers: int, nonce: str) -> list[str]:
            script.begin(nonce, control, answers)
            return [bash, "--noprofile", "--norc", "bash"]

        self.environment = environment(python, environ)
        return Program(
            command=command,
            environment=self.environment,
            cwd=script.folder,
            descriptors=(script.descriptor,),
            folder=script.folder,
        )

    def request(self, number: int, code: str) -> bytes:
        """Append a block to the script; returns what is sent over the control socket."""
        assert self._script is not None
        self._script.append(number, code)
        return b"\n"


LANGUAGE = Language(
    name="shell",
    aliases=("sh", "bash", "console"),
    start=shell,
    missing=missing,
    path=path,
    suffix=".sh",
    lexer="bash",
    vscode=("shellscript",),
    neovim=("sh", "bash"),
)
