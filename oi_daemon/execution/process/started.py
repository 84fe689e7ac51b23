"""The processes that code has started and that run now, such as servers.

Everything that a worker starts has its cookie in the environment, see `guard`. A process that has
an environment without it is found as long as it descends from the worker.
"""

import os
import re
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from oi_daemon.execution.language import StartedProcess
from oi_daemon.execution.process.guard import has_cookie, process_ids
from oi_daemon.execution.process.proc import process_tree

_LISTENS = "0A"
"""A listening socket's state in /proc/net/tcp."""
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_MOST = 200
"""Most characters of a command."""


def started_processes(worker: int, cookie: str, ours: Collection[int] = ()) -> list[StartedProcess]:
    """What the code of a worker has started; nothing where there is no /proc.

    Reads the environment of every process, so an event loop calls it in a thread.

    Args:
        worker: id of the process that runs the blocks.
        cookie: value in the environment of all that it starts.
        ours: further processes of the worker itself.
    """
    pids = {pid for pid in process_ids() if has_cookie(pid, cookie)} | {*process_tree(worker)}
    workers_command = _command_line(worker)
    found = (_started(pid, workers_command) for pid in sorted(pids - {worker, *ours}))
    return [process for process in found if process is not None]


def _started(pid: int, workers_command: str) -> StartedProcess | None:
    """Describe a process; None if it has ended, or is a standby."""
    folder = Path(f"/proc/{pid}")
    try:
        # The name, which may hold spaces and brackets, stands in brackets before these fields.
        state, _, group, *fields = (folder / "stat").read_text().rpartition(")")[2].split()
        name = (folder / "comm").read_text().strip()
    except OSError:
        return None
    command = _command_line(pid) or f"[{name}]"
    is_fork = command == workers_command
    if state in "ZX" or (is_fork and int(group) == pid):  # nobody has waited for it; or a standby
        return None
    begun = int(fields[16]) / os.sysconf("SC_CLK_TCK")  # seconds after the start of the system
    seconds = time.clock_gettime(time.CLOCK_BOOTTIME) - begun
    shown = f"a fork of {name}" if is_fork else command
    shown = shown if len(shown) <= _MOST else f"{shown[: _MOST - 3]}..."
    return StartedProcess(pid, shown, max(0.0, round(seconds, 1)), _ports(folder))


def _command_line(pid: int) -> str:
    """The command line of a process; empty if it has ended, or has none."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
    return " ".join(words.split("\0")).strip()


def _ports(folder: Path) -> tuple[int, ...]:
    """The TCP ports on which the process of this folder in /proc listens."""
    sockets = _sockets(folder / "fd")
    if not sockets:
        return ()
    tables = (folder / "net" / "tcp", folder / "net" / "tcp6")
    return tuple(sorted({port for table in tables for port in _listening(table, sockets)}))


def _sockets(descriptors: Path) -> set[str]:
    """The inodes of the sockets that a process has open."""
    inodes = set()
    with suppress(OSError):
        for descriptor in descriptors.iterdir():
            with suppress(OSError):  # it was closed meanwhile
                if found := _SOCKET.fullmatch(str(descriptor.readlink())):
                    inodes.add(found[1])
    return inodes


def _listening(table: Path, inodes: Collection[str]) -> Iterable[int]:
    """The ports of those listening sockets in a table of /proc/net that have these inodes."""
    try:
        _, *lines = table.read_text().splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
        if state == _LISTENS and inode in inodes:
            yield int(local.rpartition(":")[2], 16)
