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

_AGAIN = 200
"""Milliseconds between two questions whether a kernel that starts is there."""
_READ = 1 << 16
_LAST_WORDS = 8192
_END_OF_FILE = "\x04"
"""As a kernel takes it for an answer."""

_QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""ipykernel's debugger warns of what nobody wants to know."""


class Kernel:
    def __init__(self, command: Sequence[str], *, interrupted_by_message: bool) -> None:
        self._by_message = interrupted_by_message
        self._failed = True
        """Until it has answered."""
        self._words = b""
        self._folder = tempfile.TemporaryDirectory(prefix="oi-kernel-")
        self._file = str(Path(self._folder.name, "connection.json"))
        write_connection_file(self._file, ip="127.0.0.1", key=os.urandom(16).hex().encode())
        self.output, output = os.pipe()
        os.set_blocking(self.output, False)
        self.process = self._start(command, output)
        os.close(output)
        self.client = BlockingKernelClient()
        self.client.load_connection_file(self._file)
        self.client.start_channels(hb=False)

    def wait(self) -> bool:
        """Until it answers; False if it has ended instead."""
        iopub, shell = self.client.iopub_channel.socket, self.client.shell_channel.socket
        while self.process.poll() is None:
            self.client.kernel_info()
            if iopub.poll(_AGAIN) and shell.poll(_AGAIN):
                self._folder.cleanup()  # it has read how to connect
                self._failed = False
                return True
        return False

    def interrupt(self) -> None:
        """After a SIGINT to this process' group, which most kernels get by themselves."""
        if self._by_message:
            message = self.client.session.msg("interrupt_request", content={})
            self.client.control_channel.send(message)

    def answer(self, line: str | None) -> None:
        """The line that it has asked for; None is end of file."""
        self.client.input(_END_OF_FILE if line is None else line)

    def listen(self) -> None:
        """Take what it has written past its channels: words of its own, or a copy of the code's."""
        try:
            while data := os.read(self.output, _READ):
                self._words = (self._words + data)[-_LAST_WORDS:]
        except BlockingIOError:
            pass

    def forget(self) -> None:
        """What it has written until now is of no interest, whatever its end."""
        self._words = b""

    def last_words(self) -> bytes:
        """What it had to say about its end, if it has not ended by itself."""
        self.listen()
        return self._words if self._failed or self.process.wait() < 0 else b""

    def die_alike(self) -> None:
        """End this process as the kernel has ended."""
        status = self.process.wait()
        self._folder.cleanup()
        sys.stdout.flush()
        if status < 0:
            signal.signal(-status, signal.SIG_DFL) if -status != signal.SIGKILL else None
            os.kill(os.getpid(), -status)
        os._exit(status)

    def _start(self, command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [argument.replace("{connection_file}", self._file) for argument in command],
            stdout=output,
            stderr=output,
            env={**os.environ, "JPY_PARENT_PID": str(os.getpid()), **_QUIET},
            process_group=0 if self._by_message else None,
        )


def poller(kernel: Kernel, *descriptors: int) -> zmq.Poller:
    """Waits for these, and for all that the kernel says."""
    poller = zmq.Poller()
    channels = (kernel.client.iopub_channel, kernel.client.shell_channel)
    for channel in (*channels, kernel.client.stdin_channel):
        poller.register(channel.socket, zmq.POLLIN)
    for descriptor in (kernel.output, *descriptors):
        poller.register(descriptor, zmq.POLLIN)
    return poller
