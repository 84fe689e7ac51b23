"""A kernel that its description's provisioner starts, here or on another machine.

`jupyter_client`'s manager and the provisioner run in a thread with an event loop of their own, so
that a slow connection holds nobody up.
"""

import asyncio
import contextlib
import logging
import os
import select
import signal
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir

from .channel import DaemonEndedError
from .kernel import END_OF_FILE, QUIET, StrayOutput, answers, exit_with

_POLL = 2.0
"""Seconds between two looks at whether the kernel lives. Each may be a command over ssh."""
_LOOK = 200
"""Milliseconds between two looks at whether the daemon is there, while the kernel starts."""
_END = 18.0
"""Seconds for the whole end of the kernel, after which it is given up."""
_UNKNOWN_STATUS = 1
"""Exit code of a kernel whose own is not known."""
_HUNG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP


class ProvisionedKernel:
    """A kernel with its manager, and a client of its channels."""

    def __init__(self, folder: str, control: int) -> None:
        """
        Args:
            folder: the folder with the kernel's description.
            control: descriptor whose end means that the daemon has ended.
        """
        self._control = control
        self._failure = ""
        """Why the kernel did not start, or how it ended; empty if it did not."""
        self._status: int | None = None
        """The kernel's exit status; None while it lives, as far as is known."""
        self.stray_output = StrayOutput()
        for standard in (1, 2):  # what the provisioner starts here inherits them
            os.dup2(self.stray_output.writer, standard)
        self._files = tempfile.TemporaryDirectory(prefix="oi-kernel-")
        self._manager = AsyncKernelManager(
            kernel_name=Path(folder).name,
            kernel_spec_manager=_OneKernel(folder),
            connection_file=str(Path(self._files.name, "connection.json")),
        )
        self._manager.log.handlers = [logging.NullHandler()]
        self._manager.log.propagate = False
        self.client = BlockingKernelClient()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._starting = asyncio.run_coroutine_threadsafe(self._start(), self._loop)

    @property
    def is_alive(self) -> bool:
        """Whether the kernel has not ended, as far as is known."""
        return self._status is None

    def wait(self) -> bool:
        """Wait until the kernel answers; return False if it has ended or did not start.

        Raises:
            DaemonEndedError: the daemon has ended.
        """
        hung_up = select.poll()
        hung_up.register(self._control, _HUNG_UP)
        is_connected = False
        while self.is_alive:
            if hung_up.poll(0 if is_connected else _LOOK):
                raise DaemonEndedError
            if is_connected and answers(self.client):
                self._files.cleanup()
                return True
            if not is_connected and self._starting.done() and self.is_alive:
                self.client.load_connection_info(self._manager.get_connection_info())
                self.client.start_channels(hb=False)
                is_connected = True
        return False

    def interrupt(self) -> None:
        """Interrupt the kernel in the way that its description and its provisioner know."""
        self._begin(self._interrupt())

    def answer(self, line: str | None) -> None:
        """Give the kernel the line that it has asked for; None is end of file."""
        self.client.input(END_OF_FILE if line is None else line)

    def end(self) -> None:
        """Let the kernel end, wherever it is, and end this process."""
        self._finish(now=False)
        os._exit(0)

    def last_words(self) -> bytes:
        """Return why the kernel did not start; or its stray output if it was killed; or nothing."""
        self.stray_output.read()
        if self._failure:
            return f"{self._failure}\n".encode()
        return self.stray_output.end if (self._status or 0) < 0 else b""

    def exit_alike(self) -> None:
        """Remove what is left of the kernel, and end this process as it has ended."""
        self._finish(now=True)
        exit_with(_UNKNOWN_STATUS if self._status is None else self._status)

    async def _start(self) -> None:
        """Start the kernel, and look from time to time whether it lives."""
        try:
            os.makedirs(jupyter_runtime_dir(), 0o700, exist_ok=True)  # noqa: PTH103
            await self._manager.start_kernel(cwd=str(Path.cwd()), env={**os.environ, **QUIET})
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
            self._set_status(_UNKNOWN_STATUS)
            return
        self._watching = asyncio.create_task(self._watch())

    async def _interrupt(self) -> None:
        await self._manager.interrupt_kernel()

    async def _watch(self) -> None:
        """Look from time to time whether the kernel lives, until it has ended."""
        while True:
            await asyncio.sleep(_POLL)
            with contextlib.suppress(Exception):  # the connection is lost: nothing is known
                if not await self._manager.is_alive():
                    break
        status = None
        if self._manager.provisioner is not None:
            with contextlib.suppress(Exception):
                status = await self._manager.provisioner.poll()
        self._set_status(_UNKNOWN_STATUS if status is None else status)

    def _set_status(self, status: int) -> None:
        self._status = status
        os.kill(os.getpid(), signal.SIGCHLD)  # wakes the bridge, which then looks

    def _finish(self, *, now: bool) -> None:
        """Shut the kernel down, and remove its files here and there.

        Args:
            now: it has ended, so there is nothing to wait for.
        """
        with contextlib.suppress(Exception):  # also a TimeoutError: then it is given up
            self._begin(self._shut_down(now=now)).result(_END)
        self._files.cleanup()

    async def _shut_down(self, *, now: bool) -> None:
        """Shut the kernel down after its start, which cannot be cut short."""
        await asyncio.wrap_future(self._starting)
        if self._manager.provisioner is not None:
            await self._manager.shutdown_kernel(now=now)

    def _begin(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


class _OneKernel(KernelSpecManager):
    """Knows the one kernel whose folder it was given."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Read the description of the kernel, whatever its name."""
        return KernelSpec.from_resource_dir(self._folder)
