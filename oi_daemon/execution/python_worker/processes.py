"""Gives processes that multiprocessing starts anew what they need of the blocks.

Such a process runs the file of `__main__` to have the functions that it is to call. Blocks are not
run once more. Instead, the file is one with their definitions, and with the values these use.
"""

from __future__ import annotations

import marshal
import os
from _ast import (
    AnnAssign,
    Assign,
    AsyncFunctionDef,
    ClassDef,
    Constant,
    FunctionDef,
    If,
    Import,
    ImportFrom,
    Lambda,
    Pass,
    Try,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _ast import AST
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

    from .files import Files

_LARGEST = 1 << 20
"""Bytes; a larger value is not handed on."""
_MAIN = """\
import sys

sys.path.insert(0, {folder!r})
from python_worker.definitions import define

sys.path.pop(0)
define(globals(), {definitions!r})
"""
"""The file that a new process runs."""


def is_definition(node: AST) -> bool:
    """Return True for a statement that a new process can run: it only defines or imports."""
    if isinstance(node, (Assign, AnnAssign)):
        return isinstance(node.value, (Constant, Lambda))
    if isinstance(node, (If, Try)):
        handlers = getattr(node, "handlers", [])
        bodies = [node.body, node.orelse, getattr(node, "finalbody", [])]
        bodies += [handler.body for handler in handlers]
        return all(is_definition(each) for body in bodies for each in body)
    return (
        isinstance(node, (FunctionDef, AsyncFunctionDef, ClassDef, Import, ImportFrom, Pass))
        or type(node).__name__ == "TypeAlias"
    )


class Definitions:
    """The definitions of all blocks, in their order."""

    def __init__(self, namespace: dict[str, object], files: Files) -> None:
        self._namespace = namespace
        self._files = files
        self._codes: list[CodeType] = []
        self._written = 0
        """How many files have been written."""

    def add(self, node: AST, code: CodeType) -> None:
        """A block has run this definition."""
        self._codes.append(code)
        if isinstance(node, ClassDef):
            self._files.classes[node.name] = code.co_filename

    def adapt(self, spawn: Any) -> None:
        """Let multiprocessing give them to new processes, after the import of its `spawn`."""
        prepare = spawn.get_preparation_data

        def get_preparation_data(name: str) -> dict[str, object]:
            data: dict[str, object] = prepare(name)
            if not any(key.startswith("init_main_from") for key in data):
                data["init_main_from_path"] = self._write()
            return data

        spawn.get_preparation_data = get_preparation_data

    def _write(self) -> str:
        """Write the file, one for each process, because values change; return its path."""
        import pickle

        self._written += 1
        path = os.path.join(self._files.folder, f"main_{self._written}")  # noqa: PTH118
        codes = [marshal.dumps(code) for code in self._codes]
        self._files.write(path, pickle.dumps((codes, self._values())))
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
        main = _MAIN.format(folder=folder, definitions=path)
        self._files.write(f"{path}.py", main.encode())
        return f"{path}.py"

    def _values(self) -> dict[str, bytes]:
        """Return the values of the names that the definitions use, pickled, where possible."""
        values = {}
        for name in {name for code in self._codes for name in _names(code)}:
            value = self._namespace.get(name)
            if value is None or isinstance(value, type(os)) or _is_defined(value):
                continue
            try:
                values[name] = _pickled(value)
            except Exception:
                continue
        return values


def _names(code: CodeType) -> Iterator[str]:
    """Yield the global names that this code, and the functions in it, use."""
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names(constant)


def _is_defined(value: object) -> bool:
    """Return True for a function or class of a block: a definition makes it."""
    return isinstance(value, (type, type(_names))) and value.__module__ == "__main__"


def _pickled(value: object) -> bytes:
    """Return the pickled value.

    Raises:
        ValueError: it is too large.
        Exception: it cannot be pickled.
    """
    import pickle

    data = _Bounded()
    pickle.Pickler(data, pickle.HIGHEST_PROTOCOL).dump(value)
    return bytes(data)


class _Bounded(bytearray):
    """A file in memory that is never larger than `_LARGEST`."""

    def write(self, data: Any) -> int:
        if len(self) + len(data) > _LARGEST:
            raise ValueError
        self += bytes(data)
        return len(data)
