"""The list of the user's variables: for clients as JSON, for people and models as text."""

from __future__ import annotations

import sys
from _collections import deque  # type: ignore[import-not-found]
from time import monotonic
from types import BuiltinFunctionType, FunctionType, ModuleType

from . import arrays
from .preview import label_text, preview
from .quoting import quoted
from .static import class_name, is_class, mro

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_SECONDS = 0.03
"""Seconds after which no more previews are made: the rest of the variables has none."""
_NAME = 200
"""Most characters of a type's name that are given."""
_DEFINITIONS = {ModuleType, FunctionType, BuiltinFunctionType, type}
"""Types of what is not data. These variables come last."""
_IPYTHON = {"In", "Out", "get_ipython", "exit", "quit"}
"""Names that IPython adds to the namespace."""
_LENGTHS: dict[type, Callable[[Any], int]] = {
    kind: kind.__len__ for kind in (str, bytes, bytearray, list, tuple, set, frozenset, dict, deque)
}
"""How the length of a value of these classes is read."""


class Variable:
    """A variable, as it was at one moment."""

    def __init__(self, name: str, value: object, *, previewed: bool) -> None:
        """
        Args:
            previewed: make the preview, which takes most of the time.
        """
        kind = type(value)
        self.name = name
        self.type = class_name(kind)[:_NAME]
        is_simple = kind in _SIMPLE or kind in _LENGTHS
        self.is_definition = kind in _DEFINITIONS or (not is_simple and is_class(value))
        self.size = _length(value)
        self.facts = None if is_simple else arrays.facts(value)
        self.preview = preview(value) if previewed else ""

    def json(self) -> str:
        """Return the variable as JSON."""
        size = "" if self.size is None else f',"size":{self.size}'
        table = "" if self.facts is None else _facts_json(self.facts)
        return (
            f'{{"name":{quoted(self.name)},"type":{quoted(self.type)}'
            f',"language":"python","preview":{quoted(self.preview)}{size}{table}}}'
        )

    def line(self) -> str:
        """Return what is known of the variable, in words."""
        facts = self.facts
        if facts is None or facts.columns is None:
            items = "" if self.size is None or self.type == "str" else f"{self.size:,} items: "
            return f"{items}{self.preview}"
        rows, width = facts.shape
        size = "" if facts.bytes is None else f", {_megabytes(facts.bytes)}"
        columns = [f"{label_text(label)} ({kind})" for label, kind in facts.columns]
        more = ", …" if width > len(columns) else ""
        return f"{rows:,} rows × {width} columns{size}: {', '.join(columns)}{more}"


def _facts_json(facts: arrays.Facts) -> str:
    """Return what is known of an array or a table as members of a JSON object."""
    parts = [f',"shape":[{",".join(map(str, facts.shape))}]']
    if facts.bytes is not None:
        parts.append(f',"bytes":{facts.bytes}')
    if facts.columns is not None:
        columns = (
            f'{{"name":{quoted(label_text(label))},"type":{quoted(kind)}}}'
            for label, kind in facts.columns
        )
        parts.append(f',"columns":[{",".join(columns)}]')
    return "".join(parts)


def _megabytes(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size:,} bytes" if size < 100_000 else f"{size / 1e6:,.1f} MB"


_SIMPLE = {int, float, bool, type(None), complex, *_DEFINITIONS}
"""Types whose values are no arrays, so that they need not be looked at."""


def _length(value: object) -> int | None:
    """Return the length of a builtin container or text; None for other values."""
    kind = type(value)
    length = _LENGTHS.get(kind)
    if length is not None:
        return length(value)
    if kind in _SIMPLE:
        return None
    for base in mro(kind):
        if base in _LENGTHS:
            return _LENGTHS[base](value)
    return None


def listing(namespace: dict[str, object], limit: int) -> str:
    """Return the variables as JSON: those that hold data first, each in the order of definition.

    Values are looked at one after the other. All at once would keep values alive that the user's
    code deletes meanwhile, and end them in this thread.
    """
    data: list[str] = []
    definitions: list[str] = []
    names = _names(namespace)
    deadline = monotonic() + _SECONDS
    for variable in _variables(namespace, names[:limit], deadline):
        (definitions if variable.is_definition else data).append(variable.json())
    more = max(0, len(names) - limit)
    return f'{{"variables":[{",".join(data + definitions)}],"more":{more}}}'


def _names(namespace: dict[str, object]) -> list[str]:
    """Return the user's names: data before modules, functions and classes."""
    hidden = _IPYTHON if "IPython" in sys.modules else ()
    own = [
        name
        for name in list(namespace)
        if type(name) is str and name not in hidden and not _is_special(name)
    ]
    return sorted(own, key=lambda name: type(namespace.get(name)) in _DEFINITIONS)


def _is_special(name: str) -> bool:
    """Return whether Python itself has defined this name, as in `__name__`."""
    return name.startswith("__") and name.endswith("__")


def _variables(
    namespace: dict[str, object], names: list[str], deadline: float
) -> Iterator[Variable]:
    """Yield the variables of these names that are still there."""
    for name in names:
        value = namespace.get(name, _GONE)
        if value is not _GONE:
            yield Variable(name, value, previewed=monotonic() < deadline)
        value = None


_GONE = object()


def table(namespace: dict[str, object], patterns: list[str]) -> str:
    """Return the variables as text, for people and models; with patterns, those that match one."""
    names = _names(namespace)
    if patterns:
        from fnmatch import fnmatchcase

        names = [name for name in names if any(fnmatchcase(name, each) for each in patterns)]
    found = list(_variables(namespace, names[:_LINES], monotonic() + 1))
    data = [variable for variable in found if not variable.is_definition]
    width = max((len(variable.name) for variable in data), default=0)
    kinds = max((len(variable.type) for variable in data), default=0)
    lines = [f"{each.name:{width}}  {each.type:{kinds}}  {each.line()}" for each in data]
    others = [variable.name for variable in found if variable.is_definition]
    if others:
        lines.append(f"Modules, functions and classes: {', '.join(others)}")
    if len(names) > _LINES:
        lines.append(f"{len(names) - _LINES:,} more.")
    return "\n".join(lines) or "There are no variables."


_LINES = 200
"""Most variables in a text."""
