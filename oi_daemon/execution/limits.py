"""What a block may take."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from oi_daemon.settings import Settings

CRASH_PROOF = sys.platform == "linux"
"""Whether a copy of a process can be kept, and be told from any other."""
_MEGABYTE = 1_000_000


@dataclass(kw_only=True)
class Limits:
    """One object for all interpreters of a conversation, whose variables a change does not cost."""

    seconds: float | None = None
    """For which a block may run. Waiting for a person does not count."""
    memory: int | None = None
    """Megabytes that an interpreter and all that it started may take. Heeded on Linux only."""
    copied: int = 1000
    """Megabytes of memory up to which an interpreter is kept crash-proof, where it can be."""

    def heed(self, settings: Settings) -> None:
        self.seconds = settings.max_seconds
        self.memory = settings.max_memory
        self.copied = settings.crash_proof_memory if settings.crash_proof else 0


@dataclass(frozen=True, slots=True)
class Taken:
    """Memory that some processes take, in megabytes."""

    total: int
    largest: int
    """Of them, the id of the one that takes most."""


def taken(processes: Iterable[int]) -> Taken:
    """Of what forked processes share, each takes all."""
    sizes = {process: _private(process) for process in processes}
    return Taken(sum(sizes.values()) // _MEGABYTE, max(sizes, key=sizes.__getitem__))


def name(process: int) -> str:
    """As the system calls it."""
    return _read(Path(f"/proc/{process}/comm")).strip() or "A process"


def tree(process: int) -> Iterator[int]:
    """The ids of a process and its descendants, where the system shows them."""
    yield process
    for thread in _entries(f"/proc/{process}/task"):
        for child in _read(thread / "children").split():
            yield from tree(int(child))


def _private(process: int) -> int:
    """Bytes in memory that belong to no file."""
    _, resident, shared, *_ = map(int, (_read(Path(f"/proc/{process}/statm")) or "0 0 0").split())
    return (resident - shared) * os.sysconf("SC_PAGESIZE")


def _entries(folder: str) -> list[Path]:
    try:
        return list(Path(folder).iterdir())
    except OSError:  # gone, or not Linux
        return []


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
