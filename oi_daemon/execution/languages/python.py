"""Python: runs `python_worker/` in the user's Python."""

from pathlib import Path

from oi_daemon.execution.language import Language, Lookup, Workplace
from oi_daemon.execution.languages.environment import environment, find_python
from oi_daemon.execution.limits import STANDBY_SUPPORTED
from oi_daemon.execution.process.language_process import LanguageProcess
from oi_daemon.execution.process.launch import Program, temporary_folder
from oi_daemon.execution.process.worker_spec import WorkerSpec

TOOLS = "OI_DAEMON_TOOLS"
"""Environment variable: set if the worker offers `tools`."""
_WORKER = Path(__file__).parents[1] / "python_worker" / "__main__.py"


def python(workplace: Workplace) -> LanguageProcess:
    """A worker that runs Python at this workplace."""

    def program() -> Program:
        path = find_python(workplace.python, workplace.environ)
        folder = temporary_folder(workplace.sandbox.temporary if workplace.sandbox else None)

        def command(control: int, answers: int, nonce: str) -> list[str]:
            return [path, "-X", "utf8", str(_WORKER), str(control), str(answers), nonce, folder]

        variables = environment(path, workplace.environ)
        if workplace.has_tools:
            variables[TOOLS] = "1"
        return Program(
            command=command,
            environment=variables,
            cwd=workplace.cwd,
            folder=folder,
            has_lookups=True,
        )

    def request(number: int, code: str) -> bytes:
        data = code.encode("utf-8", "surrogatepass")
        megabytes = workplace.limits.standby_memory if STANDBY_SUPPORTED else 0
        return b"%d %d %d\n%s" % (number, megabytes, len(data), data)

    spec = WorkerSpec(
        name="Python",
        program=program,
        request=request,
        lookup=_lookup,
        answers_while_running=True,
    )
    return LanguageProcess(spec, workplace)


def _lookup(number: int, lookup: Lookup) -> bytes:
    """What is sent for a lookup: its number, kind, position and limit, and the code."""
    head = f"{number} {lookup.kind} {lookup.position} {lookup.limit}\n"
    return f"{head}{lookup.code}".encode("utf-8", "replace")


def path(workplace: Workplace) -> str:
    """The Python that runs it. See `find_python`."""
    return find_python(workplace.python, workplace.environ)


LANGUAGE = Language(
    name="python",
    aliases=("py", "python3"),
    start=python,
    path=path,
    suffix=".py",
    lexer="python",
    vscode=("python",),
    neovim=("python",),
)
