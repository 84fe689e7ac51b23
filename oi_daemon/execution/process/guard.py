"""Leaves nothing behind: when the daemon dies, in whatever way, all that it started is killed.

A guard is a shell in a session of its own. It reads a pipe over which the daemon names each
process group that it starts. When the pipe ends, the daemon is dead, and the shell kills these
groups. A process that has left its group is found by a variable in its environment, if the system
shows that. Temporary folders are deleted too.

There are two guards, because one could be killed just before the daemon. A guard that was killed is
replaced at once. The second guard is not a child of the daemon.
"""

import asyncio
import atexit
import logging
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

logger = logging.getLogger(__name__)

COOKIE = "OI_DAEMON"
"""Environment variable of all that a daemon starts. It names the daemon and the worker."""
LATER = "later."
"""What its value begins with for a worker that ends by itself when the daemon has died, because it
first has to end what runs elsewhere. It has 25 seconds; then it is killed as well."""

_SCRIPT = r"""
trap '' INT TERM HUP
groups=" "
later=" "
folders=
while read -r change what; do
  case $change in
    +) groups="$groups$what " ;;
    later) later="$later$what " ;;
    -)
      case $groups in *" $what "*) groups="${groups%% $what *} ${groups#* $what }" ;; esac
      case $later in *" $what "*) later="${later%% $what *} ${later#* $what }" ;; esac ;;
    folder) folders="$folders$what
" ;;
  esac
done
kill_marked() {
  for _ in 1 2 3 4 5; do
    found=$(grep -lszE "^$1" /proc/[0-9]*/environ)
    [ "$found" ] || break
    for file in $found; do
      process=${file#/proc/}
      kill -KILL "${process%%/*}"
    done
  done
}
for group in $groups; do kill -KILL "-$group"; done
kill_marked "$1=$3"
printf '%s' "$folders" | while read -r folder; do rm -rf -- "$folder"; done
[ "$later" != " " ] || exit 0
tenths=0
for group in $later; do
  while [ $tenths -lt 250 ] && kill -0 "-$group"; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  kill -KILL "-$group"
done
kill_marked "$1=$2$3"
"""
_ORPHAN = r"""
exec 3<&0
/bin/sh -c "$1" oi-watch "$2" "$3" "$4" <&3 3<&- >/dev/null &
echo $!
"""
"""Starts the script in a process that is not our child, and writes that process's id. Descriptor 3,
because a shell takes the standard input away from what it starts in the background."""


