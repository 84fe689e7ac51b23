"""JavaScript: runs `javascript_worker/` in the user's Node.js."""

from collections.abc import Mapping
from pathlib import Path

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Language, Lookup, Workplace
from oi_daemon.execution.languages.environment import environment, find_python, which
from oi_daemon.execution.process.language_process import LanguageProcess
from oi_daemon.execution.process.launch import Program
from oi_daemon.execution.process.worker_spec import WorkerSpec

_WORKER = Path(__file__).parents[1] / "javascript_worker/main.cjs"
_INTERRUPT = b"0 0\n"
"""Message that interrupts a block. Node.js handles a signal only between two events, but a thread
of the worker reads this at any time."""


def javascript(workplace: Workplace) -> LanguageProcess:
    """A worker that runs JavaScript, and TypeScript if Node.js can strip types."""

    def program() -> Program:
        node = which("node", workplace.environ)
        if node is None:
            raise NotInstalledError(missing(workplace.environ) or "")

        def command(control: int, answers: int, nonce: str) -> list[str]:
            # Node's checks of async hooks would end it after an interrupt in a timer's callback.
            options = ["--no-force-async-hooks-checks", "--disable-warning=ExperimentalWarning"]
            return [node, *options, str(_WORKER), str(control), str(answers), nonce]

        python = find_python(workplace.python, workplace.environ)
        return Program(
            command=command, environment=environment(python, workplace.environ), cwd=workplace.cwd
        )

    spec = WorkerSpec(
        name="JavaScript",
        program=program,
        request=_request,
        interruption=_INTERRUPT,
        lookup=_lookup,
        answers_while_running=True,
    )
    return LanguageProcess(spec, workplace)


def missing(environ: Mapping[str, str] | None = None) -> str | None:
    """The reason why JavaScript cannot run here, or None if it can."""
    if which("node", environ):
        return None
    return "JavaScript needs Node.js 20.11 or later, which is not installed (no `node` in PATH)."


def path(workplace: Workplace) -> str | None:
    """The Node.js that runs it, or None if there is none."""
    return which("node", workplace.environ)


def _request(number: int, code: str) -> bytes:
    """What is sent to run a block: its number, the size of its code, and the code."""
    data = code.encode("utf-8", "replace")
    return b"%d %d\n%s" % (number, len(data), data)


def _lookup(number: int, lookup: Lookup) -> bytes:
    """What is sent for a lookup: number, kind, position, limit, the code's size, the code."""
    data = lookup.code.encode("utf-8", "replace")
    head = f"? {number} {lookup.kind} {lookup.position} {lookup.limit} {len(data)}\n"
    return head.encode() + data


LANGUAGE = Language(
    name="javascript",
    aliases=(
        "js",
        "node",
        "nodejs",
        "mjs",
        "cjs",
        "typescript",
        "ts",
    ),
    start=javascript,
    missing=missing,
    path=path,
    suffix=".js",
    lexer="javascript",
    vscode=("javascript", "javascriptreact", "typescript", "typescriptreact"),
    neovim=("javascript", "javascriptreact", "typescript", "typescriptreact"),
)
