"""What files held, by their hash: small contents in one file, each large one in a file of its own.

A process that is killed leaves at most a piece at the end of the one file, which is cut off when it
is opened again.
"""

import fcntl
import hashlib
import os
import shutil
import struct
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from oi_daemon import files
from oi_daemon.changes.state import PathState, state_of

_LARGE = 1 << 20
"""Bytes from which a content gets a file of its own, which the kernel copies."""
_PIECE = 1 << 20
_HEADER = struct.Struct("<32sQ")
_CLONE = 0x40049409
"""The `ioctl` FICLONE: share a file's blocks instead of copying them, where the disk can."""


class NotKeptError(Exception):
    """Raised with the reason why a content cannot be kept."""


class Contents:
    """The contents of one conversation. Not safe for threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files.make_private(folder)
        self._open()

    def _open(self) -> None:
        """Open what is in the folder."""
        folder = self._folder
        self._places: dict[str, tuple[int, int] | None] = {}
        """Where each content is in the one file, and how long; None if it has its own file."""
        self.size = 0
        """Bytes of all contents."""
        self._descriptor = files.open_journal(folder / "small")
        self._end = self._read_places()
        for entry in files.entries(folder):
            if len(entry.name) == 64:
                self._places[entry.name] = None
                self.size += entry.stat().st_size

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def keep(self, path: str, state: PathState) -> PathState:
        """Keep a file's content. Returns its state with the digest.

        Raises:
            NotKeptError: the file is not in this state any more, or cannot be read.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise NotKeptError(error.strerror or "it cannot be read") from error
        try:
            self._check(descriptor, state)
            is_large = state.size >= _LARGE
            digest = self._keep_large(descriptor) if is_large else self._keep_small(descriptor)
            self._check(descriptor, state)
        except OSError as error:
            raise NotKeptError(error.strerror or "it cannot be read") from error
        finally:
            os.close(descriptor)
        return state.with_digest(digest)

    def read(self, digest: str) -> bytes:
        """A content.

        Raises:
            NotKeptError: it is damaged, or not there.
        """
        place = self._places.get(digest, (0, 0))
        try:
            if place is None:
                data = (self._folder / digest).read_bytes()
            else:
                data = os.pread(self._descriptor, place[1], place[0])
        except OSError as error:
            raise NotKeptError("what was kept cannot be read") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise NotKeptError("what was kept is damaged")
        return data

    def write(self, digest: str, descriptor: int) -> None:
        """Write a content to an open file. Raises as `read` does, and OSError."""
        if self._places.get(digest, (0, 0)) is None:
            own = self._folder / digest
            if _hash_of(own) != digest:
                raise NotKeptError("what was kept is damaged")
            if not _clone(own, descriptor):
                files.copy_start(own, own.stat().st_size, descriptor)
        else:
            files.write(descriptor, self.read(digest))

    def prune(self, wanted: Set[str]) -> None:
        """Forget all contents but these."""
        for digest, place in [*self._places.items()]:
            if place is None and digest not in wanted:
                files.remove(self._folder / digest)
        old, small = self._descriptor, self._folder / "small"
        with files.draft(self._folder) as (descriptor, temporary):
            for digest in sorted(wanted):
                place = self._places.get(digest)
                if place is not None:
                    files.write(descriptor, _HEADER.pack(bytes.fromhex(digest), place[1]))
                    files.write(descriptor, os.pread(old, place[1], place[0]))
            files.move(temporary, small)
        os.close(old)
        self._open()

    def close(self) -> None:
        os.close(self._descriptor)

    def _read_places(self) -> int:
        """Read where the contents are in the one file; returns where the next one goes."""
        size, position = os.fstat(self._descriptor).st_size, 0
        while position + _HEADER.size <= size:
            header = os.pread(self._descriptor, _HEADER.size, position)
            digest, length = _HEADER.unpack(header)
            if position + _HEADER.size + length > size:
                break
            self._places[digest.hex()] = (position + _HEADER.size, length)
            self.size += length
            position += _HEADER.size + length
        files.cut(self._descriptor, position)
        return position

    @staticmethod
    def _check(descriptor: int, state: PathState) -> None:
        found = state_of("", os.fstat(descriptor))
        if found is None or not found.is_untouched(state):
            raise NotKeptError(CHANGED_BEFORE)

    def _keep_small(self, descriptor: int) -> str:
        data = b""
        while piece := os.read(descriptor, _PIECE):
            data += piece
            if len(data) > 2 * _LARGE:
                raise NotKeptError(CHANGED_BEFORE)
        digest = hashlib.sha256(data)
        name = digest.hexdigest()
        if name not in self._places:
            files.write(self._descriptor, _HEADER.pack(digest.digest(), len(data)) + data)
            self._places[name] = (self._end + _HEADER.size, len(data))
            self._end += _HEADER.size + len(data)
            self.size += len(data)
        return name

    def _keep_large(self, descriptor: int) -> str:
        with files.draft(self._folder) as (copy, temporary):
            try:
                fcntl.ioctl(copy, _CLONE, descriptor)
            except OSError:
                with suppress(OSError):
                    while os.copy_file_range(descriptor, copy, 64 << 20):
                        pass
                while piece := os.read(descriptor, _PIECE):
                    files.write(copy, piece)
            digest = _hash_of(temporary)
            if digest in self._places:
                files.remove(temporary)
            else:
                files.move(temporary, self._folder / digest)
                self._places[digest] = None
                self.size += os.fstat(copy).st_size
        return digest


CHANGED_BEFORE = "it was changed before it could be kept"


def digest_of(path: str) -> str | None:
    """The hash of a file's content; None if it cannot be read."""
    try:
        return _hash_of(path)
    except OSError:
        return None


def free_bytes(folder: Path) -> int:
    """Bytes that are free on the disk of a folder."""
    return shutil.disk_usage(folder).free


def _hash_of(path: "str | Path") -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clone(source: Path, descriptor: int) -> bool:
    opened = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _CLONE, opened)
        return True
    except OSError:
        return False
    finally:
        os.close(opened)
