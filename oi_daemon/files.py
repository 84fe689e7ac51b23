"""Files that only the user can read, written whole or not at all, and flushed where it matters.

The history does all its work on files through this module, so that a test can replace `os` here
and put a fault, or a loss of power, at any system call.
"""

import errno
import fcntl
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STALE = 60.0
"""Seconds after which a draft counts as left by a killed process, because none is in use so
long."""

_LOCKED_FOR_AT_MOST = 2.0
"""Seconds to wait for a lock. Who holds it renames one file, and is done unless it was stopped."""

_BETWEEN_TRIES = 0.002
"""Seconds between two tries to get a lock."""

_PIECE = 8 << 20
"""Bytes that one system call copies or reads."""


class NotAFileError(OSError):
    """Raised when a path is a folder, a pipe or a device, where a regular file is expected."""


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def make_private(folder: Path, *, durable: bool = False) -> None:
    """Make a folder and its missing parents for this user alone; an existing one stays as it is.

    Args:
        durable: return only when the new folders survive a loss of power.
    """
    missing = []
    for path in (folder, *folder.parents):
        if _is_folder(path):
            break
        missing.append(path)
    for path in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
        if durable:
            flush_folder(path.parent)


def write_private(path: Path, data: bytes, *, durable: bool = False) -> os.stat_result:
    """Write a file that is private from its first byte, and return its new state.

    A reader finds the old file or the new one, never a part, even if this process is killed.

    Args:
        durable: return only when the new file survives a loss of power.
    """
    with draft(path.parent) as (descriptor, temporary):
        write(descriptor, data)
        if durable:
            flush(descriptor)
        written = os.fstat(descriptor)
        move(temporary, path)
    if durable:
        flush_folder(path.parent)
    return written


@contextmanager
def draft(folder: Path) -> Iterator[tuple[int, Path]]:
    """Give a new private file, as a descriptor and its path, to write and then to `move`.

    The file is removed again if it was not moved. A killed process leaves it, see `sweep`.
    """
    path = folder / f".{secrets.token_hex(8)}.tmp"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor, path
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def move(source: Path, target: Path) -> None:
    """Give a file another name; a file that had this name is replaced in the same moment."""
    os.rename(source, target)


def remove(path: Path) -> bool:
    """Remove a file; False if there is none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def remove_folder(folder: Path) -> None:
    """Remove a folder if it is empty."""
    with suppress(OSError):
        os.rmdir(folder)


def state(path: Path) -> os.stat_result | None:
    """The state of a file or folder; None if there is none."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """What a folder holds; nothing if there is no such folder."""
    try:
        with os.scandir(folder) as found:
            yield from found
    except FileNotFoundError:
        return


def read(path: Path) -> tuple[bytes, os.stat_result]:
    """A regular file's bytes, and its state when it was opened.

    Raises:
        NotAFileError: it is no regular file.
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotAFileError(errno.EINVAL, "It is not a file", str(path))
        return b"".join(_pieces(descriptor)), found
    finally:
        os.close(descriptor)


def open_journal(path: Path) -> int:
    """Open a private file to read it and to write at its end; it is made if there is none."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def write(descriptor: int, data: bytes) -> None:
    """Write all of the data."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def copy_start(source: Path, size: int, descriptor: int) -> bool:
    """Append the first `size` bytes of a file; False if the file has become shorter.

    The kernel copies them where it can, so other threads of this process run on meanwhile.
    """
    opened = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while size:
            copied = _copy(opened, descriptor, min(size, _PIECE))
            if not copied:
                return False
            size -= copied
        return True
    finally:
        os.close(opened)


def state_of(descriptor: int) -> os.stat_result:
    """The state of an open file."""
    return os.fstat(descriptor)


def duplicate(descriptor: int) -> int:
    """A second descriptor of an open file, which shares its claim."""
    return os.dup(descriptor)


def cut(descriptor: int, size: int) -> None:
    """Make a file as short as this."""
    os.ftruncate(descriptor, size)


def flush(descriptor: int) -> None:
    """Return when what was written to a file survives a loss of power."""
    if sys.platform == "darwin":
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone leaves it in the disk's cache
            return
    os.fsync(descriptor)


def flush_folder(folder: Path) -> None:
    """Return when the names in a folder survive a loss of power."""
    descriptor = os.open(folder, _FOLDER)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def claim(descriptor: int) -> bool:
    """Mark an open file as this process's until it is closed; False if another process has it.

    Where a file system cannot lock, everybody gets it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def close(descriptor: int) -> None:
    """Close a file, and give up the claim on it."""
    os.close(descriptor)


def sweep(drafts: Iterable[Path]) -> None:
    """Remove those drafts that killed processes have left."""
    oldest = time.time() - _STALE
    for path in drafts:
        with suppress(OSError):
            if os.stat(path).st_mtime < oldest:
                os.unlink(path)


def is_draft(name: str) -> bool:
    """Whether a file of this name is a draft, which belongs to nobody but its writer."""
    return name.startswith(".") and name.endswith(".tmp")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file against every other process and thread that asks for it in this way.

    This blocks, so it has no place on an event loop. It is a best effort: where the lock cannot
    be had, because the file system has none or its holder was stopped, the work goes on without.
    """
    from filelock import FileLock, Timeout  # here, because its import takes as long as a start

    make_private(path.parent)
    lock = FileLock(path, mode=0o600, thread_local=False, poll_interval=_BETWEEN_TRIES)
    with suppress(Timeout, OSError, NotImplementedError):
        lock.acquire(timeout=_LOCKED_FOR_AT_MOST)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.release()


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError:
        return False


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _copy(source: int, target: int, size: int) -> int:
    """Copy at most `size` bytes from one open file to another; returns how many were copied.

    Both files go on at their present positions.
    """
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):  # between file systems, or in a sandbox that knows no such call
            return os.copy_file_range(source, target, size)
    piece = os.read(source, size)
    write(target, piece)
    return len(piece)
