"""Disks that fail: replacements for `os` in `oi_daemon.files`."""

import errno
import os
import random
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

WRITES = {"copy_file_range", "dup", "fsync", "ftruncate", "mkdir", "open", "rename", "rmdir"}
WRITES |= {"unlink", "write"}
CALLS = WRITES | {"fstat", "read", "scandir", "stat"}


class FaultyDisk:
    """The real `os`, in which `fault` is called before each system call, with its number and name.

    Flushing is counted but not done, because it is slow, and no test of this takes power away.
    """

    def __init__(self, fault: Callable[[int, str], None]) -> None:
        self._fault = fault
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in CALLS:
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            self._fault(self.calls, name)
            return None if name == "fsync" else real(*args, **kwargs)

        return call


def fail_at(number: int, error: int, *, forever: bool = False) -> Callable[[int, str], None]:
    """A fault: this call fails, with `forever` also each later one that changes something."""

    def fault(call: int, name: str) -> None:
        if call == number or (forever and call > number and name in WRITES):
            raise OSError(error, os.strerror(error))

    return fault


@dataclass
class _Node:
    """A file or folder: as programs see it, and as it is on the disk."""

    is_folder: bool
    data: bytearray = field(default_factory=bytearray)
    flushed: bytes = b""
    names: dict[str, int] = field(default_factory=dict)
    flushed_names: dict[str, int] = field(default_factory=dict)
    mtime_ns: int = field(default_factory=time.time_ns)

    def changed(self) -> None:
        self.mtime_ns = max(self.mtime_ns + 1, time.time_ns())


@dataclass
class _Open:
    node: int
    position: int = 0
    appends: bool = False


