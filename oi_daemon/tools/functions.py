"""A server's tools as functions in Python and of the model."""

import keyword
import re
from collections.abc import Iterable
from typing import Any

from oi_daemon.messages.text import without_controls
from oi_daemon.model.functions import ToolFunction
from oi_daemon.tools.shapes import ListedTool

MOST_TOOLS = 500
"""Most tools of one server that are taken."""
_LONGEST_NAME = 30
"""Most characters of a function's name, which makes a model's name for it, with the server's."""
_LONGEST_DESCRIPTION = 4000
"""Most characters of a tool's description that are kept."""


def functions_of(server: str, tools: Iterable[ListedTool]) -> tuple[ToolFunction, ...]:
    """The tools of a server as functions.

    Args:
        server: the server's name in the settings.
    """
    functions: dict[str, ToolFunction] = {}
    for tool in tools:
        name = _unused(_identifier(tool.name), functions)
        functions[name] = ToolFunction(
            server=server,
            tool=tool.name,
            python=name,
            description=without_controls(tool.description or tool.title or "").strip()[
                :_LONGEST_DESCRIPTION
            ],
            parameters=_schema(tool.input_schema),
        )
        if len(functions) == MOST_TOOLS:
            break
    return tuple(functions.values())


def _identifier(name: str) -> str:
    """The name as an identifier of Python that does not begin with an underscore."""
    words = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:_LONGEST_NAME] or "tool"
    if words[0].isdigit():
        words = f"tool_{words}"[:_LONGEST_NAME]
    return f"{words}_" if keyword.iskeyword(words) else words


def _unused(name: str, used: Iterable[str]) -> str:
    """The name, with a number after it if it is used already."""
    taken, number, free = set(used), 1, name
    while free in taken:
        number += 1
        free = f"{name[: _LONGEST_NAME - 4]}_{number}"
    return free


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the arguments, in the shape on which the rest relies."""
    properties, required = schema.get("properties"), schema.get("required")
    return {
        **schema,
        "type": "object",
        "properties": properties if isinstance(properties, dict) else {},
        "required": [name for name in required if isinstance(name, str)]
        if isinstance(required, list)
        else [],
    }
