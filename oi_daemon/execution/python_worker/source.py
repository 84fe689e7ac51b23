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

COMMAND = "_oi_command"
"""Name under which the user's namespace finds the function that runs a `!command` line."""


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
            line = lines[index].lstrip() if 0 <= index < len(lines) else ""
            if line.startswith("!"):
                indent = lines[index][: -len(line)]
                lines[index] = f"{indent}{COMMAND}({line[1:].strip()!r})\n"
            elif _is_magic(line):
                return _parse(_through_ipython("".join(lines), line.strip()), file, flags)
            else:
                raise


def _is_magic(line: str) -> bool:
    """`%magic`, `%%magic`, `name = !command` or `name = %magic`."""
    names, equals, value = line.partition("=")
    if equals and all(name.isidentifier() for name in names.replace(",", " ").split()):
        line = value.lstrip()
        if line.startswith("!"):
            return True
    return line.startswith("%") and line.lstrip("%")[:1].isalpha()


def _parse(code: str, file: str, flags: int) -> Module:
    options = PyCF_ONLY_AST | PyCF_ALLOW_TOP_LEVEL_AWAIT | flags
    tree = compile(code, file, "exec", options, dont_inherit=True)
    assert isinstance(tree, Module)
    return tree


def _through_ipython(code: str, line: str) -> str:
    """The code as IPython makes Python of it."""
    try:
        from IPython.core.interactiveshell import InteractiveShell
    except ImportError:
        raise SyntaxError(
            f"`{line}` needs IPython, which {sys.executable} does not have:"
            " install it with `!pip install ipython`"
        ) from None
    if not InteractiveShell.initialized():
        _start(InteractiveShell)
    transformed: str = InteractiveShell.instance().transform_cell(code)
    return transformed


def _start(shell: object) -> None:
    """IPython's shell on our namespace; it must not take over output or write a history."""
    from traitlets.config import Config

    main, hook = sys.modules["__main__"], sys.displayhook
    config = Config()
    config.HistoryManager.enabled = False
    shell.instance(user_module=main, user_ns=main.__dict__, config=config)  # type: ignore[attr-defined]
    sys.displayhook = hook


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
