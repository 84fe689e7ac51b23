"""The process that runs the blocks, and the standby that takes over when it dies.

A worker may keep a standby: a forked copy of itself that sleeps. It reports the standby over the
control socket. When the process dies, the daemon wakes the standby. The standby forks a process
that continues in place of the dead one, and stays as its parent, because only a parent learns with
which status a process ends. It reports that status over the control socket.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from oi_daemon.execution.language import StartedProcess
from oi_daemon.execution.process.guard import guard, has_cookie, kill
from oi_daemon.execution.process.proc import process_tree
from oi_daemon.execution.process.started import started_processes

_STATUS_WITHIN = 10.0
"""Seconds that a standby has to report the status with which its child has ended."""
_AWAKE_WITHIN = 10.0
"""Seconds that a standby has to take over, even on a busy machine."""


class ActiveProcess:
    """The process that runs a worker's blocks: the one that was started, or one that took over.

    It leads a process group.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        cookie: str,
        exited: Callable[[], None],
        protect: Callable[[int], None] | None,
    ) -> None:
        """
        Args:
            cookie: value in the environment of the process and of all that it starts.
            exited: called each time that the active process has ended.
            protect: called with the process group of each active process. See `Lifeline`. None:
                when the daemon ends, the process has some time to end by itself.
        """
        self._protect = protect
        self._process = process
        self._cookie = cookie
        self._exited = exited
        self._loop = asyncio.get_running_loop()
        self._standby = 0
        """Id of the sleeping standby; 0 if there is none."""
        self._standby_block = 0
        """Number of the block after which the standby was forked."""
        self._last_block = 0
        """Number of the block that ended last."""
        self._parent = 0
        """Id of the process that forked the active one when it took over; 0 if it is ours."""
        self._closing = False
        """Whether it is ended for good, so that no standby may take over."""
        self._over = False
        """Whether the worker has ended and no standby took over."""
        self._status: asyncio.Future[int] = self._loop.create_future()
        """Exit status of an active process that is not our child, once its parent reports it."""
        self._resumed: asyncio.Future[int] = self._loop.create_future()
        """Id of the process that has taken over, once it reports itself."""
        self._begin(process.pid)

    def interrupt(self) -> None:
        """Send SIGINT to the whole group, so that also the programs that it waits for stop."""
        try:
            os.killpg(self.pid, signal.SIGINT)
        except (ProcessLookupError, PermissionError):  # it has ended, or belongs to another user
            pass

    def processes(self) -> list[int]:
        """Ids of the active process and of what it started, without the standby."""
        return [process for process in process_tree(self.pid) if process != self._standby]

    def started(self, ours: Iterable[int]) -> list[StartedProcess]:
        """What the code has started and what runs now. See `started_processes`."""
        return started_processes(self.pid, self._cookie, (self._standby, self._parent, *ours))

    def kill(self) -> None:
        """Kill it and all that it started, but not its standby. `exited` is called afterwards."""
        if not self._over:
            kill(self.pid, self._cookie, spared=(self._standby, self._parent))

    def close(self) -> None:
        """Kill it, all that it started, and its standby. `exited` is called afterwards."""
        self._closing = True
        self._standby = self._parent = 0
        if not self._status.done():  # the parent that would report it is killed too
            self._status.set_result(-signal.SIGKILL)
        self.kill()

    def end(self) -> None:
        """After its exit, if no standby takes over: kill what it has left behind."""
        self.close()
        self._over = True
        guard().remove(self.pid)

    async def status(self) -> int:
        """Its exit status after it has ended; negative is the signal that killed it."""
        if not self._parent:
            return self._process.wait()
        try:
            return await asyncio.wait_for(self._status, _STATUS_WITHIN)
        except TimeoutError:  # its parent was killed too
            return -signal.SIGKILL

    async def fail_over(self) -> bool:
        """After its exit: let the standby take over. False if there is none, or if it is dead."""
        self._parent = self._standby
        if not self._standby:
            return False
        self.kill()
        try:
            with _failing_at_exit(self._standby, self._resumed) as standby:
                signal.pidfd_send_signal(standby, signal.SIGUSR1)
                resumed = await asyncio.wait_for(self._resumed, _AWAKE_WITHIN)
        except (OSError, TimeoutError):
            return False
        guard().remove(self.pid)
        self._last_block = self._standby_block
        self._status, self._resumed = self._loop.create_future(), self._loop.create_future()
        self._begin(resumed)
        if self._closing:  # meanwhile, and the process was not there yet when all were killed
            self.close()
        return True

    def on_standby(self, standby: int, block: int) -> None:
        """The worker reports its standby, forked at the end of this block; 0 if it has none."""
        if not self._closing:  # else it was forked while all were killed, and is killed by `end`
            self._standby = standby if standby and has_cookie(standby, self._cookie) else 0
            self._standby_block = block

    def on_block_end(self, block: int) -> None:
        """A block has ended. A standby that was forked before is outdated."""
        self._last_block = block

    @property
    def standby_is_current(self) -> bool:
        """Whether there is a standby that has what all blocks did."""
        return bool(self._standby) and not self.standby_is_outdated

    @property
    def standby_is_outdated(self) -> bool:
        """Whether blocks have ended since the fork. Short blocks are not worth a fork each."""
        return self._standby_block < self._last_block

    def on_status(self, process: int, status: int) -> None:
        """A former standby reports with which status its child has ended, as `os.wait` gives it."""
        if process == self.pid and not self._status.done():
            self._status.set_result(os.waitstatus_to_exitcode(status))

    def on_resumed(self, process: int) -> None:
        """A process reports that it takes over."""
        if has_cookie(process, self._cookie) and not self._resumed.done():
            self._resumed.set_result(process)

    def _begin(self, process: int) -> None:
        """Make this the active process, and watch for its end."""
        self.pid = process
        if self._protect is not None:
            self._protect(process)
        guard().add(process, later=self._protect is None)
        if not hasattr(os, "pidfd_open"):
            waiting = self._loop.run_in_executor(None, self._process.wait)
            waiting.add_done_callback(lambda _: self._exited())
            return
        try:
            pidfd = os.pidfd_open(process)
        except ProcessLookupError:  # it took over, and was killed in the same moment
            self._loop.call_soon(self._exited)
            return

        def ended() -> None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
            self._exited()

        self._loop.add_reader(pidfd, ended)


@contextmanager
def _failing_at_exit(process: int, future: asyncio.Future[int]) -> Iterator[int]:
    """Make the future fail if this process ends before the future is done.

    Yields:
        A descriptor (pidfd) of the process.

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
