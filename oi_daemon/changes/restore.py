"""Puts paths back into a state: each file at once or not at all, and again after a kill."""

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from oi_daemon.changes.contents import Contents, NotKeptError, digest_of
from oi_daemon.changes.state import PathState, decoded, look

_DRAFT = ".oi-undo~"
"""Name of a file that is being written beside the one that it replaces."""


def is_in_state(path: str, wanted: PathState | None) -> bool:
    """Whether a path is in this state, by its content where nothing else tells."""
    found = look(path)
    if found is None or wanted is None:
        return found is None and wanted is None and not os.path.lexists(path)
    alike = found.is_alike(wanted)
    return digest_of(path) == wanted.digest if alike is None else alike


def has_content(path: str, found: PathState, wanted: PathState) -> bool:
    """Whether a file at this path, in the state `found`, holds what `wanted` held."""
    if (found.kind, found.size) != ("file", wanted.size) or wanted.kind != "file":
        return False
    if wanted.digest is None:
        return (found.inode, found.modified) == (wanted.inode, wanted.modified)
    return digest_of(path) == wanted.digest


def restore(
    wanted: Mapping[str, PathState | None], contents: Contents, names: Mapping[int, str]
) -> dict[str, str]:
    """Put each path into its state. Returns why that failed, for each path that it failed for.

    It can be done again after it was cut short.

    Args:
        names: for the inode of a file with several names, one that it still has.
    """
    failed, known = dict[str, str](), _Names(names)
    opened = _open_folders(wanted)
    for path in sorted(wanted, key=_depth, reverse=True):
        state, found = wanted[path], look(path)
        is_folder = found is not None and found.kind == "folder"
        if os.path.lexists(path) and (state is None or is_folder != (state.kind == "folder")):
            _attempt(failed, path, partial(_remove, path, is_folder=is_folder))
    for path in sorted(wanted, key=_depth):
        state = wanted[path]
        if state is not None and path not in failed:
            _attempt(failed, path, partial(_put, path, state, contents, known))
    for path in sorted({*wanted, *opened}, key=_depth, reverse=True):
        state = wanted[path] if path in wanted else opened[path]
        if state is not None and state.kind == "folder":
            _attempt(failed, path, partial(os.chmod, path, state.mode))
    return failed


def _depth(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _attempt(failed: dict[str, str], path: str, action: Callable[[], None]) -> None:
    try:
        action()
    except NotKeptError as error:
        failed[path] = str(error)
    except OSError as error:
        failed[path] = error.strerror or "it cannot be written"


def _open_folders(wanted: Mapping[str, PathState | None]) -> dict[str, PathState]:
    """Let the person write in all folders that hold a path, and remove what a kill has left there.

    Returns the states of these folders before.
    """
    opened = dict[str, PathState]()
    for path in sorted({os.path.dirname(path) for path in wanted} | {*wanted}, key=_depth):
        found = look(path)
        if found is None or found.kind != "folder":
            continue
        with suppress(OSError):
            if found.mode & stat.S_IRWXU != stat.S_IRWXU:
                os.chmod(path, found.mode | stat.S_IRWXU)
                opened[path] = found
            os.unlink(f"{path}/{_DRAFT}")
    return opened


def _remove(path: str, *, is_folder: bool) -> None:
    if is_folder:
        os.rmdir(path)
    else:
        os.unlink(path)


class _Names:
    """The files with several names, as they go back."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = dict(names)
        """A path of each file that is there again, by its former inode."""
        self._used = dict[int, int]()
        """The former inode of the file that each present inode stands for."""

    def of(self, state: PathState) -> str | None:
        """A path at which a file is there again."""
        return self._names.get(state.inode) if state.links > 1 else None

    def note(self, path: str, state: PathState) -> None:
        """Note that a file is there again."""
        if state.links > 1:
            self._names.setdefault(state.inode, path)

    def may_stay(self, found: PathState, state: PathState) -> bool:
        """Whether the file that is there is no other one's, too."""
        if found.links == 1:
            return True
        is_linked = state.links > 1
        return is_linked and self._used.setdefault(found.inode, state.inode) == state.inode


def _put(path: str, state: PathState, contents: Contents, names: _Names) -> None:
    """Put a path that holds nothing, or no folder, into this state."""
    found = look(path)
    if state.kind == "folder":
        if found is None:
            os.mkdir(path, state.mode | stat.S_IRWXU)
        return
    other = names.of(state) if state.kind == "file" else None
    is_there = found is not None and other is None and has_content(path, found, state)
    is_kept = state.digest is not None and state.digest in contents
    if found and is_there and (not is_kept or names.may_stay(found, state)):
        os.chmod(path, state.mode)
    else:
        _replace(path, state, contents, other)
    if state.kind == "file":
        names.note(path, state)


def _replace(path: str, state: PathState, contents: Contents, other: str | None) -> None:
    """Put what a state describes in the place of what is at a path, in one moment.

    Args:
        other: a path at which the same file is.
    """
    draft = f"{os.path.dirname(path)}/{_DRAFT}"
    try:
        if state.kind == "link":
            os.symlink(decoded(state.target or ""), draft)
        elif state.kind == "pipe":
            os.mkfifo(draft)
            os.chmod(draft, state.mode)
        elif other is not None:
            os.link(other, draft)
        else:
            _write(draft, state, contents)
        os.rename(draft, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)  # a rename of a file onto its own other name does nothing


def _write(draft: str, state: PathState, contents: Contents) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        contents.write(state.digest or "", descriptor)
        os.fchmod(descriptor, state.mode)
        os.utime(descriptor, ns=(state.modified, state.modified))
    finally:
        os.close(descriptor)
