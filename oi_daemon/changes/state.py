"""What is at a path: a file, a folder, a link or a pipe, as far as it can be put back."""

import os
import stat
from typing import Literal

import msgspec

Kind = Literal["file", "folder", "link", "pipe"]


class PathState(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """What is at a path. Of a folder and a pipe, only the kind and the mode count."""

    kind: Kind
    mode: int
    size: int = 0
    modified: int = 0
    """Time of the last change of its content, in nanoseconds."""
    changed: int = 0
    """Time of the last change of anything, in nanoseconds. No program can set it."""
    inode: int = 0
    links: int = 1
    """How many names the file has."""
    target: str | None = None
    """Of a link, what it says."""
    digest: str | None = None
    """Hash of a file's content, once it is kept."""

    def with_digest(self, digest: str) -> "PathState":
        """The same state, whose content is kept."""
        return msgspec.structs.replace(self, digest=digest)

    def is_untouched(self, other: "PathState") -> bool:
        """Whether nothing at all has happened to the path between these two looks at it."""
        return (
            self.changed == other.changed
            and self.inode == other.inode
            and self.size == other.size
            and self.modified == other.modified
            and self.mode == other.mode
            and self.kind == other.kind
            and self.target == other.target
        )

    def is_alike(self, other: "PathState") -> bool | None:
        """Whether both are the same for a person; None: it depends on the file's content."""
        if (self.kind, self.mode, self.target) != (other.kind, other.mode, other.target):
            return False
        if self.kind != "file":
            return True
        if self.size != other.size:
            return False
        if self.digest and other.digest:
            return self.digest == other.digest
        has_both_or_none = (self.digest is None) == (other.digest is None)
        return True if has_both_or_none and self.is_untouched(other) else None

    def is_same(self, other: "PathState") -> bool:
        """Whether both are the same, and the file has as many names."""
        return self.links == other.links and self.is_alike(other) is True


def state_of(path: str, found: os.stat_result) -> PathState | None:
    """The state of a path; None for what cannot be put back, such as a device or a socket."""
    mode = found.st_mode
    if stat.S_ISREG(mode):
        return PathState(
            "file",
            mode & 0o7777,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
            found.st_ino,
            found.st_nlink,
        )
    if stat.S_ISDIR(mode):
        return PathState("folder", mode & 0o7777)
    if stat.S_ISLNK(mode):
        try:
            return PathState("link", 0o777, target=encoded(os.readlink(path)))
        except OSError:
            return None
    return PathState("pipe", mode & 0o7777) if stat.S_ISFIFO(mode) else None


def look(path: str) -> PathState | None:
    """The state of a path now; None if nothing is there that can be put back."""
    try:
        return state_of(path, os.lstat(path))
    except (OSError, ValueError):
        return None


def encoded(path: str) -> str:
    """A path as text that JSON can hold, because names on Linux are bytes."""
    return os.fsencode(path).decode("latin-1")


def decoded(text: str) -> str:
    """The path that was `encoded`."""
    return os.fsdecode(text.encode("latin-1"))


def shown(path: str) -> str:
    """A path as people read it."""
    return os.fsencode(path).decode("utf-8", "replace")
