"""Keeps a standby: a sleeping fork of this process, which has its variables.

A standby is forked after a block. If this process dies, the daemon wakes the standby by a signal.
The standby then forks once more: the child runs the blocks to come, and the standby waits for the
child's end and reports its exit status, because only a parent can learn that.
"""

from __future__ import annotations

# `signal`'s own functions convert every argument to an enum, which writes to memory that is shared
# with the standby and so has to be copied after each fork. `_signal` does not.
import _signal as signal  # type: ignore[import-not-found]
import os
import select
import stat
import sys
from time import thread_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .channel import Channel

_LOOK = 30
"""Seconds between two checks by a standby whether the daemon lives; the guard acts much earlier."""
_THREADS = 3
"""Number of the worker's own threads: the main thread, `Watch` and `Lookups`."""
_CHEAP = 0.005
"""Seconds of processor time up to which a fork is made around every block that needs one."""
_MIB = 1 << 20
_PAGE = os.sysconf("SC_PAGESIZE")


class Standby:
    """The standby of this process, or the lack of one."""

    def __init__(self, channel: Channel, own_descriptors: Callable[[], set[int]]) -> None:
        """
        Args:
            own_descriptors: gives the worker's own open descriptors, which do no harm in a standby.
        """
        self._channel = channel
        self._own_descriptors = own_descriptors
        self._system_fork = os.fork
        self._child = 0
        """The standby's process id; 0 if there is none."""
        self._killed: list[int] = []
        """Children that were killed and not waited for yet."""
        self._announced = False
        """True if the last message to the daemon named a standby, False if it named none."""
        self._unsafe_threads = sys.maxsize
        """Thread count at which a fork lost C threads before (OpenBLAS, for instance); at or above
        it, do not fork again."""
        self.due: tuple[int, int] | None = None
        """The last block's number and memory limit in megabytes, if no standby has its results."""
        self._latest = (0, 0)
        """The value of `due` for which `renew` was called last."""
        self._cost = 0.0
        """Seconds of processor time that the last fork has taken."""
        self._work = 0.0
        """Seconds for which blocks have run since the last fork."""
        self._pause = 0.0
        """Seconds between the last two blocks."""
        self.forking = False
        """True while `_fork` forks, False while the user's code does."""

    def count(self, pause: float, work: float) -> None:
        """Note that a block has run for `work` seconds, after a pause in which none ran."""
        self._pause = pause
        self._work += work

    def pays(self, *, risky: bool) -> bool:
        """Whether a fork is worth its time now, although the next block may have to wait for it.

        A cheap fork is, around a block that may end the process. That of a large process is, once
        a crash would lose more work than it takes, or if the last pause was long enough for it.
        """
        if self._cost <= _CHEAP:
            return risky
        return self._cost <= max(self._work, self._pause)

    def renew(self) -> bool:
        """Replace the standby by a fork of the present state, where that is safe.

        Returns False in this process. Returns True in the process that continues from the standby,
        after this process has died.
        """
        block, megabytes = self._latest = self.due or (0, 0)
        self.due = None
        before, self._child = self._child, 0
        self._reap()
        try:
            if self._possible(megabytes) and self._divide():
                return True
        except Exception:  # no memory, descriptors or processes are left
            self._child = 0
        self._announce(block)
        self._kill(before)
        return False

    def outdate(self) -> None:
        """Tell the daemon that the standby is outdated, and make a new one due.

        Tasks that go on between blocks may have changed variables since the fork.
        """
        if self.due is None:
            self.due = self._latest
            if self._child:
                self._channel.notify_process("standby", self._child, self.due[0] - 1)

    def discard(self) -> None:
        """Kill the standby, because the user's code is about to wait for whichever child ends."""
        before, self._child = self._child, 0
        if before:
            self._announce()
        self._kill(before)
        self._reap()

    def in_child(self) -> None:
        """Forget the standby and other children, in a fork that the user's code has made."""
        self._child = 0
        self._killed.clear()

    def _possible(self, megabytes: int) -> bool:
        """Whether a standby can be forked safely, and is small enough.

        Fork copies only one thread, and the child would keep pipes and sockets open that this
        process closes.
        """
        return (
            megabytes > 0
            and _memory() <= megabytes * _MIB
            and len(sys._current_frames()) <= _THREADS
            and _threads() < self._unsafe_threads
            and all(map(_is_harmless, _descriptors() - self._own_descriptors()))
        )

    def _divide(self) -> bool:
        """Fork the standby. Returns False here, and True in the process that continues from it."""
        wake = {signal.SIGUSR1}
        start = thread_time()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, wake)
        try:
            child = self._fork()
            if child == 0:
                self._sleep(wake)
                return True
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self._child = child
        self._cost, self._work = thread_time() - start, 0.0
        # Libraries such as OpenBLAS end their threads before a fork. One that is still here is
        # missing in the standby.
        if _threads() > _THREADS:
            self._unsafe_threads = _threads()
            self._child = 0
            self._kill(child)
        return False

    def _sleep(self, wake: set[int]) -> None:
        """Wait in the standby until the daemon wakes it; return in the child that runs blocks then.

        The standby itself never returns: it waits for the end of that child, reports it, and waits
        to be woken again.
        """
        self._child, self._announced = 0, True
        self._killed.clear()
        lifeline = -1
        try:
            lifeline = _die_with(self._channel.lifeline)
            while True:
                while signal.sigtimedwait(wake, _LOOK) is None:
                    if self._channel.hung_up():
                        os._exit(0)
                self._channel.recover()
                worker = self._fork()
                if worker == 0:
                    _attempt(os.close, lifeline)
                    return
                _, status = os.waitpid(worker, 0)
                self._channel.recover()
                self._channel.notify_process("ended", worker, status)
        except Exception:  # the daemon has ended
            os._exit(0)

    def _fork(self) -> int:
        """Fork, and return as `os.fork` does.

        The child leads a process group of its own, so that signals to ours do not reach it. Its
        `random` continues as ours does, although Python seeds it anew after a fork.
        """
        random = sys.modules.get("random")
        state = random.getstate() if random is not None and hasattr(random, "getstate") else None
        self.forking = True
        try:
            child = self._system_fork()
        finally:
            self.forking = False
        _attempt(os.setpgid, child, child)
        if child == 0 and state is not None:
            _attempt(random.setstate, state)  # type: ignore[union-attr]
        return child

    def _announce(self, block: int = 0) -> None:
        """Tell the daemon which process is the standby, and after which block it was forked."""
        if self._child or self._announced:
            self._channel.notify_process("standby", self._child, block)
            self._announced = bool(self._child)

    def _kill(self, child: int) -> None:
        """Kill this child, if it is not 0; `_reap` waits for its end later."""
        if child:
            self._killed.append(child)
            _attempt(os.kill, child, signal.SIGKILL)

    def _reap(self) -> None:
        """Wait for the children that were killed, which have ended by now."""
        while self._killed:
            _attempt(os.waitpid, self._killed.pop(), 0)


