"""Jupyter kernels: each installed kernel is a further language, run through `jupyter_worker/`.

One whose description names a provisioner may run anywhere: on another machine, in a cluster.
"""

import re
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from string import Template

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.environment import environment, find_python, which
from oi_daemon.execution.languages.kernels import KernelSpec
from oi_daemon.execution.process.language_process import LanguageProcess
from oi_daemon.execution.process.launch import Program
from oi_daemon.execution.process.worker_spec import WorkerSpec

_WORKER = Path(__file__).parents[1] / "jupyter_worker"
_ANY_PYTHON = re.compile(r"python[\d.]*")
_AGAIN, _GRACE = 3.0, 10.0
"""Seconds between interrupts, and until a kill. ipykernel takes longer to end a block if it is
interrupted again while it reports the first interrupt."""
_SHUTDOWN = 20.0
"""Seconds that a kernel of a provisioner has to end when it is asked to; then what runs of it on
this machine is killed."""
_PROVISIONERS = "jupyter_client.kernel_provisioners"
"""The entry points by which packages offer provisioners."""
_OUT_OF_REACH = (
    "The Jupyter kernel {} is started by the provisioner {}, perhaps on another machine, where the"
    " sandbox does not reach. To run code in it, turn the setting sandbox off."
)
_NO_SOCKETS = (
    "A Jupyter kernel is reached over sockets, of which there are none with the setting"
    " sandbox = isolated. With sandbox = write-protect it can run."
)


def start(kernel: KernelSpec, workplace: Workplace) -> LanguageProcess:
    """A worker that runs blocks in this kernel at this workplace."""
    if kernel.provisioner:
        return _start_provisioned(kernel, workplace)

    def program() -> Program:
        if workplace.sandbox is not None and workplace.sandbox.mode == "isolated":
            raise NotInstalledError(_NO_SOCKETS)
        environ = environment(find_python(workplace.python, workplace.environ), workplace.environ)
        given = {
            name: Template(v).safe_substitute(environ) for name, v in kernel.environment.items()
        }
        interrupts = "message" if kernel.interrupted_by_message else "signal"
        kernel_command = [path(kernel, workplace) or kernel.command[0], *kernel.command[1:]]

        def command(control: int, answers: int, nonce: str) -> list[str]:
            worker = [sys.executable, str(_WORKER), str(control), str(answers), nonce]
            return [*worker, interrupts, *kernel_command]

        return Program(command=command, environment={**environ, **given}, cwd=workplace.cwd)

    return LanguageProcess(_worker(kernel, program), workplace)


def _start_provisioned(kernel: KernelSpec, workplace: Workplace) -> LanguageProcess:
    """A worker that has the kernel's provisioner start it."""

    def program() -> Program:
        if workplace.sandbox is not None:
            raise NotInstalledError(_OUT_OF_REACH.format(kernel.name, kernel.provisioner))
        environ = environment(find_python(workplace.python, workplace.environ), workplace.environ)

        def command(control: int, answers: int, nonce: str) -> list[str]:
            worker = [sys.executable, str(_WORKER), str(control), str(answers), nonce]
            return [*worker, "provisioner", str(kernel.folder)]

        return Program(
            command=command, environment=environ, cwd=workplace.cwd, ends_within=_SHUTDOWN
        )

    return LanguageProcess(_worker(kernel, program), workplace)


def _worker(kernel: KernelSpec, program: Callable[[], Program]) -> WorkerSpec:
    """Describes the worker of a kernel."""
    return WorkerSpec(
        name=f"The Jupyter kernel {kernel.name}",
        program=program,
        request=_request,
        again=_AGAIN,
        has_kernel=True,
        grace=_GRACE,
    )


def missing(kernel: KernelSpec, environ: Mapping[str, str] | None = None) -> str | None:
    """The reason why this kernel cannot run here, or None if it can."""
    if find_spec("jupyter_client") is None:
        return (
            f"The Jupyter kernel {kernel.name} is installed; to run code in it, oi-daemon needs an"
            ' extra: pip install "oi-daemon[jupyter]".'
        )
    if kernel.provisioner:
        return _missing_provisioner(kernel)
    if not _ANY_PYTHON.fullmatch(kernel.command[0]) and which(kernel.command[0], environ) is None:
        return f"The Jupyter kernel {kernel.name} needs {kernel.command[0]}, which is not there."
    return None


def _missing_provisioner(kernel: KernelSpec) -> str | None:
    """The reason why there is no provisioner for this kernel, or None if there is one."""
    if any(kernel.provisioner == found.name for found in entry_points(group=_PROVISIONERS)):
        return None
    return (
        f"The Jupyter kernel {kernel.name} needs the provisioner {kernel.provisioner}: install the"
        f" package that has it where oi-daemon is installed, which is {sys.prefix}."
    )


def path(kernel: KernelSpec, workplace: Workplace) -> str | None:
    """The program that runs this kernel, or None if there is none, or if a provisioner knows it.

    A kernel whose command is plain `python` means the Python of the environment it belongs to.
    """
    if kernel.provisioner:
        return None
    if _ANY_PYTHON.fullmatch(kernel.command[0]):
        own = kernel.prefix and kernel.prefix / "bin" / kernel.command[0]
        return (
            str(own) if own and own.exists() else find_python(workplace.python, workplace.environ)
        )
    return which(kernel.command[0], workplace.environ)


def _request(number: int, code: str) -> bytes:
    """What is sent to run a block: its number, the size of its code, and the code."""
    data = code.encode("utf-8", "replace")
    return b"%d %d\n%s" % (number, len(data), data)
