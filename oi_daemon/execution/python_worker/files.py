"""The files behind blocks, from which tracebacks, debuggers and other tools read their source.

A block's file has its text, so that tools find it that know nothing of blocks. What is written for
people names the block instead: `<block 3>`.
"""

from __future__ import annotations

import os
import sys

from .source import lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_SHORT = 200
"""Characters; a shorter block without `_WORDS` has no file on the disk, because nothing of it can
be left when it has ended."""
_WORDS = ("def", "class", "lambda", "import", "breakpoint", "getframe")
_TOOLS = ("coverage", "debugpy")
"""Modules that read the file of each block, once they are imported."""


class Files:
    """The files of all blocks, in a folder that the daemon removes at the end."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._prefix = f"{folder}/block_"
        """The beginning of each block's path."""
        self._texts: dict[str, str] = {}
        """Each block's text, by its path."""
        self.classes: dict[str, str] = {}
        """The path of the block that defined a class last, by the class's name."""

    def add(self, number: int, code: str) -> str:
        """Make a block's file, if it needs one, and return its path."""
        path = f"{self._prefix}{number}.py"
        self._texts[path] = code
        if _needs_file(code):
            self.write(path, "".join(lines_of(code)).encode("utf-8", "backslashreplace"))
        if "linecache" in sys.modules:
            self._cache(sys.modules["linecache"], path)
        return path

    def write(self, path: str, data: bytes) -> None:
        """Write a file, unless the disk is full or the user's code has removed the folder."""
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                while data:
                    data = data[os.write(file, data) :]
            finally:
                os.close(file)
        except OSError:
            pass

    def shown(self, text: str) -> str:
        """Return the text with names of blocks, as in `<block 3>`, instead of their paths."""
        if self._prefix not in text:
            return text
        import re

        return re.sub(re.escape(self._prefix) + r"(\d+)\.py", r"<block \1>", text)

    def of_class(self, kind: type) -> str | None:
        """Return the path of the block that has defined this class; None if no block has.

        A class knows only its module, and so Python would look for it in a file of that name.
        """
        outer = kind.__qualname__.partition(".")[0]
        return self.classes.get(outer) if kind.__module__ == "__main__" else None

    def use_in_linecache(self, linecache: ModuleType) -> None:
        """Copy all texts into `linecache`, after its import."""
        for path in self._texts:
            self._cache(linecache, path)

    def _cache(self, linecache: ModuleType, path: str) -> None:
        """Copy one block's text into `linecache`, by its path and by the name that is shown."""
        lines = lines_of(self._texts[path])
        entry = (sum(map(len, lines)), None, lines, path)
        linecache.cache[path] = linecache.cache[self.shown(path)] = entry


def _needs_file(code: str) -> bool:
    """Return True if something could read the block's file."""
    return (
        len(code) > _SHORT
        or any(word in code for word in _WORDS)
        or any(tool in sys.modules for tool in _TOOLS)
    )
