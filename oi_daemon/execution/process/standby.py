"""The process that runs the blocks: the one that was started, or a copy that goes on in its place.

A worker may keep a sleeping copy of itself, and says so over control. When the process dies, the
copy is woken. It starts a process that goes on, and later tells how that one has ended, which is
told to a parent only.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from oi_daemon.execution.limits import tree
from oi_daemon.execution.process.guard import carries, guard, kill

_TOLD = 2.0
"""Seconds that a copy has to tell how its child has ended."""
_AWAKE = 10.0
"""Seconds that a copy has to go on, on a machine however busy."""


class Runner:
    """Leads a process group. `exited` is called when it has ended, each time that one does."""

    def __init__(
        self, process: subprocess.Popen[bytes], cookie: str, exited: Callable[[], None]
    ) -> None:
        """`cookie` is in the environment of the process, and of all that it starts."""
        self._process = process
        self._cookie = cookie
        self._exited = exited
        self._loop = asyncio.get_running_loop()
        self._copy = 0
        self._copied = self._finished = 0
        """The blocks of whose end the copy is, and that has ended last."""
        self._parent = 0
        """The copy that has started the process, if it was one."""
        self._over = False
        self._status: asyncio.Future[int] = self._loop.create_future()
        self._successor: asyncio.Future[int] = self._loop.create_future()
        self._begin(process.pid)

    def interrupt(self) -> None:
        """SIGINT to the whole group: what the code waits for is interrupted with it."""
        try:
            os.killpg(self.pid, signal.SIGINT)
        except (ProcessLookupError, PermissionError):  # gone, or another user's
            pass

    def processes(self) -> list[int]:
        """The process and what it started, without its copy."""
        return [process for process in tree(self.pid) if process != self._copy]

    def kill(self) -> None:
        """Kill it and all that it started, but not its copy; `exited` follows."""
        if not self._over:
            kill(self.pid, self._cookie, spared=(self._copy, self._parent))

    def close(self) -> None:
        """Kill it and all copies too; `exited` follows."""
        self._copy = self._parent = 0
        self.kill()

    def end(self) -> None:
        """After its exit, where no copy goes on: end what it left behind."""
        self.close()
        self._over = True
        guard().remove(self.pid)

    async def status(self) -> int:
        """After its exit: its status, as `subprocess` counts."""
        if not self._parent:
            return self._process.wait()
        try:
            return await asyncio.wait_for(self._status, _TOLD)
        except TimeoutError:  # the copy that waited for it was killed too
            return -signal.SIGKILL

    async def succeed(self) -> bool:
        """After its exit: let its copy go on. False if there is none, or it is dead as well."""
        self._parent = self._copy
        if not self._copy:
            return False
        self.kill()
        try:
            with _watched(self._copy, self._successor) as copy:
                signal.pidfd_send_signal(copy, signal.SIGUSR1)
                successor = await asyncio.wait_for(self._successor, _AWAKE)
        except (OSError, TimeoutError):
            return False
        guard().remove(self.pid)
        self._finished = self._copied
        self._status, self._successor = self._loop.create_future(), self._loop.create_future()
        self._begin(successor)
        return True

    def copied(self, copy: int, block: int) -> None:
        """It has a sleeping copy now, of this block's end; 0 is none."""
        self._copy = copy if copy and carries(copy, self._cookie) else 0
        self._copied = block

    def finished(self, block: int) -> None:
        """This block has ended: a copy from before it is out of date."""
        self._finished = block

    @property
    def outdated(self) -> bool:
        """Whether the copy lacks what the last blocks did, which were worth no copy."""
        return self._copied < self._finished

    def ended(self, process: int, status: int) -> None:
        """A copy tells how the process that it had started has ended."""
        if process == self.pid and not self._status.done():
            self._status.set_result(os.waitstatus_to_exitcode(status))

    def succeeded(self, successor: int) -> None:
        """A process says that it goes on."""
        if carries(successor, self._cookie) and not self._successor.done():
            self._successor.set_result(successor)

    def _begin(self, process: int) -> None:
        self.pid = process
        guard().add(process)
        if not hasattr(os, "pidfd_open"):
            waiting = self._loop.run_in_executor(None, self._process.wait)
            waiting.add_done_callback(lambda _: self._exited())
            return
        pidfd = os.pidfd_open(process)

        def ended() -> None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
            self._exited()

        self._loop.add_reader(pidfd, ended)


@contextmanager
def _watched(process: int, future: asyncio.Future[int]) -> Iterator[int]:
    """Its descriptor, while its end is the future's failure.

    Raises:
        OSError: there is no such process.
    """
    pidfd = os.pidfd_open(process)

    def ended() -> None:
        loop.remove_reader(pidfd)
        if not future.done():
            future.set_exception(ProcessLookupError())

    loop = future.get_loop()
    loop.add_reader(pidfd, ended)
    try:
        yield pidfd
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
