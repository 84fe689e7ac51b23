"""Leaves nothing behind: when the daemon dies, in whatever way, all that it started is killed.

The guard is a shell in a session of its own. It reads a pipe over which the daemon names each
process group that it starts. When the pipe ends, the daemon is dead, and the shell kills these
groups. A process that has left its group is found by a variable in its environment, if the system
shows that. Temporary folders are deleted too.
"""

import atexit
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

COOKIE = "OI_DAEMON"
"""Environment variable of all that a daemon starts. It names the daemon and the worker."""

_SCRIPT = r"""
trap '' INT TERM HUP
groups=" "
folders=
while read -r change what; do
  case $change in
    +) groups="$groups$what " ;;
    -) groups="${groups%% $what *} ${groups#* $what }" ;;
    folder) folders="$folders$what
" ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done
for _ in 1 2 3 4 5; do
  found=$(grep -lszE "^$1=$2" /proc/[0-9]*/environ)
  [ "$found" ] || break
  for file in $found; do
    process=${file#/proc/}
    kill -KILL "${process%%/*}"
  done
done
printf '%s' "$folders" | while read -r folder; do rm -rf -- "$folder"; done
"""


class Guard:
    """The daemon's guard process."""

    def __init__(self) -> None:
        self.cookie = secrets.token_hex(8)
        """Beginning of the value of COOKIE in all that this daemon starts."""
        self._groups: set[int] = set()
        """Process groups that are to be killed when the daemon dies."""
        self._folders: list[str] = []
        """Folders that are to be deleted when the daemon dies."""
        self._shell = self._start()

    def add(self, group: int) -> None:
        """Kill this process group when the daemon dies."""
        self._groups.add(group)
        self._send(f"+ {group}")

    def remove(self, group: int) -> None:
        """Do not kill this process group any more: it has ended."""
        self._groups.discard(group)
        self._send(f"- {group}")

    def add_folder(self, folder: str) -> None:
        """Delete this temporary folder when the daemon dies."""
        self._folders.append(folder)
        self._send(f"folder {folder}")

    def close(self) -> None:
        """The daemon ends: let the guard kill what is left, and wait for its end."""
        self._shell.communicate()

    def _send(self, change: str) -> None:
        """Send a change to the guard. If it has been killed, start another."""
        try:
            self._write(f"{change}\n")
        except BrokenPipeError:  # somebody has killed the guard
            self._shell.wait()
            self._shell = self._start()
            self._write("".join(f"+ {known}\n" for known in self._groups))
            self._write("".join(f"folder {known}\n" for known in self._folders))

    def _write(self, text: str) -> None:
        """Write to the guard's pipe.

        Raises:
            BrokenPipeError: the guard is dead.
        """
        assert self._shell.stdin is not None
        self._shell.stdin.write(text.encode())
        self._shell.stdin.flush()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a guard process."""
        return subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "oi-guard", COOKIE, self.cookie],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )


@cache
def guard() -> Guard:
    """The guard of this daemon, started at first need."""
    started = Guard()
    atexit.register(started.close)
    return started


def kill(group: int, cookie: str, spared: Collection[int] = ()) -> None:
    """Kill a process group, and all processes outside of it that have its cookie.

    Args:
        spared: processes that are left alive although they have the cookie.
    """
    _attempt(os.killpg, group)
    for process in _processes():
        if process not in spared and has_cookie(process, cookie):
            _attempt(os.kill, process)


def has_cookie(process: int, cookie: str) -> bool:
    """Whether a process was started with this cookie; False where the system does not show it."""
    try:
        environ = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:  # it has ended, or is not ours
        return False
    return f"{COOKIE}={cookie}".encode() in environ.split(b"\0")


def _processes() -> list[int]:
    """The ids of all processes; none if there is no /proc."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - takes half the time
    except FileNotFoundError:
        return []


def _attempt(kill: Callable[[int, int], None], target: int) -> None:
    """Send SIGKILL by this function, if the target is still there and ours."""
    try:
        kill(target, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has ended, or is another user's
        pass
