"""A block's source: parsed, with `!command` and `%magic` lines made Python.

Those lines are no Python, so a block that parses has none: text that only looks like one, in a
string for instance, is left alone.
"""

from __future__ import annotations

import sys
from _ast import Module, PyCF_ALLOW_TOP_LEVEL_AWAIT, PyCF_ONLY_AST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def parse(code: str, file: str, flags: int) -> Module:
    """The block's syntax tree.

    Raises:
        SyntaxError: and whatever else `compile` raises for text that is no code.
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
    options = PyCF_ONLY_AST | PyCF_ALLOW_TOP_LEVEL_AWAIT | flags
    tree = compile(code, file, "exec", options, dont_inherit=True)
    assert isinstance(tree, Module)
    return tree


class Sources:
    """The text of every block, where tracebacks, warnings and `inspect` look for it."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def add(self, file: str, code: str) -> None:
        self._texts[file] = code
        if "linecache" in sys.modules:
            self._cache(sys.modules["linecache"], file)

    def use_in_linecache(self, linecache: ModuleType) -> None:
        """Once that module is imported, which only a traceback needs."""
        for file in self._texts:
            self._cache(linecache, file)

    def _cache(self, linecache: ModuleType, file: str) -> None:
        text = self._texts[file] + "\n"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
