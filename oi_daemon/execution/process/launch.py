"""Starts a worker's process in a session of its own, with its pipes, and removes what it leaves.

output   what the process and its children write; stdout and stderr are this one pipe
control  socket: code goes in; displays and requests for input come out
answers  socket: the lines that answer those requests
lookups  socket, if the program has one: questions about its variables; control takes the answers
stdin    what the children read
lifeline a pipe that ends with the daemon; then the system kills the process and its group
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from oi_daemon.execution.process.guard import COOKIE, LATER, guard
from oi_daemon.execution.process.lifeline import LIFELINE, Lifeline
from oi_daemon.execution.process.standard_input import StandardInput
from oi_daemon.execution.process.standby import ActiveProcess
from oi_daemon.execution.sandbox.sandbox import Sandbox

LOOKUPS = "OI_DAEMON_LOOKUPS"
"""Environment variable: the number of the descriptor over which the worker gets lookups."""
_PIPE_SIZE = 1 << 20
"""Bytes that the output pipe can hold."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to start a language's program. The program must write marks into its output."""

    command: Callable[[int, int, str], Sequence[str]]
    """Makes the command line from the descriptors of control and answers and the marks' nonce."""
    environment: dict[str, str]
    """The program's environment variables."""
    cwd: str
    """The folder in which the program starts."""
    descriptors: tuple[int, ...] = ()
    """Further descriptors that the program inherits. They are closed when it has ended."""
    sandbox: Sandbox | None = None
    """What the program may write, read and reach. None: all that the user may."""
    has_lookups: bool = False
    """Whether lookups come over a socket of their own, which LOOKUPS names, instead of control."""
    folder: str | None = None
    """Folder for the program's temporary files, removed when it has ended."""
    ends_within: float = 0.0
    """Seconds that the program has to end by itself once nothing more can come over control. Then
    it is killed. 0: it is killed at once."""


class LaunchedProcess:
    """A started process and our ends of its pipes. The ends that we read are non-blocking."""

    def __init__(self, program: Program, nonce: str, exited: Callable[[], None]) -> None:
        """
        Args:
            nonce: the word that tells marks from other output.
            exited: called each time that the active process has ended.

        Raises:
            NotInstalledError: the folder or the sandbox cannot be created.
            OSError: the process could not be started.
        """
        self._descriptors = program.descriptors
        self._folder = program.folder
        self._cookie = f"{guard().cookie}.{secrets.token_hex(4)}"
        if program.ends_within:
            self._cookie = LATER + self._cookie
        self.stdin = StandardInput()
        self.control, control = socket.socketpair()
        self.answers, answers = socket.socketpair()
        lookups: socket.socket | None = None
        self.lookups: socket.socket | None = None
        """Our end of the socket for lookups; None if the program gets them over `control`."""
        if program.has_lookups:
            # Datagrams: a process that ends while it reads one leaves none of it.
            self.lookups, lookups = socket.socketpair(type=socket.SOCK_DGRAM)
        self.output, output = os.pipe()
        self._lifeline = Lifeline()
        try:
            command = program.command(control.fileno(), answers.fileno(), nonce)
            inherited = [control.fileno(), answers.fileno(), *program.descriptors]
            if lookups is not None:
                inherited.append(lookups.fileno())
                program.environment[LOOKUPS] = str(lookups.fileno())
            process = self._start(program, command, output, inherited)
        except BaseException:
            self._clean()
            raise
        finally:
            for theirs in (control, answers, lookups):
                if theirs is not None:
                    theirs.close()
            os.close(output)
        self.active = ActiveProcess(
            process,
            self._cookie,
            exited,
            protect=None if program.ends_within else self._lifeline.protect,
        )
        _enlarge(self.output)
        _prefer_for_oom_kill(process.pid)
        for end in (self.control, self.answers, self.lookups):
            if end is not None:
                end.setblocking(False)
        os.set_blocking(self.output, False)

    def _start(
        self, program: Program, command: Sequence[str], output: int, inherited: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        """Start the program, in its sandbox if it has one."""
        sandbox = program.sandbox
        lifeline = self._lifeline.reader
        environment = {
            **program.environment,
            COOKIE: self._cookie,
            LIFELINE: str(lifeline),
        }
        environment |= sandbox.environment if sandbox else {}

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command,
                stdin=self.stdin.reader,
                stdout=output,
                stderr=output,
                pass_fds=(*inherited, lifeline),
                start_new_session=True,
                cwd=program.cwd,
                env=environment,
                preexec_fn=_accept_interrupts if _ignores_interrupts() else None,
            )

        return sandbox.start(start, command, environment) if sandbox else start()

    def end(self) -> None:
        """After its exit: kill what it has left behind, and close our ends."""
        self.active.end()
        self._clean()

    def _clean(self) -> None:
        """Close our ends of the pipes, and remove the temporary folder."""
        self.control.close()
        self.answers.close()
        if self.lookups is not None:
            self.lookups.close()
        self.stdin.close()
        self._lifeline.close()
        for descriptor in (self.output, *self._descriptors):
            os.close(descriptor)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def temporary_folder(parent: str | None = None) -> str:
    """Make a folder for `Program.folder`, which the guard removes if the daemon dies.

    Args:
        parent: the folder in which it is made; None: the one for temporary files.
    """
    folder = tempfile.mkdtemp(prefix="oi-", dir=parent)
    guard().add_folder(folder)
    return folder


def _ignores_interrupts() -> bool:
    """Whether this process ignores SIGINT, as one that a shell started in the background does.

    A process inherits that, and bash could then never handle the signal.
    """
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def _accept_interrupts() -> None:
    """Handle SIGINT in the default way. Runs in the new process, before its program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _enlarge(pipe: int) -> None:
    """Make a pipe larger, so that much output costs fewer wake-ups. Works on Linux only."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    except (AttributeError, OSError):  # not Linux, or the user's pipes hold too much already
        pass


def _prefer_for_oom_kill(pid: int) -> None:
    """When the machine runs out of memory, let the system kill this process before the daemon."""
    try:
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    except OSError:
        pass
