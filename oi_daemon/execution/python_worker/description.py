"""Describes the name at a place in code: its signature, its value, its documentation."""

from __future__ import annotations

import re
from types import FunctionType

from .expressions import call_before, path_at, value_of
from .preview import parameters
from .quoting import quoted
from .static import (
    NOTHING,
    attribute,
    class_member,
    docstring,
    is_c_function,
    is_class,
    is_module,
    unwrapped,
)
from .variables import Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_IMPLICIT = re.compile(r"\(\$\w+(, /)?(, )?")
"""Matches the parameter of a C function for its module or object, which nobody passes."""
_LONGEST = 10_000
"""Most characters of a documentation that are shown."""


def description(namespace: dict[str, object], code: str, position: int) -> str:
    """Return what is known of the name at this position, as JSON: texts by their MIME type.

    If there is no name, it is that of the function in whose brackets the position is.
    """
    for path in (path_at(code, position), call_before(code, position)):
        value = value_of(namespace, path) if path else NOTHING
        if value is not NOTHING:
            return _described(path, value)
    return '{"data":{}}'


def _described(path: str, value: Any) -> str:
    """Return the description of a value that is known by this name."""
    name = re.split(r"[.\[]", path)[-1].strip() if "[" not in path else path
    head, place = _heading(path, name, value), _place(value)
    text = _unindented(docstring(value))[:_LONGEST]
    plain = "\n\n".join(filter(None, (head, text, place)))
    markdown = "\n\n".join(filter(None, (f"```python\n{head}\n```", text, place and f"*{place}*")))
    return f'{{"data":{{"text/plain":{quoted(plain)},"text/markdown":{quoted(markdown)}}}}}'


def _heading(path: str, name: str, value: Any) -> str:
    """Return a line that shows what the value is."""
    function = unwrapped(value)
    if type(function) is FunctionType:
        return f"{name}({', '.join(parameters(function))})"
    if is_class(value):
        start = class_member(value, "__init__")
        given = parameters(start)[1:] if type(start) is FunctionType else ["…"]
        return f"class {name}({', '.join(given)})"
    if is_c_function(value):
        signature = attribute(value, "__text_signature__")
        return f"{name}{_IMPLICIT.sub('(', signature) if type(signature) is str else '(…)'}"
    if is_module(value):
        return f"module {attribute(value, '__name__')}"
    variable = Variable(path, value, previewed=True)
    return f"{path}: {variable.type} = {variable.line()}"


def _place(value: Any) -> str:
    """Return where a function or a module is defined; empty for other values."""
    function = unwrapped(value)
    if type(function) is FunctionType:
        return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
    file = attribute(value, "__file__") if is_module(value) else NOTHING
    return file if type(file) is str else ""


def _unindented(text: str) -> str:
    """Return a docstring without the indentation of its lines and empty lines around it."""
    lines = text.expandtabs().split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    margin = min(indents, default=0)
    return "\n".join([lines[0].strip(), *(line[margin:].rstrip() for line in lines[1:])]).strip()
