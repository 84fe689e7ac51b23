"""Finds the expression at a place in code, and its value, without running any of it."""

from __future__ import annotations

import builtins
import re

from .static import NOTHING, attribute, mro

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STEP = r"""\s*\.\s*[^\W\d]\w*|\[\s*(?:-?\d{1,9}|'[^'\\\n]*'|"[^"\\\n]*")\s*\]"""
PATH = rf"[^\W\d]\w*(?:{_STEP})*"
"""Matches a name, with attributes and constant subscripts: `a.b[0]['c'].d`."""
_STEPS = re.compile(_STEP)
_PATH_BEFORE = re.compile(rf"(?<![\w.\])'\"])({PATH})\Z")
_ITEMS = 10_000
"""Most items of a dictionary among which one is looked for."""
_WINDOW = 2000
"""Characters before the position that are looked at."""


def path_before(code: str, position: int) -> str:
    """Return the name, with attributes and subscripts, that ends at this position; else empty."""
    found = _PATH_BEFORE.search(code[max(0, position - _WINDOW) : position])
    return found[1] if found else ""


def path_at(code: str, position: int) -> str:
    """Return the name at this position, up to the end of the word there; empty if there is none."""
    rest = re.match(r"\w*", code[position:])
    return path_before(code, position + (rest.end() if rest else 0))


def call_before(code: str, position: int) -> str:
    """Return what is called by the innermost bracket that is open at this position; else empty."""
    depth = 0
    for index in range(position - 1, max(-1, position - _WINDOW), -1):
        if code[index] in ")]}":
            depth += 1
        elif code[index] in "([{":
            if depth == 0:
                return path_before(code, index) if code[index] == "(" else ""
            depth -= 1
    return ""


def value_of(namespace: dict[str, object], path: str) -> Any:
    """Return the value of a name with attributes and subscripts, or NOTHING.

    Properties and subscripts of classes that are not builtin are not followed.
    """
    steps = _STEPS.findall(path)
    name = path[: len(path) - sum(map(len, steps))]
    value = namespace.get(name, NOTHING)
    if value is NOTHING:
        value = vars(builtins).get(name, NOTHING)
    for step in steps:
        if value is NOTHING:
            break
        if step[0] == "[":
            value = _item(value, step[1:-1].strip())
        else:
            value = attribute(value, step.strip()[1:].strip())
    return value


def _item(value: Any, key: str) -> object:
    """Return the item of a list, tuple or dictionary under this constant, or NOTHING."""
    wanted = key[1:-1] if key[0] in "'\"" else int(key)
    bases = mro(type(value))
    try:
        if dict in bases:
            return _entry(value, wanted)
        for kind in (list, tuple):
            if kind in bases and type(wanted) is int:
                return kind.__getitem__(value, wanted)
    except IndexError:
        pass
    return NOTHING


def _entry(value: dict[object, object], wanted: object) -> object:
    """Return the item under this key. Keys are compared one by one: their `__eq__` is not asked."""
    for count, (key, item) in enumerate(dict.items(value)):
        if type(key) is type(wanted) and key == wanted:
            return item
        if count >= _ITEMS:
            break
    return NOTHING
