"""What Linux's /proc tells of a process, and of all that it has started."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MEGABYTE = 1_000_000


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
    for child in children(process):
        yield from process_tree(child)


def children(process: int) -> Iterator[int]:
    """The ids of the processes that a process has started and not waited for."""
    for thread in _threads_of(process):
        yield from map(int, _read(thread / "children").split())


def threads(process: int) -> Iterator[Path]:
    """The folders in /proc of all threads of a process and its descendants."""
    for each in process_tree(process):
        yield from _threads_of(each)


def _private_bytes(process: int) -> int:
    """Resident bytes of a process that belong to no file; 0 if it has ended."""
    _, resident, shared, *_ = map(int, (_read(Path(f"/proc/{process}/statm")) or "0 0 0").split())
    return (resident - shared) * os.sysconf("SC_PAGESIZE")


def _threads_of(process: int) -> list[Path]:
    """The folders of a process's threads; none if it has ended, or if this is not Linux."""
    try:
        return list(Path(f"/proc/{process}/task").iterdir())
    except OSError:
        return []


def _read(file: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return file.read_text()
    except OSError:
        return ""
