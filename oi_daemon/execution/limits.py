"""How long a block may run, and how much memory its processes may use."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from oi_daemon.settings import Settings

STANDBY_SUPPORTED = sys.platform == "linux"
"""Whether this system lets a process keep a standby, and the daemon recognize it."""
_MEGABYTE = 1_000_000


@dataclass(kw_only=True)
class Limits:
    """Limits shared by all language processes of a conversation.

    Mutable on purpose: changing one does not restart the processes, so variables survive.
    """

    seconds: float | None = None
    """Seconds for which a block may run; None: no limit. Waiting for input does not count."""
    memory: int | None = None
    """Megabytes that a language's processes may use; None: no limit. Enforced on Linux only."""
    standby_memory: int = 1000
    """Megabytes of memory up to which a process keeps a standby. 0: no process keeps one."""

    def apply(self, settings: Settings) -> None:
        """Take the limits from the settings."""
        self.seconds = settings.max_seconds
        self.memory = settings.max_memory
        self.standby_memory = settings.crash_proof_memory if settings.crash_proof else 0


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Memory of some processes."""

    total: int
    """Megabytes that all the processes use together."""
    largest: int
    """Id of the process that uses the most memory."""


def memory_use(processes: Iterable[int]) -> MemoryUse:
    """Memory of these processes.

    Pages shared after a fork are counted once per process, so the total can be too high.
    """
    sizes = {process: _private_bytes(process) for process in processes}
    return MemoryUse(sum(sizes.values()) // _MEGABYTE, max(sizes, key=sizes.__getitem__))


def process_name(process: int) -> str:
    """The name of a process as the system shows it."""
    return _read(Path(f"/proc/{process}/comm")).strip() or "A process"


def process_tree(process: int) -> Iterator[int]:
    """The ids of a process and of its descendants; only its own where /proc does not exist."""
    yield process
    for thread in _entries(f"/proc/{process}/task"):
        for child in _read(thread / "children").split():
            yield from process_tree(int(child))


def _private_bytes(process: int) -> int:
    """Resident bytes of a process that belong to no file; 0 if it has ended."""
    _, resident, shared, *_ = map(int, (_read(Path(f"/proc/{process}/statm")) or "0 0 0").split())
    return (resident - shared) * os.sysconf("SC_PAGESIZE")


def _entries(folder: str) -> list[Path]:
    """The paths in a folder; none if it cannot be read."""
    try:
        return list(Path(folder).iterdir())
    except OSError:  # the process has ended, or this is not Linux
        return []


def _read(file: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return file.read_text()
    except OSError:
        return ""
