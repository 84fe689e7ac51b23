"""Leaves nothing behind: when the daemon dies, in any way, all that it started is killed.

A shell of its own session holds the reading end of a pipe, and is told of each process group. When
the pipe closes, nobody is left to write to it. A process that has left its group is found by a
variable in its environment, where the system shows it. Temporary folders go too.
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
"""Environment variable of everything that a daemon starts: which daemon, and which worker."""

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
    def __init__(self) -> None:
        self.cookie = secrets.token_hex(8)
        self._groups: set[int] = set()
        self._folders: list[str] = []
        self._shell = self._start()

    def add(self, group: int) -> None:
        self._groups.add(group)
        self._tell(f"+ {group}")

    def remove(self, group: int) -> None:
        self._groups.discard(group)
        self._tell(f"- {group}")

    def add_folder(self, folder: str) -> None:
        """A temporary folder, which goes with the daemon if it is still there."""
        self._folders.append(folder)
        self._tell(f"folder {folder}")

    def close(self) -> None:
        """The daemon ends: so does all that is left, and the guard."""
        self._shell.communicate()

    def _tell(self, change: str) -> None:
        try:
            self._write(f"{change}\n")
        except BrokenPipeError:  # somebody has killed the guard
            self._shell.wait()
            self._shell = self._start()
            self._write("".join(f"+ {known}\n" for known in self._groups))
            self._write("".join(f"folder {known}\n" for known in self._folders))

    def _write(self, text: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(text.encode())
        self._shell.stdin.flush()

    def _start(self) -> subprocess.Popen[bytes]:
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
    """The one guard of this process, started at first need."""
    started = Guard()
    atexit.register(started.close)
    return started


def kill(group: int, cookie: str, spared: Collection[int] = ()) -> None:
    """Kill a process group, and what has left it but carries its cookie."""
    _send(os.killpg, group)
    for process in _processes():
        if process not in spared and carries(process, cookie):
            _send(os.kill, process)


def carries(process: int, cookie: str) -> bool:
    """Whether it was started with this cookie, as far as the system shows that."""
    try:
        environ = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:  # gone, or not ours
        return False
    return f"{COOKIE}={cookie}".encode() in environ.split(b"\0")


def _processes() -> list[int]:
    """The ids of all processes, where the system shows them as files."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - half the time
    except FileNotFoundError:
        return []


def _send(kill: Callable[[int, int], None], target: int) -> None:
    try:
        kill(target, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone, or another user's
        pass
