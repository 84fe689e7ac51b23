"""How a model is told to write code: in its system message, and by the tools that it gets."""

from collections.abc import Sequence
from typing import Any, Literal

from oi_daemon.model.functions import ToolFunction, definition
from oi_daemon.settings import Settings

ToolStyle = Literal["tools", "functions", "markdown"]
"""How a model is asked to write code."""


def system_message(
    text: str,
    style: ToolStyle,
    languages: Sequence[str],
    environment: str,
    *,
    custom_tools: bool = False,
) -> str:
    """Return the system message: the user's, then how to run code, then where it runs.

    Args:
        environment: what `environment.described` gives.
        custom_tools: whether the model has a tool for each language in place of `execute`.
    """
    way = _CUSTOM_TOOLS if custom_tools and style == "tools" else _HOW[style]
    how = way.format(languages=", ".join(languages))
    return "\n\n".join(part for part in (text.strip(), how, environment) if part)


def personal(settings: Settings) -> str:
    """Return the system message of the settings, and the person's own instructions."""
    added = settings.custom_instructions.strip()
    if not added:
        return settings.system_message
    return f"{settings.system_message.rstrip()}\n\n{added}".lstrip()


def tool_parameters(
    style: ToolStyle, languages: Sequence[str], functions: Sequence[ToolFunction] = ()
) -> dict[str, Any]:
    """Return the parameters of a request that let the model call `execute`, and these functions."""
    function = {
        "name": "execute",
        "description": "Run code on the user's machine and get its output.",
        "parameters": {
            "type": "object",
            "properties": {
                "language": {"type": "string", "enum": list(languages)},
                "code": {"type": "string", "description": "The code to run."},
            },
            "required": ["language", "code"],
        },
    }
    definitions = [function, *map(definition, functions)]
    match style:
        case "tools":
            return {"tools": [{"type": "function", "function": each} for each in definitions]}
        case "functions":
            return {"functions": definitions}
        case "markdown":
            return {}


_ONLY_SHOWN = "Code in your message itself is only shown to the user, not run."
_CUSTOM_TOOLS = (
    "Run code by calling the tool that is named after its language, with plain code as input."
    " Languages: {languages}. " + _ONLY_SHOWN
)
_HOW: dict[ToolStyle, str] = {
    "tools": "Run code by calling `execute`. Languages: {languages}. " + _ONLY_SHOWN,
    "functions": "Run code by calling `execute`. Languages: {languages}. " + _ONLY_SHOWN,
    "markdown": (
        "Run code by writing it in a fenced block that names its language, such as ```python;"
        " then stop, and you will get its output. Languages: {languages}."
        " Mark code that is only meant to be read as ```text."
    ),
}