class ModelDisk:
    """A file system in memory below `root`, which knows what a loss of power would leave.

    Only what was flushed is sure to be left: the data of a file by flushing it, its name by
    flushing the folder. Anything else may be left or not, and a file's data in part.
    """

    def __init__(self, root: Path, before_call: Callable[[], None]) -> None:
        self._root = root
        self._before_call = before_call
        self._nodes: dict[int, _Node] = {1: _Node(is_folder=True)}
        self._open: dict[int, _Open] = {}
        self._next = 1_000_000  # as a descriptor, it is none of the real system

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def survivors(self, chance: Callable[[], bool], folder: Path) -> None:
        """Write to a real folder what a loss of power leaves.

        Args:
            chance: whether something that was not flushed is left.
        """
        self._survive(1, chance, folder)

    def _survive(self, number: int, chance: Callable[[], bool], place: Path) -> None:
        node = self._nodes[number]
        if not node.is_folder:
            place.write_bytes(self._left_of(node, chance))
            return
        place.mkdir(parents=True, exist_ok=True)
        for name in node.names.keys() | node.flushed_names.keys():
            found = (node.names if chance() else node.flushed_names).get(name)
            if found is not None:
                self._survive(found, chance, place / name)

    def _left_of(self, node: _Node, chance: Callable[[], bool]) -> bytes:
        data = bytes(node.data)
        if data == node.flushed or not chance():
            return node.flushed
        if data.startswith(node.flushed) and chance():
            return data[: random.Random(len(data)).randint(len(node.flushed), len(data))]
        return data

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        if not self._is_here(path):
            return os.open(path, flags, mode)
        self._before_call()
        number = self._find(path)
        if number is not None and flags & os.O_EXCL:
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        if number is None:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, "missing", str(path))
            assert mode == 0o600
            number = self._add(path, _Node(is_folder=False))
        self._next += 1
        self._open[self._next] = _Open(number, appends=bool(flags & os.O_APPEND))
        return self._next

    def close(self, descriptor: int) -> None:
        if descriptor in self._open:
            del self._open[descriptor]
        else:
            os.close(descriptor)

    def dup(self, descriptor: int) -> int:
        self._next += 1
        self._open[self._next] = self._open[descriptor]
        return self._next

    def read(self, descriptor: int, size: int) -> bytes:
        if descriptor not in self._open:
            return os.read(descriptor, size)
        it = self._open[descriptor]
        data = bytes(self._nodes[it.node].data[it.position : it.position + size])
        it.position += len(data)
        return data

    def write(self, descriptor: int, data: bytes) -> int:
        if descriptor not in self._open:
            return os.write(descriptor, data)
        self._before_call()
        it = self._open[descriptor]
        node = self._nodes[it.node]
        position = len(node.data) if it.appends else it.position
        node.data[position : position + len(data)] = data
        it.position = position + len(data)
        node.changed()
        return len(data)

    def copy_file_range(self, source: int, target: int, size: int) -> int:
        return self.write(target, self.read(source, size))

    def ftruncate(self, descriptor: int, size: int) -> None:
        if descriptor not in self._open:
            return os.ftruncate(descriptor, size)
        self._before_call()
        node = self._nodes[self._open[descriptor].node]
        del node.data[size:]
        node.changed()

    def fsync(self, descriptor: int) -> None:
        if descriptor not in self._open:
            return
        self._before_call()
        node = self._nodes[self._open[descriptor].node]
        node.flushed, node.flushed_names = bytes(node.data), dict(node.names)

    def fstat(self, descriptor: int) -> Any:
        if descriptor not in self._open:
            return os.fstat(descriptor)
        return self._stat(self._open[descriptor].node)

    def stat(self, path: Path) -> Any:
        if not self._is_here(path):
            return os.stat(path)
        number = self._find(path)
        if number is None:
            raise FileNotFoundError(errno.ENOENT, "missing", str(path))
        return self._stat(number)

    def mkdir(self, path: Path, mode: int) -> None:
        if not self._is_here(path):
            return os.mkdir(path, mode)
        self._before_call()
        assert mode == 0o700
        self._add(path, _Node(is_folder=True))

    def rename(self, source: Path, target: Path) -> None:
        if not self._is_here(source):
            return os.rename(source, target)
        self._before_call()
        number = self._parent(source).names.pop(source.name)
        self._parent(source).changed()
        self._parent(target).names[target.name] = number
        self._parent(target).changed()

    def unlink(self, path: Path) -> None:
        if not self._is_here(path):
            return os.unlink(path)
        self._before_call()
        if self._find(path) is None:
            raise FileNotFoundError(errno.ENOENT, "missing", str(path))
        del self._parent(path).names[path.name]
        self._parent(path).changed()

    def rmdir(self, path: Path) -> None:
        self._before_call()
        if self._nodes[self._parent(path).names[path.name]].names:
            raise OSError(errno.ENOTEMPTY, "not empty", str(path))
        del self._parent(path).names[path.name]

    @contextmanager
    def scandir(self, path: Path) -> Iterator[Iterator[Any]]:
        if not self._is_here(path):
            with os.scandir(path) as found:
                yield found
            return
        number = self._find(path)
        if number is None:
            raise FileNotFoundError(errno.ENOENT, "missing", str(path))
        entries = []
        for name, child in self._nodes[number].names.items():
            is_file = not self._nodes[child].is_folder
            methods = {"inode": lambda it=child: it, "is_file": lambda it=is_file: it}
            entries.append(SimpleNamespace(name=name, **methods))
        yield iter(entries)

    def _is_here(self, path: Path) -> bool:
        return path == self._root or self._root in path.parents

    def _find(self, path: Path) -> int | None:
        number = 1
        for name in path.relative_to(self._root).parts:
            found = self._nodes[number].names.get(name)
            if found is None:
                return None
            number = found
        return number

    def _parent(self, path: Path) -> _Node:
        number = self._find(path.parent)
        if number is None:
            raise FileNotFoundError(errno.ENOENT, "missing", str(path))
        return self._nodes[number]

    def _add(self, path: Path, node: _Node) -> int:
        parent = self._parent(path)
        if path.name in parent.names:
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        number = len(self._nodes) + 1
        self._nodes[number] = node
        parent.names[path.name] = number
        parent.changed()
        return number

    def _stat(self, number: int) -> Any:
        node = self._nodes[number]
        kind = stat.S_IFDIR if node.is_folder else stat.S_IFREG
        return SimpleNamespace(
            st_mode=kind | 0o700,
            st_ino=number,
            st_size=len(node.data),
            st_mtime=node.mtime_ns / 1e9,
            st_mtime_ns=node.mtime_ns,
        )
