"""Which paths are not kept: what Git ignores, and what tools can rebuild."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_NEVER = frozenset(
    {
        *(".git", ".hg", ".svn", ".jj", "node_modules", "bower_components", "__pycache__"),
        *(".venv", "venv", ".tox", ".nox", ".eggs", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
        *(".ipynb_checkpoints", ".gradle", ".next", ".terraform", ".direnv", ".cache"),
    }
)
"""Names of folders that are never kept."""


class Rules(NamedTuple):
    """What is not kept, beside what Git ignores."""

    patterns: str | None
    """Further patterns, with a comma between; they win over a `.gitignore`."""
    never: tuple[str, ...]
    """Paths at and below which nothing is kept."""


class Ignores:
    """The rules for one folder and all below it."""

    def __init__(self, root: str, rules: Rules) -> None:
        more, self._never = rules
        self._root = root
        self._is_home = root == str(Path.home().resolve())
        self._specs: dict[str, GitIgnoreSpec | None] = {}
        """The patterns of each folder's `.gitignore`; None where there is none."""
        lines = [line.strip() for line in (more or "").split(",") if line.strip()]
        self._more = _spec(lines) if lines else None
        self._above = [*_repository_above(root)]
        """Folders above the root whose `.gitignore` counts too, the nearest first."""

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether a path is not kept. The folders above it are not looked at."""
        name = os.path.basename(path)
        if (is_folder and name in _NEVER) or path in self._never:
            return True
        if self._is_home and name.startswith(".") and os.path.dirname(path) == self._root:
            return True
        for folder, spec in self._chain(path):
            name = os.path.relpath(path, folder) + ("/" if is_folder else "")
            verdict = spec.check_file(name).include
            if verdict is not None:
                return verdict
        return False

    def ignores_any(self, path: str) -> bool:
        """Whether a path, or a folder between the root and it, is not kept."""
        folder = os.path.dirname(path)
        while len(folder) > len(self._root):
            if self.ignores(folder, is_folder=True):
                return True
            folder = os.path.dirname(folder)
        return False

    def forget(self, folder: str) -> None:
        """Read a folder's `.gitignore` anew, because it has changed."""
        self._specs.pop(folder, None)

    def _chain(self, path: str) -> "list[tuple[str, GitIgnoreSpec]]":
        """The patterns that decide about a path, the strongest first."""
        chain = [(self._root, self._more)] if self._more else []
        folder = os.path.dirname(path)
        folders = []
        while len(folder) >= len(self._root):
            folders.append(folder)
            if folder == self._root:
                break
            folder = os.path.dirname(folder)
        for each in (*folders, *self._above):
            if each not in self._specs:
                self._specs[each] = _read(os.path.join(each, ".gitignore"))
            if spec := self._specs[each]:
                chain.append((each, spec))
        return chain


def _repository_above(root: str) -> list[str]:
    """The folders above, up to the one that holds the repository; none if there is no such."""
    folders, folder = list[str](), root
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return []
        folder = parent
        folders.append(folder)
    return folders


def _read(path: str) -> "GitIgnoreSpec | None":
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _spec(file.read(1 << 16).splitlines())
    except OSError:
        return None


def _spec(lines: list[str]) -> "GitIgnoreSpec | None":
    from pathspec import GitIgnoreSpec  # its import takes as long as a small conversation

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return None
