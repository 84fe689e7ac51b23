"""Completes names, attributes, keys, parameters and modules from what is there now."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from types import FunctionType

from . import arrays
from .expressions import PATH, call_before, value_of
from .quoting import quoted
from .static import (
    NOTHING,
    attribute,
    attribute_names,
    class_member,
    is_c_function,
    is_class,
    is_module,
    mro,
    unwrapped,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Kinds = dict[str, str]

_KEY = re.compile(rf"({PATH})\[\s*(['\"])([^'\"\\\n]*)\Z")
_ATTRIBUTE = re.compile(rf"({PATH})\s*\.\s*(\w*)\Z")
_FROM = re.compile(r"^\s*from\s+([\w.]+)\s+import\s+(?:[\w\s,(]*[\s,(])?(\w*)\Z", re.MULTILINE)
_IMPORT = re.compile(r"^\s*(?:from|import)\s+(?:[\w.\s]*,\s*)?([\w.]*)\Z", re.MULTILINE)
_WORD = re.compile(r"(?<![\w.])([^\W\d]\w*)?\Z")
_KEYS = 1000
"""Most keys of a dictionary that are offered."""


def completions(namespace: dict[str, object], code: str, position: int, limit: int) -> str:
    """Return what may stand at this position as JSON: matches, their kinds, and what they replace.

    `start` and `end` count characters of the code.
    """
    before = code[:position]
    beginning, found = _found(namespace, before)
    names = _matching(found, beginning)[:limit]
    matches = ",".join(map(quoted, names))
    kinds = ",".join(quoted(found[name]) for name in names)
    start = len(before) - len(beginning)
    return f'{{"matches":[{matches}],"kinds":[{kinds}],"start":{start},"end":{len(before)}}}'


def _matching(found: Kinds, beginning: str) -> list[str]:
    """Return the names with this beginning; private ones only if the beginning is `_...` itself."""
    names = [name for name in found if name.startswith(beginning) and name != beginning]
    if not names:
        lower = beginning.lower()
        names = [name for name in found if name.lower().startswith(lower) and name != beginning]
    if not beginning.startswith("_"):
        return [name for name in names if not name.startswith("_")]
    return sorted(names, key=lambda name: name.startswith("__"))


def _found(namespace: dict[str, object], before: str) -> tuple[str, Kinds]:
    """Return the beginning that is typed already, and what may stand there with its kind."""
    if key := _KEY.search(before):
        return key[3], dict.fromkeys(_keys(value_of(namespace, key[1])), "key")
    if _in_text(before.rpartition("\n")[2]):
        return "", {}
    if names := _FROM.search(before):
        return names[2], _members(sys.modules.get(names[1], NOTHING))
    if module := _IMPORT.search(before):
        return _modules(module[1])
    if member := _ATTRIBUTE.search(before):
        return member[2], _members(value_of(namespace, member[1]))
    if word := _WORD.search(before):
        return word[1] or "", _names(namespace, before, word.start())
    return "", {}


def _in_text(line: str) -> bool:
    """Return whether the end of this line is in a text or in a comment."""
    quote = ""
    for index, character in enumerate(line):
        if quote:
            if character == quote and line[index - 1] != "\\":
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "#":
            return True
    return bool(quote)


def _keys(value: Any) -> list[str]:
    """Return the keys of a dictionary, or the columns of a table, that are texts."""
    if value is NOTHING:
        return []
    if dict in mro(type(value)):
        keys: Iterable[object] = list(dict.keys(value))[:_KEYS]
    else:
        known = arrays.facts(value)
        keys = [label for label, _ in (known.columns if known else None) or ()]
    return [key for key in keys if type(key) is str]


def _members(value: Any) -> Kinds:
    """Return the attributes of a value with their kinds; a table's columns too."""
    if value is NOTHING:
        return {}
    found = {name: _kind(attribute(value, name)) for name in sorted(attribute_names(value))}
    if is_module(value):
        prefix = f"{attribute(value, '__name__')}."
        inner = [name[len(prefix) :] for name in list(sys.modules) if name.startswith(prefix)]
        found.update((name, "module") for name in inner if "." not in name)
    known = arrays.facts(value)
    columns = [label for label, _ in (known.columns if known else None) or ()]
    found.update((name, "key") for name in columns if type(name) is str and name.isidentifier())
    return found


def _kind(value: Any) -> str:
    """Return what a value is, in a word."""
    if value is NOTHING:
        return "property"
    if is_module(value):
        return "module"
    if is_class(value):
        return "class"
    is_function = type(unwrapped(value)) is FunctionType or is_c_function(value)
    return "function" if is_function else "variable"


def _modules(path: str) -> tuple[str, Kinds]:
    """Return modules of this name that are loaded, or come with Python: no folder is read."""
    package, dot, beginning = path.rpartition(".")
    names = {*list(sys.modules), *getattr(sys, "stdlib_module_names", sys.builtin_module_names)}
    prefix = f"{package}{dot}"
    inner = {name[len(prefix) :].partition(".")[0] for name in names if name.startswith(prefix)}
    return beginning, dict.fromkeys(sorted(inner), "module")


def _names(namespace: dict[str, object], before: str, start: int) -> Kinds:
    """Return the parameters of the call that is open, the user's names, and Python's own."""
    call = call_before(before, start)
    given = _parameters(value_of(namespace, call)) if call else ()
    found = {f"{name}=": "parameter" for name in given}
    for names in (namespace, vars(builtins)):
        for name in sorted(name for name in list(names) if type(name) is str):
            found.setdefault(name, _kind(names.get(name)))
    for name in keyword.kwlist:
        found.setdefault(name, "keyword")
    return found


def _parameters(value: Any) -> tuple[str, ...]:
    """Return the names of the parameters of a function, a method or a class."""
    if value is not NOTHING and is_class(value):
        value = class_member(value, "__init__")
    function = unwrapped(value)
    if type(function) is not FunctionType:
        return ()
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
