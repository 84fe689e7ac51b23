"""What has become of files, for people and for the wire."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from oi_daemon.changes.journal import PathChange, Record
from oi_daemon.changes.state import Kind, PathState, decoded, shown
from oi_daemon.messages.text import without_controls

FileChangeKind = Literal["created", "changed", "deleted"]
_NAMED = 8
"""How many files a notice names."""
_UNITS = ("bytes", "kB", "MB", "GB")


@dataclass(frozen=True, slots=True)
class FileChange:
    """What has become of one path, in words."""

    path: str
    """Relative to the folder in which code runs, if it is inside."""
    change: FileChangeKind
    kind: Kind
    size: int
    """Bytes now; of what was deleted, before."""
    was: int | None
    """Bytes before, of a file that was changed."""
    mode: str | None
    """The permissions before and after, where they were changed, as in `rw-r--r-- to rwxr-xr-x`."""
    lost: str | None
    """Why it cannot be undone."""
    is_undone: bool

    @property
    def words(self) -> str:
        """The change in a few words."""
        if self.kind == "folder":
            size = "folder"
        elif self.kind != "file":
            size = self.kind
        elif self.was is None:
            size = size_words(self.size)
        else:
            size = f"{size_words(self.was)} to {size_words(self.size)}"
        more = [size, *([self.mode] if self.mode else []), *(["undone"] if self.is_undone else [])]
        return f"{without_controls(self.path)} ({self.change}, {', '.join(more)})"


def visible(record: Record, cwd: str) -> list[FileChange]:
    """What a person sees of a record: not that a file has got another name only."""
    found = [_described(change, cwd) for change in record.changes]
    return [each for each in found if each is not None]


def notice(record: Record, changes: Sequence[FileChange]) -> str:
    """Say what a block has changed, and what of it cannot be undone."""
    kinds = ("created", "changed", "deleted")
    counts = {kind: sum(each.change == kind for each in changes) for kind in kinds}
    total = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    named = ", ".join(each.words for each in changes[:_NAMED])
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return f"Files: {total}: {named}{more}.{lost_words(changes)}"


def lost_words(changes: Iterable[FileChange]) -> str:
    """Say what cannot be undone, and why; nothing if all can."""
    lost = [f"{without_controls(each.path)} ({each.lost})" for each in changes if each.lost]
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    return f" Cannot be undone: {', '.join(lost[:_NAMED])}{more}." if lost else ""


def size_words(size: int) -> str:
    """A size as people read it."""
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size} byte{'s' * (size != 1)}" if unit == 0 else f"{value:.3g} {_UNITS[unit]}"


def relative(path: str, cwd: str) -> str:
    """A path as people read it, relative to the folder in which code runs if it is inside."""
    inside = path == cwd or path.startswith(f"{cwd.rstrip('/')}/")
    return shown(os.path.relpath(path, cwd) if inside else path)


def _described(change: PathChange, cwd: str) -> FileChange | None:
    before, after, path = change.before, change.after, relative(decoded(change.path), cwd)
    now = after or before
    if now is None:
        return None
    kind: FileChangeKind = "changed"
    if before is None or after is None:
        kind = "created" if before is None else "deleted"
    elif before.is_alike(after):
        return None
    is_file = before is not None and after is not None and before.kind == after.kind == "file"
    was = before.size if before and is_file and before.digest != (after and after.digest) else None
    mode = _mode_words(before, after)
    return FileChange(path, kind, now.kind, now.size, was, mode, change.lost, change.is_undone)


def _mode_words(before: PathState | None, after: PathState | None) -> str | None:
    if before is None or after is None or before.mode == after.mode:
        return None
    return f"{stat.filemode(before.mode)[1:]} to {stat.filemode(after.mode)[1:]}"
