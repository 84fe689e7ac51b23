"""The variables as a table in plain text, for `%who`."""

from collections.abc import Sequence

from oi_daemon.messages.shapes import VariableDict
from oi_daemon.terminal.printing import visible

_DEFINITIONS = ("module", "function", "builtin_function_or_method", "type", "class")
"""Types of what is not data. Only the names of these are shown."""
_NAMES = 30
"""Most characters of a name, a type or a language that are aligned in columns."""


def table(variables: Sequence[VariableDict]) -> str:
    """Return a line for each variable that holds data, and one with the names of all others."""
    data = [variable for variable in variables if variable["type"] not in _DEFINITIONS]
    others = [variable["name"] for variable in variables if variable["type"] in _DEFINITIONS]
    several = len({variable["language"] for variable in variables}) > 1
    rows = [_row(variable, several=several) for variable in data]
    widths = [min(_NAMES, max(map(len, column))) for column in zip(*rows, strict=True)][:-1]
    lines = [
        "  ".join([*(f"{cell:{w}}" for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    if others:
        lines.append(f"Modules, functions and classes: {visible(', '.join(others))}")
    return "\n".join(lines) or "There are no variables."


def _row(variable: VariableDict, *, several: bool) -> list[str]:
    """Return the cells of a variable's line.

    Args:
        several: whether there are variables of several languages.
    """
    cells = [variable["name"], variable["type"], _described(variable)]
    if several:
        cells.insert(0, variable["language"])
    return [visible(cell).replace("\n", " ") for cell in cells]


def _described(variable: VariableDict) -> str:
    """Return what is known of the value, in words."""
    columns = variable.get("columns")
    if columns is None:
        return variable["preview"]
    shape = variable.get("shape") or [0]
    named = ", ".join(f"{column['name']} ({column['type']})" for column in columns)
    return f"{shape[0]:,} rows: {named}"
