"""What is in the folders that are watched, and what has changed there since the last look."""

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from oi_daemon.changes.ignores import Ignores, Rules
from oi_daemon.changes.state import PathState, look, state_of
from oi_daemon.changes.watches import Watcher, watches

_MOST_WATCHED = 8000
"""Folders that are watched for one tree; with more, all of it is compared each time."""
_HOT = 500
"""Paths that are looked at each time, although nothing was told of them: files with several names,
and the latest ones that code has changed, which it may have mapped into its memory."""

_TICK = 20_000_000
"""Nanoseconds within which a file can change twice without another time."""

Moves = dict[str, tuple[PathState | None, PathState | None]]
"""For each path, its state before and after; None where nothing was or is."""


class Tree:
    """The states of all paths in some folders. Not safe for threads."""

    def __init__(self, roots: Sequence[str], rules: Rules, most: int) -> None:
        """
        Args:
            most: paths that are kept; those deepest down are left out.
        """
        self.roots = roots
        self.states: dict[str, PathState] = {}
        self.is_cut = False
        """Whether there are more paths than may be kept."""
        self._most = most
        self._ignores = {root: Ignores(root, rules) for root in roots}
        self._watcher = Watcher()
        self._watches = watches()
        self._watched = 0
        self._hot: dict[str, None] = {}
        """The paths that are looked at each time."""
        self._looked = 0
        """Time of the last look, in nanoseconds."""
        self._by_inode: dict[int, set[str]] = {}
        """The paths of files with several names, by their inode."""

    def refresh(self) -> Moves:
        """Look at all that may have changed, and return what has.

        A state that has not changed keeps its digest.
        """
        try:
            return self._refresh()
        finally:
            self._looked = time.time_ns()

    def _refresh(self) -> Moves:
        if self._watches is None or not self.states:
            return self.compare_all()
        heard = self._watches.take(self._watcher)
        if heard is None:
            return self.compare_all()
        names, subtrees = heard
        moves = Moves()
        for folder in sorted(subtrees):
            if not any(_is_in(folder, other) for other in subtrees):
                self._compare_subtree(folder, moves)
        hot = [*self._hot, *islice((p for ps in self._by_inode.values() for p in ps), _HOT)]
        for path in {*names, *hot}:
            self._compare(path, moves)
        self._compare_names(moves)
        self._note(moves)
        return moves

    def close(self) -> None:
        """Watch nothing more."""
        if self._watches:
            self._watches.remove(self._watcher)

    def set_digest(self, path: str, state: PathState) -> bool:
        """Note the state with its digest. False if the path has another state by now."""
        held = self.states.get(path)
        if held is None or not held.is_untouched(state):
            return False
        self.states[path] = state
        return True

    def same_file(self, state: PathState) -> set[str]:
        """The paths of all names of a file that has several."""
        return self._by_inode.get(state.inode, set())

    def _compare(self, path: str, moves: Moves) -> None:
        """Look at one path."""
        before, after = self.states.get(path), look(path)
        if before is not None and after is not None and before.is_untouched(after):
            if after.kind == "file" and after.changed > self._looked - _TICK:
                moves[path] = before, after
            return
        root = self._root_of(path)
        if root is None or (after is not None and before is None and self._ignored(root, path)):
            return
        if os.path.basename(path) == ".gitignore":
            self._ignores[root].forget(os.path.dirname(path))
        kinds = (before and before.kind, after and after.kind)
        if "folder" in kinds and kinds[0] != kinds[1]:
            return self._compare_subtree(path, moves)
        for other in self._by_inode.get(before.inode, ()) if before else ():
            if other != path and other not in moves:
                moves[other] = (self.states.get(other), look(other))
        moves[path] = before, after

    def _compare_names(self, moves: Moves) -> None:
        """Look at the other names of files that have got a new one: nothing is told of them."""
        inodes = {
            after.inode
            for before, after in moves.values()
            if after is not None and after.links > 1 and (before is None or before.links == 1)
        }
        if inodes:
            for path in [path for path, state in self.states.items() if state.inode in inodes]:
                if path not in moves:
                    self._compare(path, moves)

    def _compare_subtree(self, folder: str, moves: Moves) -> None:
        """Look at a path and all below it."""
        root = self._root_of(folder)
        if root is None or (folder != root and self._ignored(root, folder)):
            return
        if self._watches:
            self._watches.remove(self._watcher, folder)
        found = dict(self._scan(root, folder))
        prefix = f"{folder}/"
        for path in [path for path in self.states if path == folder or path.startswith(prefix)]:
            if path not in found:
                moves[path] = self.states[path], None
        self._difference(found, moves)

    def compare_all(self) -> Moves:
        """Look at everything."""
        moves = Moves()
        if self._watches:
            self._watches.remove(self._watcher)
        self._watcher = Watcher()
        self._watched, self.is_cut = 0, False
        found = dict[str, PathState]()
        for root in self.roots:
            found.update(self._scan(root, root))
        for path, state in self.states.items():
            if path not in found:
                moves[path] = state, None
        self._difference(found, moves)
        self._note(moves)
        return moves

    def _difference(self, found: dict[str, PathState], moves: Moves) -> None:
        for path, after in found.items():
            before = self.states.get(path)
            if before is None or not before.is_untouched(after):
                moves[path] = before, after

    def _note(self, moves: Moves) -> None:
        """Hold the new states."""
        for path, (before, after) in moves.items():
            if before is not None and before.links > 1:
                self._by_inode.get(before.inode, set()).discard(path)
            if after is None:
                self.states.pop(path, None)
                self._hot.pop(path, None)
                continue
            self.states[path] = after
            if after.links > 1:
                self._by_inode.setdefault(after.inode, set()).add(path)
            if before is not None and after.kind == "file":
                self._hot.pop(path, None)
                self._hot[path] = None
        while len(self._hot) > _HOT:
            del self._hot[next(iter(self._hot))]

    def _scan(self, root: str, start: str) -> Iterator[tuple[str, PathState]]:
        """Yield all paths from here on, those of one depth after the other."""
        first, ignores = look(start), self._ignores[root]
        if first is None:
            return
        yield start, first
        folders = deque([start] if first.kind == "folder" else [])
        seen = len(self.states) if start != root else 0
        while folders:
            folder = folders.popleft()
            self._watch(folder)
            try:
                entries = os.scandir(folder)
            except OSError:
                continue
            with entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if ignores.ignores(entry.path, is_folder=is_folder):
                        continue
                    seen += 1
                    if seen > self._most:
                        self.is_cut = True
                        return
                    try:
                        state = state_of(entry.path, entry.stat(follow_symlinks=False))
                    except OSError:
                        continue
                    if state is not None:
                        yield entry.path, state
                    if is_folder:
                        folders.append(entry.path)

    def _watch(self, folder: str) -> None:
        if self._watches is None:
            return
        self._watched += 1
        if self._watched > _MOST_WATCHED or not self._watches.add(self._watcher, folder):
            self._watches.remove(self._watcher)
            self._watches = None

    def _root_of(self, path: str) -> str | None:
        for root in self.roots:
            if path == root or _is_in(path, root):
                return root
        return None

    def _ignored(self, root: str, path: str) -> bool:
        ignores = self._ignores[root]
        is_folder = os.path.isdir(path) and not os.path.islink(path)
        return ignores.ignores_any(path) or ignores.ignores(path, is_folder=is_folder)


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")
