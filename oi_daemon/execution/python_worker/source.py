"""Parses a block's source, and turns its `!command` and `%magic` lines into Python.

Such lines are not valid Python, so a block that parses has none. Text that only looks like one, in
a string for instance, is therefore never changed.
"""

from __future__ import annotations

import sys
from _ast import Module, PyCF_ALLOW_TOP_LEVEL_AWAIT, PyCF_ONLY_AST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def parse(code: str, file: str, flags: int) -> Module:
    """Return the block's syntax tree. `flags` are those of `from __future__` imports so far.

    Raises:
        SyntaxError: and whatever else `compile` raises for text that is not valid code.
    """
    lines = code.splitlines(keepends=True)
    while True:
        try:
            return _parse("".join(lines), file, flags)
        except SyntaxError as error:
            index = (error.lineno or 0) - 1
            line = lines[index].strip() if 0 <= index < len(lines) else ""
            if "!" not in line and "%" not in line:
                raise
            from . import magic

            script, own = magic.script_as_python(code), magic.line_as_python(line)
            if script:
                return _parse(script, file, flags)
            if own:
                lines[index] = lines[index].replace(line, own, 1)
            elif magic.is_magic(line):
                return _parse(magic.through_ipython("".join(lines), line), file, flags)
            else:
                raise


def _parse(code: str, file: str, flags: int) -> Module:
    """Return the syntax tree of plain Python; see `parse`."""
    options = PyCF_ONLY_AST | PyCF_ALLOW_TOP_LEVEL_AWAIT | flags
    tree = compile(code, file, "exec", options, dont_inherit=True)
    assert isinstance(tree, Module)
    return tree


class Sources:
    """Keeps the text of every block, for tracebacks, warnings and `inspect`.

    These read it from `linecache`. That module is filled when something else imports it, because
    most blocks do not need it.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        """Each block's text, by its file name in tracebacks."""

    def add(self, file: str, code: str) -> None:
        """Keep a block's text."""
        self._texts[file] = code
        if "linecache" in sys.modules:
            self._cache(sys.modules["linecache"], file)

    def use_in_linecache(self, linecache: ModuleType) -> None:
        """Copy all texts into `linecache`, after its import."""
        for file in self._texts:
            self._cache(linecache, file)

    def _cache(self, linecache: ModuleType, file: str) -> None:
        """Copy one block's text into `linecache`."""
        text = self._texts[file] + "\n"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
