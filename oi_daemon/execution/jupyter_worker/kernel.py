"""The kernel's process, and a client of its channels."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

_RETRY = 200
"""Milliseconds after which a kernel that has not answered yet is asked again."""
_READ = 1 << 16
"""Most bytes that are read at once."""
_LAST_WORDS = 8192
"""Most bytes of stray output that are kept."""
END_OF_FILE = "\x04"
"""The answer that a kernel takes for end of file."""

QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""Environment variables that turn off a useless warning of ipykernel's debugger."""


class StrayOutput:
    """What a kernel writes to its stdout and stderr instead of its channels.

    That is a message about its own failure, or a copy of what the code wrote.
    """

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        """Descriptors of the pipe that gets it."""
        os.set_blocking(self.reader, False)
        self.end = b""
        """The end of what has been read."""

    def read(self) -> None:
        """Read what there is."""
        try:
            while data := os.read(self.reader, _READ):
                self.end = (self.end + data)[-_LAST_WORDS:]
        except BlockingIOError:
            pass

    def clear(self) -> None:
        """Forget it: it does not explain a later end of the kernel."""
        self.end = b""


class Kernel:
    """One kernel's process, with a client of its channels."""

    def __init__(self, command: Sequence[str], *, interrupted_by_message: bool) -> None:
        """
        Args:
            command: what starts it; `{connection_file}` stands for a file's path.
            interrupted_by_message: the kernel wants a message instead of SIGINT.
        """
        self._by_message = interrupted_by_message
        self._failed = True
        """True until the kernel has answered for the first time."""
        self.stray_output = StrayOutput()
        self._folder = tempfile.TemporaryDirectory(prefix="oi-kernel-")
        self._file = str(Path(self._folder.name, "connection.json"))
        """The file that tells the kernel which ports and which key to use."""
        write_connection_file(self._file, ip="127.0.0.1", key=os.urandom(16).hex().encode())
        self.process = self._start(command, self.stray_output.writer)
        os.close(self.stray_output.writer)
        self.client = BlockingKernelClient()
        self.client.load_connection_file(self._file)
        self.client.start_channels(hb=False)

    @property
    def is_alive(self) -> bool:
        """Whether the kernel has not ended, as far as is known."""
        return self.process.poll() is None

    def wait(self) -> bool:
        """Wait until the kernel answers; return False if it has ended instead."""
        while self.is_alive:
            if answers(self.client):
                self._folder.cleanup()  # the kernel has read its connection file
                self._failed = False
                return True
        return False

    def interrupt(self) -> None:
        """Send the kernel an interrupt message, if it wants one.

        Other kernels are in this process's group, so they get the daemon's SIGINT themselves.
        """
        if self._by_message:
            message = self.client.session.msg("interrupt_request", content={})
            self.client.control_channel.send(message)

    def answer(self, line: str | None) -> None:
        """Give the kernel the line that it has asked for; None is end of file."""
        self.client.input(END_OF_FILE if line is None else line)

    def end(self) -> None:
        """Kill the kernel, and all that is in this process's group, this process included."""
        self.process.kill()
        os.killpg(0, signal.SIGKILL)

    def last_words(self) -> bytes:
        """Return the stray output if the kernel did not start or was killed; else nothing."""
        self.stray_output.read()
        return self.stray_output.end if self._failed or self.process.wait() < 0 else b""

    def exit_alike(self) -> None:
        """End this process as the kernel has ended: by the same signal, or with the same code."""
        status = self.process.wait()
        self._folder.cleanup()
        exit_with(status)

    def _start(self, command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        """Start the kernel's process.

        One that is interrupted by messages gets a process group of its own, so that SIGINT to ours
        does not reach it.
        """
        return subprocess.Popen(
            [argument.replace("{connection_file}", self._file) for argument in command],
            stdout=output,
            stderr=output,
            env={**os.environ, "JPY_PARENT_PID": str(os.getpid()), **QUIET},
            process_group=0 if self._by_message else None,
        )


def answers(client: BlockingKernelClient) -> bool:
    """Ask the kernel for an answer; return whether it has given one on all that it sends."""
    client.kernel_info()
    iopub, shell = client.iopub_channel.socket, client.shell_channel.socket
    return bool(iopub.poll(_RETRY) and shell.poll(_RETRY))


def exit_with(status: int) -> NoReturn:
    """End this process with this exit code, or by this signal if it is negative."""
    sys.stdout.flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL) if -status != signal.SIGKILL else None
        os.kill(os.getpid(), -status)
    os._exit(status & 0xFF)


def poller(client: BlockingKernelClient, *descriptors: int) -> zmq.Poller:
    """Return a poller for these descriptors and for everything that the kernel sends."""
    poller = zmq.Poller()
    for channel in (client.iopub_channel, client.shell_channel, client.stdin_channel):
        poller.register(channel.socket, zmq.POLLIN)
    for descriptor in descriptors:
        poller.register(descriptor, zmq.POLLIN)
    return poller
