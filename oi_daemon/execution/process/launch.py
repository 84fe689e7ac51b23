"""A worker's process: started in a session of its own, with its pipes, and ended with all it began.

output   what it and its children write, stdout and stderr in one
control  code in; displays and requests for input out
answers  the lines that answer those requests
stdin    what its children read
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from oi_daemon.execution.process.guard import COOKIE, guard
from oi_daemon.execution.process.standard_input import StandardInput
from oi_daemon.execution.process.standby import Runner
from oi_daemon.execution.sandbox.sandbox import Sandbox

_PIPE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to start an interpreter that speaks marks."""

    command: Callable[[int, int, str], Sequence[str]]
    """Its command line, from the descriptors of control and answers and the marks' nonce."""
    environment: dict[str, str]
    cwd: str
    descriptors: tuple[int, ...] = ()
    """Further descriptors that it inherits. They are closed when it has ended."""
    sandbox: Sandbox | None = None
    folder: str | None = None
    """For its temporary files; removed when it has ended."""


class Child:
    """Reading ends are non-blocking. `exited` is called when the process has ended."""

    def __init__(self, program: Program, nonce: str, exited: Callable[[], None]) -> None:
        """
        Raises:
            OSError: it could not be started.
            NotInstalledError: its sandbox cannot be had here.
        """
        self._descriptors = program.descriptors
        self._folder = program.folder
        self._cookie = f"{guard().cookie}.{secrets.token_hex(4)}"
        self.stdin = StandardInput()
        self.control, control = socket.socketpair()
        self.answers, answers = socket.socketpair()
        self.output, output = os.pipe()
        try:
            command = program.command(control.fileno(), answers.fileno(), nonce)
            inherited = (control.fileno(), answers.fileno(), *program.descriptors)
            process = self._start(program, command, output, inherited)
        except BaseException:
            self._clean()
            raise
        finally:
            control.close()
            answers.close()
            os.close(output)
        self.runner = Runner(process, self._cookie, exited)
        _enlarge(self.output)
        _offer_to_oom_killer(process.pid)
        for end in (self.control, self.answers):
            end.setblocking(False)
        os.set_blocking(self.output, False)

    def _start(
        self, program: Program, command: Sequence[str], output: int, inherited: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        sandbox = program.sandbox
        environment = {**program.environment, COOKIE: self._cookie}
        environment |= sandbox.environment if sandbox else {}

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command,
                stdin=self.stdin.reader,
                stdout=output,
                stderr=output,
                pass_fds=inherited,
                start_new_session=True,
                cwd=program.cwd,
                env=environment,
                preexec_fn=_accept_interrupts if _ignores_interrupts() else None,
            )

        return sandbox.start(start, command, environment) if sandbox else start()

    def end(self) -> None:
        """After its exit: end what it left behind."""
        self.runner.end()
        self._clean()

    def _clean(self) -> None:
        self.control.close()
        self.answers.close()
        self.stdin.close()
        for descriptor in (self.output, *self._descriptors):
            os.close(descriptor)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _ignores_interrupts() -> bool:
    """As a background job of a plain shell does; bash could never catch them again."""
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def _accept_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _enlarge(pipe: int) -> None:
    """A flood then costs fewer wake-ups. Linux only, and only while the user has pages left."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    except (AttributeError, OSError):
        pass


def _offer_to_oom_killer(pid: int) -> None:
    """Where memory runs out, the code is ended and not the daemon."""
    try:
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    except OSError:
        pass
