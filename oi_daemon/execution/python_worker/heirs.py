"""A sleeping copy of this process, which goes on with the variables if this one dies.

It is forked after each block. The daemon wakes it, and nobody else. Then it forks the process that
runs the blocks to come, and waits to tell how that one ends, which only a parent learns.
"""

from __future__ import annotations

# The functions of `signal` make enums of everything, in memory that is copied after each fork.
import _signal as signal  # type: ignore[import-not-found]
import os
import select
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .channel import Channel

_LOOK = 30
"""Seconds between two looks of the copy whether the daemon is there; its guard is much quicker."""
_THREADS = 2
"""Of the worker: the main one, and the one that looks at it."""
_MIB = 1 << 20
_PAGE = os.sysconf("SC_PAGESIZE")


class Heirs:
    def __init__(self, channel: Channel, own: Callable[[], set[int]]) -> None:
        """`own` gives the worker's own descriptors, which a copy may hold open."""
        self._channel = channel
        self._own = own
        self._system_fork = os.fork
        self._copy = 0
        """The sleeping child, if there is one."""
        self._killed: list[int] = []
        """Children of whose end nobody has been told yet."""
        self._offered = False
        """Whether the daemon knows of a copy."""
        self._lost = sys.maxsize
        """As many threads of C code as this have not survived a fork."""
        self.due: tuple[int, int] | None = None
        """The last block, if there is no copy of its end, and the megabytes that one may take."""
        self.forking = False
        """Whether the fork under way is ours, and not the user's."""

    def renew(self) -> bool:
        """Replace the copy by the one that is due, where that does no harm.

        True in the process that goes on in the place of a dead one.
        """
        block, megabytes = self.due or (0, 0)
        self.due = None
        before, self._copy = self._copy, 0
        self._forget()
        try:
            if self._possible(megabytes) and self._divide():
                return True
        except Exception:  # no memory, descriptors or processes are left
            self._copy = 0
        self._offer(block)
        self._kill(before)
        return False

    def discard(self) -> None:
        """Go on without a copy: the user's code waits for any child, and must not get this one."""
        before, self._copy = self._copy, 0
        if before:
            self._offer()
        self._kill(before)
        self._forget()

    def in_child(self) -> None:
        """In a fork that the user's code has made."""
        self._copy = 0
        self._killed.clear()

    def _possible(self, megabytes: int) -> bool:
        """A copy has no threads, and holds open what this process closes."""
        return (
            megabytes > 0
            and _memory() <= megabytes * _MIB
            and len(sys._current_frames()) <= _THREADS
            and _threads() < self._lost
            and all(map(_harmless, _descriptors() - self._own()))
        )

    def _divide(self) -> bool:
        """Make the copy. True in the one that goes on, once the copy was woken."""
        wake = {signal.SIGUSR1}
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, wake)
        try:
            copy = self._fork()
            if copy == 0:
                self._sleep(wake)
                return True
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self._copy = copy
        if _threads() > _THREADS:  # those that survive, as of OpenBLAS, are not there now
            self._lost = _threads()
            self._copy = 0
            self._kill(copy)
        return False

    def _sleep(self, wake: set[int]) -> None:
        """Until the daemon needs this copy. Returns in the process that runs its blocks."""
        self._copy, self._offered = 0, True
        self._killed.clear()
        try:
            while True:
                while signal.sigtimedwait(wake, _LOOK) is None:
                    if self._channel.hung_up():
                        os._exit(0)
                self._channel.recover()
                runner = self._fork()
                if runner == 0:
                    return
                _, status = os.waitpid(runner, 0)
                self._channel.recover()
                self._channel.tell("ended", runner, status)
        except Exception:  # the daemon is gone
            os._exit(0)

    def _fork(self) -> int:
        """The child is in a group of its own: what is sent to ours is not for it."""
        random = sys.modules.get("random")
        state = random.getstate() if random is not None and hasattr(random, "getstate") else None
        self.forking = True
        try:
            child = self._system_fork()
        finally:
            self.forking = False
        _attempt(os.setpgid, child, child)
        if child == 0 and state is not None:
            _attempt(random.setstate, state)  # type: ignore[union-attr]  # a fork seeds it anew
        return child

    def _offer(self, block: int = 0) -> None:
        """Tell the daemon which copy there is."""
        if self._copy or self._offered:
            self._channel.tell("copy", self._copy, block)
            self._offered = bool(self._copy)

    def _kill(self, copy: int) -> None:
        if copy:
            self._killed.append(copy)
            _attempt(os.kill, copy, signal.SIGKILL)

    def _forget(self) -> None:
        """Take notice of the end of those that were killed; by now this takes no time."""
        while self._killed:
            _attempt(os.waitpid, self._killed.pop(), 0)


def _memory() -> int:
    """Bytes of this process that are in memory."""
    file = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(file, 100).split()[1]) * _PAGE
    finally:
        os.close(file)


def _threads() -> int:
    return os.stat("/proc/self/task").st_nlink - 2  # noqa: PTH116


def _descriptors() -> set[int]:
    return set(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208


_HARMLESS = {os.makedev(1, minor) for minor in (3, 5, 8, 9)}
"""/dev/null, zero, random and urandom."""


def _harmless(descriptor: int) -> bool:
    """Whether nobody notices that a copy holds it open; who has a pipe's other end does."""
    try:
        status = os.fstat(descriptor)
    except OSError:  # the one with which the list was read
        return True
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFIFO:
        return _alone(descriptor)
    return kind in (stat.S_IFREG, stat.S_IFDIR) or status.st_rdev in _HARMLESS


def _alone(pipe: int) -> bool:
    """Whether nobody has its other end any more."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(0))


def _attempt(act: Callable[..., object], *arguments: object) -> None:
    """What may fail: the user's code may have killed a child, or waited for it."""
    try:
        act(*arguments)
    except Exception:
        pass