class GuardShell:
    """One guard process."""

    def __init__(self, cookie: str, *, orphan: bool) -> None:
        """
        Args:
            orphan: start it so that it is no child of ours.

        Raises:
            OSError: it cannot be started.
        """
        script = [_ORPHAN, "oi-start", _SCRIPT] if orphan else [_SCRIPT, "oi-guard"]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", *script, COOKIE, LATER, cookie],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if orphan else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        self.pid = self._process.pid
        """Id of the guard."""
        if self._process.stdout is not None:
            self.pid = int(self._process.stdout.readline() or self.pid)
            self._process.stdout.close()
            self._process.wait()
        self._pidfd = _pidfd(self.pid)
        """Descriptor that becomes readable when the guard has ended; None if there is none."""

    def watch(self, loop: asyncio.AbstractEventLoop, ended: Callable[[], None]) -> None:
        """Call `ended` in this loop when the guard has ended."""
        if self._pidfd is not None:
            loop.add_reader(self._pidfd, ended)

    def unwatch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Undo `watch`."""
        if self._pidfd is not None and not loop.is_closed():
            loop.remove_reader(self._pidfd)

    def write(self, text: str) -> None:
        """Write to the guard's pipe.

        Raises:
            BrokenPipeError: the guard is dead.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def close(self) -> None:
        """Close the pipe, and wait for the end of a guard that is our child."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        self._process.wait()
        if self._pidfd is not None:
            os.close(self._pidfd)


class Guard:
    """The daemon's two guards, and what they must know."""

    def __init__(self) -> None:
        self.cookie = secrets.token_hex(8)
        """Beginning of the variable COOKIE in the environment of all that this daemon starts."""
        self.deaths = 0
        """How many guards were killed and replaced."""
        self._groups: dict[int, bool] = {}
        """Process groups that are to be killed when the daemon dies; True: that may end by
        themselves before."""
        self._folders: list[str] = []
        """Folders that are to be deleted when the daemon dies."""
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop that watches the guards."""
        self._shells = [GuardShell(self.cookie, orphan=orphan) for orphan in (False, True)]

    @property
    def groups(self) -> frozenset[int]:
        """The process groups that are to be killed when the daemon dies."""
        return frozenset(self._groups)

    def add(self, group: int, *, later: bool = False) -> None:
        """Kill this process group when the daemon dies.

        Args:
            later: it has some time to end by itself before. See LATER.
        """
        if group not in self._groups:
            self._groups[group] = later
            self._send(_addition(group, later=later))

    def remove(self, group: int) -> None:
        """Do not kill this process group any more: it has ended."""
        self._groups.pop(group, None)
        self._send(f"- {group}")

    def add_folder(self, folder: str) -> None:
        """Delete this temporary folder when the daemon dies."""
        self._folders.append(folder)
        self._send(f"folder {folder}")

    def close(self) -> None:
        """The daemon ends: let the guards kill what is left, and wait for the first one's end."""
        for shell in self._shells:
            shell.close()

    @property
    def problems(self) -> list[str]:
        """What a person should know about the guards, each a sentence."""
        if not self.deaths:
            return []
        times = "once" if self.deaths == 1 else f"{self.deaths} times"
        return [
            "A process that ends all running code when the daemon ends was killed from outside"
            f" ({times}). It was started again."
        ]

    def _send(self, change: str) -> None:
        """Send a change to the guards. One that has been killed is replaced."""
        self._watch()
        for number, shell in enumerate(self._shells):
            try:
                shell.write(f"{change}\n")
            except BrokenPipeError:
                self._replace(number, shell)

    def _watch(self) -> None:
        """Watch the guards in the event loop that runs, if there is one."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if loop is not self._loop:
            self._loop = loop
            for number, shell in enumerate(self._shells):
                self._watch_one(number, shell, loop)

    def _watch_one(self, number: int, shell: GuardShell, loop: asyncio.AbstractEventLoop) -> None:
        """Replace a guard as soon as it has ended."""
        shell.watch(loop, lambda: self._replace(number, shell))

    def _replace(self, number: int, dead: GuardShell) -> None:
        """Start another guard in place of a dead one."""
        if self._shells[number] is not dead:
            return
        self.deaths += 1
        if self._loop is not None:
            dead.unwatch(self._loop)
        shell = self._shells[number] = GuardShell(self.cookie, orphan=number == 1)
        known_groups = self._groups.items()
        shell.write("".join(f"{_addition(known, later=it)}\n" for known, it in known_groups))
        shell.write("".join(f"folder {known}\n" for known in self._folders))
        if self._loop is not None and not self._loop.is_closed():
            self._watch_one(number, shell, self._loop)
        dead.close()
        logger.warning("The guard process %d was killed. Another one was started.", dead.pid)


def _addition(group: int, *, later: bool) -> str:
    """What a guard is sent to kill this process group when the daemon dies."""
    return f"{'later' if later else '+'} {group}"


@cache
def guard() -> Guard:
    """The guard of this daemon, started at first need."""
    started = Guard()
    atexit.register(started.close)
    return started


def guard_groups() -> frozenset[int]:
    """The process groups of all code that runs. Does not start the guard."""
    return guard().groups if guard.cache_info().currsize else frozenset()


def guard_problems() -> list[str]:
    """What a person should know about the guards. Does not start them."""
    return guard().problems if guard.cache_info().currsize else []


def kill(group: int, cookie: str, spared: Collection[int] = ()) -> None:
    """Kill a process group, and all processes outside of it that have its cookie.

    Args:
        spared: processes that are left alive although they have the cookie.
    """
    _attempt(os.killpg, group)
    for process in process_ids():
        if process not in spared and has_cookie(process, cookie):
            _attempt(os.kill, process)


def has_cookie(process: int, cookie: str) -> bool:
    """Whether a process was started with this cookie; False where the system does not show it."""
    try:
        environ = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:  # it has ended, or is not ours
        return False
    return f"{COOKIE}={cookie}".encode() in environ.split(b"\0")


def _pidfd(process: int) -> int | None:
    """A descriptor of a process, or None if the system has none or the process has ended."""
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return None


def process_ids() -> list[int]:
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