def _die_with(lifeline: int) -> int:
    """Make the kernel kill this process when the other end of the lifeline is closed.

    Opens the lifeline again, because a descriptor sends its signal to one process or group, and
    the inherited descriptor is set up for another group.

    Returns the new descriptor, which must stay open; -1 if the system does not support this: then
    the guard and `_sleep` notice the end.
    """
    try:
        from fcntl import F_GETFL, F_SETFL, F_SETOWN, fcntl

        own = os.open(f"/proc/self/fd/{lifeline}", os.O_RDONLY | os.O_NONBLOCK)
        fcntl(own, F_SETOWN, os.getpid())
        fcntl(own, 10, signal.SIGKILL)  # F_SETSIG, which fcntl has no name for before Python 3.9
        fcntl(own, F_SETFL, fcntl(own, F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        return -1
    return own


def _memory() -> int:
    """Return the bytes of this process that are in memory."""
    file = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(file, 100).split()[1]) * _PAGE
    finally:
        os.close(file)


def _threads() -> int:
    """Return how many threads this process has, those of C code included."""
    return os.stat("/proc/self/task").st_nlink - 2  # noqa: PTH116


def _descriptors() -> set[int]:
    """Return the descriptors that are open in this process."""
    return set(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208


_HARMLESS_DEVICES = {os.makedev(1, minor) for minor in (3, 5, 8, 9)}
"""The numbers of /dev/null, zero, random and urandom."""


def _is_harmless(descriptor: int) -> bool:
    """Whether nobody would notice that a standby holds this descriptor open too.

    A reader of a pipe, for instance, would notice: it waits until every writing end is closed.
    """
    try:
        status = os.fstat(descriptor)
    except OSError:  # the one that `_descriptors` read the list with
        return True
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFIFO:
        return _has_no_peer(descriptor)
    return kind in (stat.S_IFREG, stat.S_IFDIR) or status.st_rdev in _HARMLESS_DEVICES


def _has_no_peer(pipe: int) -> bool:
    """Whether the pipe's other end is closed in every process."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(0))


def _attempt(act: Callable[..., object], *arguments: object) -> None:
    """Call a function and ignore its errors: the user's code may have ended the child already."""
    try:
        act(*arguments)
    except Exception:
        pass
