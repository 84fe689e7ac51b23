"""Who may use the shared daemon: the user's own processes, but not the code that it runs itself."""

import os
import select
import socket
import sys
from pathlib import Path

from oi_daemon.execution.process.guard import guard_groups
from oi_daemon.shared.door import peer

_SO_PEERPIDFD = 77
_OTHER_USER = "It belongs to another user."
_SANDBOX = "Code in a sandbox cannot use the shared daemon, which would run code outside of it."
_OWN_CODE = "Code that the shared daemon runs cannot be its client."
_UNKNOWN = "It cannot be seen which process asks."


def refusal(connection: socket.socket) -> str | None:
    """Why the process at the other end is refused; None if it may use the daemon.

    Code in a sandbox may have a socket, but it would get out of the sandbox by the daemon. Neither
    its `NoNewPrivs` nor its seccomp filters can be taken off again, so they tell.
    """
    pid, uid = peer(connection)
    if uid != os.getuid():
        return _OTHER_USER
    if sys.platform != "linux":
        return None
    alive = _pidfd(connection, pid)
    try:
        theirs, ours = _restrictions(pid), _restrictions(os.getpid())
        if theirs is None or ours is None:
            return _UNKNOWN
        if theirs[0] > ours[0] and theirs[1] > ours[1]:
            return _SANDBOX
        if _descends_from(pid, guard_groups()):
            return _OWN_CODE
        if alive is not None and select.select([alive], [], [], 0)[0]:
            return _UNKNOWN  # it has ended, so its id may have been another's
    finally:
        if alive is not None:
            os.close(alive)
    return None


def _pidfd(connection: socket.socket, pid: int) -> int | None:
    """A descriptor of the process that has connected, if the system gives one."""
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        pass  # before Linux 6.5
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _restrictions(pid: int) -> tuple[int, int] | None:
    """Whether a process can gain no rights (1 or 0), and how many seccomp filters it has."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    try:
        filters = fields.get("Seccomp_filters") or fields.get("Seccomp", "0")
        return int(fields["NoNewPrivs"]), int(filters)
    except (KeyError, ValueError):
        return None


def _descends_from(pid: int, groups: frozenset[int]) -> bool:
    """Whether a process, or one that it comes from, is in one of these process groups."""
    while pid > 1:
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return False
        parent, group, session = (int(field) for field in fields[1:4])
        if group in groups or session in groups:
            return True
        pid = parent
    return False
