"""Files that only the user can read, written whole or not at all."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STALE = 60.0
"""Seconds. A temporary file lives for milliseconds: one this old was left by a killed process."""

_TRIES = 50
_BETWEEN_TRIES = 0.002
"""Seconds between two tries. They are short, because the holder of a lock writes only one file."""


def make_private(folder: Path) -> None:
    """Make a folder and its missing parents, which only this user can enter.

    A folder that exists is not changed.
    """
    for path in reversed([folder, *folder.parents]):
        if not path.is_dir():
            path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, data: bytes) -> os.stat_result:
    """Write a file that only this user can read from its first byte on, and return its status.

    A reader of `path` finds the whole old file or the whole new one, also if this process is
    killed meanwhile. It then leaves a `.tmp` file, which `sweep` removes.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            _write_all(file.fileno(), data)
            written = os.fstat(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return written


def sweep(folder: Path) -> None:
    """Remove what writers left in this folder when they were killed."""
    oldest = time.time() - _STALE
    for left in folder.glob(".*.tmp"):
        with suppress(OSError):
            if left.stat().st_mtime < oldest:
                left.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder against every other process that asks for it in this way.

    Best effort: some network file systems cannot lock a folder, and a process that was stopped
    while it held one is not waited for. It is then written unlocked.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN_TRIES)
        else:
            return


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
