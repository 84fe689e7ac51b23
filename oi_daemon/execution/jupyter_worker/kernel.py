"""The kernel's process, and a client of its channels."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

_RETRY = 200
"""Milliseconds after which a kernel that has not answered yet is asked again."""
_READ = 1 << 16
"""Most bytes that are read at once."""
_LAST_WORDS = 8192
"""Most bytes of stray output that are kept."""
_END_OF_FILE = "\x04"
"""The answer that a kernel takes for end of file."""

_QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""Environment variables that turn off a useless warning of ipykernel's debugger."""


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
        self._stray_output = b""
        """The end of what the kernel wrote to its stdout and stderr instead of its channels."""
        self._folder = tempfile.TemporaryDirectory(prefix="oi-kernel-")
        self._file = str(Path(self._folder.name, "connection.json"))
        """The file that tells the kernel which ports and which key to use."""
        write_connection_file(self._file, ip="127.0.0.1", key=os.urandom(16).hex().encode())
        self.output, output = os.pipe()
        os.set_blocking(self.output, False)
        self.process = self._start(command, output)
        os.close(output)
        self.client = BlockingKernelClient()
        self.client.load_connection_file(self._file)
        self.client.start_channels(hb=False)

    def wait(self) -> bool:
        """Wait until the kernel answers; return False if it has ended instead."""
        iopub, shell = self.client.iopub_channel.socket, self.client.shell_channel.socket
        while self.process.poll() is None:
            self.client.kernel_info()
            if iopub.poll(_RETRY) and shell.poll(_RETRY):
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
        self.client.input(_END_OF_FILE if line is None else line)

    def read_stray_output(self) -> None:
        """Read what the kernel has written to its stdout and stderr instead of its channels.

        That is a message about its own failure, or a copy of what the code wrote.
        """
        try:
            while data := os.read(self.output, _READ):
                self._stray_output = (self._stray_output + data)[-_LAST_WORDS:]
        except BlockingIOError:
            pass

    def clear_stray_output(self) -> None:
        """Forget stray output: it does not explain a later end of the kernel."""
        self._stray_output = b""

    def last_words(self) -> bytes:
        """Return the stray output if the kernel did not start or was killed; else nothing."""
        self.read_stray_output()
        return self._stray_output if self._failed or self.process.wait() < 0 else b""

    def exit_alike(self) -> None:
        """End this process as the kernel has ended: by the same signal, or with the same code."""
        status = self.process.wait()
        self._folder.cleanup()
        sys.stdout.flush()
        if status < 0:
            signal.signal(-status, signal.SIG_DFL) if -status != signal.SIGKILL else None
            os.kill(os.getpid(), -status)
        os._exit(status)

    def _start(self, command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        """Start the kernel's process.

        One that is interrupted by messages gets a process group of its own, so that SIGINT to ours
        does not reach it.
        """
        return subprocess.Popen(
            [argument.replace("{connection_file}", self._file) for argument in command],
            stdout=output,
            stderr=output,
            env={**os.environ, "JPY_PARENT_PID": str(os.getpid()), **_QUIET},
            process_group=0 if self._by_message else None,
        )


def poller(kernel: Kernel, *descriptors: int) -> zmq.Poller:
    """Return a poller for these descriptors and for everything that the kernel sends."""
    poller = zmq.Poller()
    channels = (kernel.client.iopub_channel, kernel.client.shell_channel)
    for channel in (*channels, kernel.client.stdin_channel):
        poller.register(channel.socket, zmq.POLLIN)
    for descriptor in (kernel.output, *descriptors):
        poller.register(descriptor, zmq.POLLIN)
    return poller
