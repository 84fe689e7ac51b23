"""The sandbox: what code may write, read and reach, held by the system for all that it starts.

A thread takes the restrictions on, starts the process, which inherits them, and is gone: the daemon
itself stays as it is, and nothing of ours runs between fork and exec.
"""

import os
import re
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from oi_daemon.errors import NotInstalledError
from oi_daemon.messages import ActiveLine, Chunk, Output

_DEVICES = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"),
    *("/dev/ptmx", "/dev/pts", "/dev/dri", "/dev/kfd"),
)
_SHARED_MEMORY = "/dev/shm"
"""Locks between processes are files there."""
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/gnu"),
    *("/snap", "/etc", "/dev", "/proc", "/sys", "/var/lib", "/var/cache"),
)
"""What isolated code can read, besides the folders that it can write and the tools that it has."""
_LIBRARIES = ("~/.local/lib", "~/R")
_HERE = Path(__file__).parents[1]
"""The workers' own code."""


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    mode: Literal["write-protect", "isolated"]
    folders: tuple[str, ...]
    """Those that code may write in."""
    temporary: str | None = None
    """One more, for temporary files."""

    @property
    def environment(self) -> dict[str, str]:
        """What is changed of the environment: caches in the home cannot be written."""
        if self.temporary is None:
            return {}
        cache = f"{self.temporary}/cache"
        matplotlib = f"{cache}/matplotlib"  # it complains of a configuration that it cannot write
        return {"TMPDIR": self.temporary, "XDG_CACHE_HOME": cache, "MPLCONFIGDIR": matplotlib}

    def start(
        self,
        start: Callable[[], subprocess.Popen[bytes]],
        command: Sequence[str],
        environment: dict[str, str],
    ) -> subprocess.Popen[bytes]:
        """Call `start` where its process, that of `command`, is held by this sandbox.

        Raises:
            NotInstalledError: there is no such sandbox here; nothing was started.
            OSError: the process could not be started.
        """
        refusal = self._refusal()
        if refusal is not None:
            raise NotInstalledError(refusal)

        def work() -> subprocess.Popen[bytes]:
            self._enter([tool for tool in _tools(command, environment) if not self._holds(tool)])
            return start()

        with ThreadPoolExecutor(1, "sandbox") as thread:
            return thread.submit(work).result()

    async def explained(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """A block's chunks, and where it may have been refused something, what the sandbox does."""
        watch = _TextWatch([_REFUSED, *([_UNREACHED] if self.mode == "isolated" else [])])
        async with aclosing(chunks):
            async for chunk in chunks:
                if isinstance(chunk, Output):
                    watch.see(chunk.text)
                elif chunk == ActiveLine(None) and watch.refused:
                    newline = "" if watch.end.endswith("\n") else "\n"
                    yield Output(f"{newline}[{self._explanation()}]\n")
                yield chunk

    def _explanation(self) -> str:
        folders = " and ".join(self.folders)
        can = f"code can write only in {folders} and its temporary folder"
        if self.mode == "isolated":
            can += ", has no network, and reads nothing else of the home folder"
        return (
            f"The sandbox may have refused this: with the setting sandbox = {self.mode}, {can}."
            " Only the user can change that, by the settings sandbox_folders and sandbox."
        )

    def _refusal(self) -> str | None:
        """Why code cannot be held so here."""
        from oi_daemon.execution.sandbox import landlock  # ctypes, for who has a sandbox

        why = None
        if landlock.version() < landlock.LEAST:
            why = "it needs Linux 6.2 or later, with Landlock"
        elif self.mode == "isolated" and not landlock.can_refuse_sockets():
            why = "turning the network off is not known for this kind of processor"
        if why:
            return (
                f"Nothing was run: the setting sandbox = {self.mode} cannot be kept on this"
                f" machine: {why}. To run code without it, set sandbox = none."
            )
        for folder in self.folders:
            there = Path(folder).is_dir()
            if not there or Path(folder).samefile("/"):
                what = "everything" if there else "no folder"
                return (
                    f"Nothing was run: {folder} is {what}, and the sandbox is to let code write"
                    " there: change the setting sandbox_folders or cwd."
                )
        return None

    def _holds(self, path: Path) -> bool:
        """Whether code can write there, and may have put a link to elsewhere in its place."""
        return any(Path(folder) in (path, *path.parents) for folder in self.folders)

    def _enter(self, tools: Sequence[Path]) -> None:
        from oi_daemon.execution.sandbox.landlock import (
            CHANGE,
            READ,
            WRITE,
            Access,
            drop_capabilities,
            refuse_sockets,
            restrict,
        )

        writable = [*self.folders, _SHARED_MEMORY, *([self.temporary] if self.temporary else [])]
        readable = [*_system(), *map(os.path.expanduser, _LIBRARIES), _HERE, *tools]
        handled = CHANGE
        rules = [(path, READ | WRITE) for path in writable]
        rules += [(path, Access.WRITE_FILE | Access.READ_FILE) for path in _DEVICES]
        rules += [(str(path), Access.WRITE_FILE) for path in Path("/dev").glob("nvidia*")]
        if self.mode == "isolated":
            handled |= READ
            rules += [(str(path), READ) for path in readable]
            refuse_sockets()
        drop_capabilities()
        restrict(handled, [rule for rule in rules if Path(rule[0]).exists()])


def parse_folders(text: str | None, cwd: str) -> tuple[str, ...]:
    """The working folder and those of the setting `sandbox_folders`, as full paths.

    What lies in another of them is left out: code may have put a link in its place.
    """
    named = [cwd, *(text or "").split(os.pathsep)]
    paths = {Path(cwd, Path(name.strip()).expanduser()) for name in named if name.strip()}
    found = {Path(os.path.normpath(path)) for path in paths}
    return tuple(sorted(str(path) for path in found if not found.intersection(path.parents)))


def _system() -> list[str]:
    """The system's folders, but for one that the home is in."""
    home = Path.home()
    return [folder for folder in _SYSTEM if Path(folder) not in (home, *home.parents)]


def _tools(command: Sequence[str], environment: dict[str, str]) -> Iterator[Path]:
    """Where the programs are that code can call: what they need stands beside their folder."""
    program = Path(command[0])
    folders = [Path(folder) for folder in environment.get("PATH", "").split(os.pathsep)]
    home = Path.home()
    for folder in (program.parent, program.resolve().parent, *folders):
        beside = folder.parent if folder.name == "bin" else folder
        if folder.is_absolute() and folder not in (home, *home.parents):
            yield folder if beside in (home, home / ".local", *home.parents) else beside


_REFUSED = re.compile(r"permission ?(denied|error)|not permitted|cross-device link", re.IGNORECASE)
_UNREACHED = re.compile(
    r"network is unreachable|ENETUNREACH|name resolution|resolve host|EAI_AGAIN|connect to server",
    re.IGNORECASE,
)
_LONGEST = 40


class _TextWatch:
    """Looks in a block's output for what a refusal of the system looks like."""

    def __init__(self, signs: Sequence[re.Pattern[str]]) -> None:
        self.refused = False
        self.end = ""
        self._signs = signs

    def see(self, text: str) -> None:
        seen = self.end + text
        self.refused = self.refused or any(sign.search(seen) for sign in self._signs)
        self.end = seen[-_LONGEST:]
