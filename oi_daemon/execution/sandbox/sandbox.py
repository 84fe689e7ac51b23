"""Starts processes in a sandbox, which the kernel holds for them and all that they start.

A thread restricts itself, starts the process, which inherits the restrictions, and ends. So the
rest of the daemon stays unrestricted, and no code of ours has to run between fork and exec.
"""

import os
import re
import subprocess
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.sandbox.tools import tool_folders
from oi_daemon.messages import ActiveLine, Chunk, Output

_DEVICES = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"),
    *("/dev/ptmx", "/dev/pts", "/dev/dri", "/dev/kfd"),
)
"""Devices that code may read and write."""
_SHARED_MEMORY = "/dev/shm"
"""The folder of memory that processes share; multiprocessing's locks are files there."""
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/gnu"),
    *("/snap", "/etc", "/dev", "/proc", "/sys", "/var/lib", "/var/cache"),
)
"""Folders that isolated code may read, besides those that it may write and its tools."""
_LIBRARIES = ("~/.local/lib", "~/R")
"""Folders in the home that isolated code may read, because packages are installed there."""
_WORKERS = Path(__file__).parents[1]
"""The folder with the workers' own code."""


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """What code may do; see docs/sandbox.md."""

    mode: Literal["write-protect", "isolated"]
    folders: tuple[str, ...]
    """Folders in which code may write."""
    temporary: str | None = None
    """The folder for temporary files, in which code may write too."""

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that name folders for temporary files where code may write."""
        if self.temporary is None:
            return {}
        cache = f"{self.temporary}/cache"
        matplotlib = (
            f"{cache}/matplotlib"  # it warns if it cannot write in the folder of its settings
        )
        return {"TMPDIR": self.temporary, "XDG_CACHE_HOME": cache, "MPLCONFIGDIR": matplotlib}

    def start(
        self,
        start: Callable[[], subprocess.Popen[bytes]],
        command: Sequence[str],
        environment: dict[str, str],
    ) -> subprocess.Popen[bytes]:
        """Call `start`, which starts `command` in this environment, so that it is in the sandbox.

        Raises:
            NotInstalledError: this sandbox is not possible here; nothing was started.
            OSError: the process could not be started.
        """
        refusal = self._refusal()
        if refusal is not None:
            raise NotInstalledError(refusal)

        def work() -> subprocess.Popen[bytes]:
            self._enter([*tool_folders(command, environment, self._is_writable)])
            return start()

        with ThreadPoolExecutor(1, "sandbox") as thread:
            return thread.submit(work).result()

    async def explained(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """Yield a block's chunks, with an explanation if the sandbox may have refused something."""
        watch = _RefusalWatch([_REFUSED, *([_UNREACHED] if self.mode == "isolated" else [])])
        async with aclosing(chunks):
            async for chunk in chunks:
                if isinstance(chunk, Output):
                    watch.feed(chunk.text)
                elif chunk == ActiveLine(None) and watch.refused:
                    newline = "" if watch.end.endswith("\n") else "\n"
                    yield Output(f"{newline}[{self._explanation()}]\n")
                yield chunk

    def _explanation(self) -> str:
        """Return what the sandbox allows, for the user and the model."""
        folders = " and ".join(self.folders)
        can = f"code can write only in {folders} and its temporary folder"
        if self.mode == "isolated":
            can += ", has no network, and reads nothing else of the home folder"
        return (
            f"The sandbox may have refused this: with the setting sandbox = {self.mode}, {can}."
            " Only the user can change that, by the settings sandbox_folders and sandbox."
        )

    def _refusal(self) -> str | None:
        """Return why this sandbox is not possible here; None if it is."""
        # Imported here, because ctypes is only needed for a sandbox.
        from oi_daemon.execution.sandbox import landlock, seccomp

        why = None
        if landlock.version() < landlock.LEAST:
            why = "it needs Linux 6.2 or later, with Landlock"
        elif not seccomp.is_known_machine():
            why = "oi-daemon does not know the system calls of this kind of processor"
        if why:
            return (
                f"Nothing was run: the setting sandbox = {self.mode} is not possible on this"
                f" machine: {why}. To run code without a sandbox, set sandbox = none."
            )
        for folder in self.folders:
            if not Path(folder).is_dir():
                return f"Nothing was run: there is no folder {folder}. {_CHANGE_FOLDERS}"
            if Path(folder).samefile("/"):
                return (
                    f"Nothing was run: the sandbox protects files outside of the folders in which"
                    f" code may write, and {folder} contains all files. {_CHANGE_FOLDERS}"
                )
        return None

    def _is_writable(self, path: Path) -> bool:
        """Return whether code can write to a path, so that it may be a link to elsewhere."""
        return any(Path(folder) in (path, *path.parents) for folder in self.folders)

    def _enter(self, tools: Sequence[Path]) -> None:
        """Restrict the calling thread, and what it starts. `tools` are folders that may be read."""
        from oi_daemon.execution.sandbox.capabilities import drop_capabilities
        from oi_daemon.execution.sandbox.landlock import CHANGE, READ, WRITE, Access, restrict
        from oi_daemon.execution.sandbox.seccomp import protect_other_processes

        writable = [*self.folders, _SHARED_MEMORY, *([self.temporary] if self.temporary else [])]
        readable = [*_system_folders(), *map(os.path.expanduser, _LIBRARIES), _WORKERS, *tools]
        handled = CHANGE
        rules = [(path, READ | WRITE) for path in writable]
        rules += [(path, Access.WRITE_FILE | Access.READ_FILE) for path in _DEVICES]
        rules += [(str(path), Access.WRITE_FILE) for path in Path("/dev").glob("nvidia*")]
        if self.mode == "isolated":
            handled |= READ
            rules += [(str(path), READ) for path in readable]
        protect_other_processes(network=self.mode != "isolated")
        drop_capabilities()
        restrict(handled, [rule for rule in rules if Path(rule[0]).exists()])


def parse_folders(text: str | None, cwd: str) -> tuple[str, ...]:
    """Return the working folder and those of the setting `sandbox_folders`, as absolute paths.

    A folder inside another one of them is left out, because code can replace it by a link.
    """
    named = [cwd, *(text or "").split(os.pathsep)]
    paths = {Path(cwd, Path(name.strip()).expanduser()) for name in named if name.strip()}
    found = {Path(os.path.normpath(path)) for path in paths}
    return tuple(sorted(str(path) for path in found if not found.intersection(path.parents)))


_CHANGE_FOLDERS = "Change the setting sandbox_folders or cwd."


def _system_folders() -> list[str]:
    """Return the system's folders, without one that contains the home folder."""
    home = Path.home()
    return [folder for folder in _SYSTEM if Path(folder) not in (home, *home.parents)]


_REFUSED = re.compile(r"permission ?(denied|error)|not permitted|cross-device link", re.IGNORECASE)
_UNREACHED = re.compile(
    r"network is unreachable|ENETUNREACH|name resolution|resolve host|EAI_AGAIN|connect to server",
    re.IGNORECASE,
)
_LONGEST = 40
"""Characters that the longest text which the patterns match can have."""


class _RefusalWatch:
    """Looks in a block's output for messages of programs that the kernel has refused a call."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        self.refused = False
        """True once a message was found that matches a pattern."""
        self.end = ""
        """The last characters of the output, because a message may be split over two chunks."""
        self._patterns = patterns

    def feed(self, text: str) -> None:
        """Look at the next piece of output."""
        seen = self.end + text
        self.refused = self.refused or any(pattern.search(seen) for pattern in self._patterns)
        self.end = seen[-_LONGEST:]
