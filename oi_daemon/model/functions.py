"""Functions that a model may call beside `execute`: the tools of MCP servers.

A call of one becomes a block of Python that calls it, so that it is shown, edited, approved and
stored as any other code.
"""

import ast
import json
import keyword
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOST_OFFERED = 100
"""Most functions that are offered to a model. It may call all in Python."""
_LARGEST_OFFER = 40_000
"""Most characters of the definitions of all functions that are offered."""
_LONGEST_DESCRIPTION = 1000
"""Most characters of a function's description."""
_LONGEST_LIST = 6000
"""Most characters of the list of functions in the system message."""
_LONGEST_LINE = 88
"""Characters from which on each argument of a call stands on a line of its own."""
_DROPPED = ("$schema", "$id", "title")
"""Keys of a schema that say nothing to a model, and that some servers refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFunction:
    """A tool of an MCP server."""

    server: str
    """The server's name in the settings."""
    tool: str
    """The tool's name at the server."""
    python: str
    """The function's name in Python, after `tools.SERVER.`."""
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of its arguments."""

    @property
    def name(self) -> str:
        """The name under which a model may call it."""
        return f"{self.server}__{self.python}"[:64]

    def code(self, arguments: Mapping[str, Any]) -> str:
        """The Python code that calls it with these arguments."""
        named, others = [], {}
        for name, value in arguments.items():
            if name.isascii() and name.isidentifier() and not keyword.iskeyword(name):
                named.append(f"{name}={_literal(value)}")
            else:
                others[name] = value
        parts = [*named, *([f"**{others!r}"] if others else [])]
        called = f"tools.{self.server}.{self.python}"
        line = f"{called}({', '.join(parts)})"
        if len(line) <= _LONGEST_LINE or "\n" in line:
            return line
        return "\n".join([f"{called}(", *(f"    {part}," for part in parts), ")"])


def offered(functions: Sequence[ToolFunction]) -> Sequence[ToolFunction]:
    """The functions that are offered to a model as tools: as many as fit."""
    size, fitting = 0, []
    for function in functions[:_MOST_OFFERED]:
        size += len(json.dumps(definition(function)))
        if size > _LARGEST_OFFER:
            break
        fitting.append(function)
    return fitting


def definition(function: ToolFunction) -> dict[str, Any]:
    """The definition of a function in a request."""
    parameters = {key: each for key, each in function.parameters.items() if key not in _DROPPED}
    return {
        "name": function.name,
        "description": function.description[:_LONGEST_DESCRIPTION],
        "parameters": {"type": "object", "properties": {}, **parameters},
    }


def described(
    functions: Sequence[ToolFunction], unavailable: Iterable[str], *, are_tools: bool
) -> str:
    """What the system message says of the functions; empty if there is nothing to say.

    Args:
        unavailable: a sentence about each server whose functions are not known.
        are_tools: whether the functions that fit are offered as tools.
    """
    lines = []
    if functions:
        lines.append(_INTRODUCTION)
    named = functions
    if are_tools and functions:
        named = functions[len(offered(functions)) :]
        lines.append(_AS_TOOLS)
    size = 0
    for position, function in enumerate(named):
        line = _line(function)
        size += len(line)
        if size > _LONGEST_LIST:
            servers = ", ".join(dict.fromkeys(f"tools.{each.server}" for each in named))
            lines.append(f"... and {len(named) - position} more: print {servers} to see all.")
            break
        lines.append(line)
    return "\n".join([*lines, *unavailable])


def _line(function: ToolFunction) -> str:
    required = function.parameters.get("required", ())
    names = [
        name if name in required else f"{name}=..."
        for name in function.parameters.get("properties", {})
    ]
    about = function.description.strip().partition("\n")[0][:160]
    return f"- tools.{function.server}.{function.python}({', '.join(names)}): {about}"


def _literal(value: Any) -> str:
    """The value in Python. A text of several lines stands in triple quotes if that is the same."""
    text = repr(value)
    if isinstance(value, str) and "\n" in value and '"""' not in value:
        quoted = f'"""{value}"""'
        try:
            is_same = ast.literal_eval(quoted) == value
        except (SyntaxError, ValueError):
            is_same = False
        if is_same and all(line.isprintable() for line in value.split("\n")):
            return quoted
    return text


_INTRODUCTION = (
    "Python blocks can call the functions of MCP servers, as in `tools.SERVER.FUNCTION(...)`: each"
    " returns the tool's text, whose attribute `data` holds the structured content, and raises an"
    " error if the tool fails. `help(tools.SERVER.FUNCTION)` describes the arguments. Results need"
    " not be printed to be used in the same block."
)
_AS_TOOLS = "Those that you have as tools named `SERVER__FUNCTION` are the same functions."
