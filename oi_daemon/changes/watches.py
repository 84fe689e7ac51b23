"""Which paths may have changed, as Linux' inotify tells it; one instance for the whole daemon.

Nothing of it is believed but the names: what has become of a path is looked at afterwards. Where
there is no inotify, or it has no more room, the folders are compared as a whole.
"""

import os
import struct
import sys
import threading
from functools import cache

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED, _CREATE, _DELETE = 0x40 | 0x80, 0x100, 0x200
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_IS_FOLDER = 0x40000000
_ONLY_FOLDERS, _DONT_FOLLOW, _EXCLUDE_UNLINKED = 0x01000000, 0x02000000, 0x04000000
_MASK = (
    *(_MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED | _CREATE | _DELETE,),
    *(_ONLY_FOLDERS | _DONT_FOLLOW | _EXCLUDE_UNLINKED,),
)
_EVENT = struct.Struct("iIII")
_PIECE = 1 << 18


class Watcher:
    """What one tree hears of its folders."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        """Paths at which something may have changed."""
        self.subtrees: set[str] = set()
        """Paths of folders that were made, moved or removed."""
        self.is_lost = False
        """Whether there was too much to tell, so that anything may have changed."""


class Watches:
    """Watches folders for any number of watchers."""

    def __init__(self) -> None:
        import ctypes  # only a daemon that runs code needs it

        self._lock = threading.Lock()
        self._library = ctypes.CDLL(None, use_errno=True)
        flags = os.O_CLOEXEC | os.O_NONBLOCK
        self._descriptor: int = self._library.inotify_init1(flags)
        self._folders: dict[int, dict[Watcher, str]] = {}
        """For each watched folder, who watches it and under which path."""
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify is not available")

    def add(self, watcher: Watcher, folder: str) -> bool:
        """Watch a folder. False if that is not possible."""
        with self._lock:
            path, mask = os.fsencode(folder), _MASK[0] | _MASK[1]
            number: int = self._library.inotify_add_watch(self._descriptor, path, mask)
            if number >= 0:
                self._folders.setdefault(number, {})[watcher] = folder
            return number >= 0

    def remove(self, watcher: Watcher, below: str | None = None) -> None:
        """Watch nothing more for a watcher; with `below`, nothing more at and below that path."""
        with self._lock:
            for number, watchers in [*self._folders.items()]:
                path = watchers.get(watcher)
                if path is None or not (below is None or path == below or _is_in(path, below)):
                    continue
                del watchers[watcher]
                if not watchers:
                    del self._folders[number]
                    self._library.inotify_rm_watch(self._descriptor, number)

    def take(self, watcher: Watcher) -> tuple[set[str], set[str]] | None:
        """Return the names and the subtrees that a watcher has heard of; None if some are lost.

        What other watchers have to hear is noted for them.
        """
        with self._lock:
            while piece := self._piece():
                self._tell(piece)
            names, subtrees, is_lost = watcher.names, watcher.subtrees, watcher.is_lost
            watcher.names, watcher.subtrees, watcher.is_lost = set(), set(), False
            return None if is_lost else (names, subtrees)

    def _piece(self) -> bytes:
        try:
            return os.read(self._descriptor, _PIECE)
        except BlockingIOError:
            return b""

    def _tell(self, piece: bytes) -> None:
        position = 0
        while position < len(piece):
            number, mask, _, length = _EVENT.unpack_from(piece, position)
            position += _EVENT.size + length
            if mask & _OVERFLOW:
                for watchers in self._folders.values():
                    for watcher in watchers:
                        watcher.is_lost = True
            elif mask & _IGNORED:
                self._folders.pop(number, None)
            else:
                name = os.fsdecode(piece[position - length : position].rstrip(b"\0"))
                is_moved = bool(mask & _IS_FOLDER and mask & (_MOVED | _CREATE | _DELETE))
                for watcher, folder in self._folders.get(number, {}).items():
                    path = f"{folder}/{name}" if name else folder
                    (watcher.subtrees if is_moved else watcher.names).add(path)


@cache
def watches() -> Watches | None:
    """The daemon's watches; None where there are none."""
    try:
        return Watches() if sys.platform == "linux" else None
    except (OSError, AttributeError):
        return None


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")
