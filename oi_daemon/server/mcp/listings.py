"""The tools that a host may call, as it lists them."""

from collections.abc import Sequence
from typing import Any

_SESSION = {
    "type": "string",
    "description": "Name of a session, such as one from `sessions`; a new name begins a new one."
    " Default: this connection's own.",
}
_NAME = {"type": "string"}
_OUTPUT = {"type": "string", "description": "What the code has written; a long one is cut."}
_STATUS = {
    "type": "string",
    "enum": ["ok", "error", "interrupted", "killed", "declined"],
    "description": "`declined`: it was not run.",
}
_ERROR = {
    "type": "object",
    "properties": {
        "name": _NAME,
        "message": {"type": "string"},
        "traceback": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "message", "traceback"],
}

INSTRUCTIONS = (
    "Runs code on the user's own machine, in interpreters that keep their variables from call to"
    " call. The user may see a session in an editor while you work in it. Each piece of code may be"
    " shown to the user first, who can change or decline it."
)
"""What a host's model is told about the server."""


def tools(languages: Sequence[str]) -> list[dict[str, Any]]:
    """All tools.

    Args:
        languages: those that can be run here.
    """
    return [
        _tool(
            "run_code",
            "Run code",
            "Run code in an interpreter that keeps its variables, and get its output, pictures and"
            " error. The user may be asked first, and may change the code: `code` in the result is"
            " what was run.",
            {
                "language": {"type": "string", "enum": list(languages)},
                "code": {"type": "string", "description": "The code to run."},
                "session": _SESSION,
            },
            ["language", "code"],
            {
                "session": _NAME,
                "status": _STATUS,
                "output": _OUTPUT,
                "code": {"type": "string", "description": "The code that was run."},
                "seconds": {"type": "number"},
                "exit": {"type": "integer", "description": "The exit status, if there is one."},
                "error": _ERROR,
            },
            ["session", "status", "output"],
            destructive=True,
            open_world=True,
        ),
        _tool(
            "variables",
            "List variables",
            "List the variables of a session's interpreters with their types and short previews."
            " Runs no code, and works while code runs.",
            {"session": _SESSION, "language": {"type": "string"}},
            [],
            {
                "session": _NAME,
                "variables": {"type": "array", "items": {"type": "object"}},
                "more": {"type": "integer", "description": "How many are left out."},
            },
            ["session", "variables", "more"],
            read_only=True,
        ),
        _tool(
            "interrupt",
            "Interrupt",
            "Stop what runs in a session. The variables are kept.",
            {"session": _SESSION},
            [],
            {"session": _NAME, "interrupted": {"type": "boolean"}},
            ["session", "interrupted"],
            idempotent=True,
        ),
        _tool(
            "reset",
            "Reset a session",
            "Empty a session: its variables are lost, and its messages are set aside. The user may"
            " be asked first.",
            {"session": _SESSION},
            [],
            {"session": _NAME, "reset": {"type": "boolean"}},
            ["session", "reset"],
            destructive=True,
            idempotent=True,
        ),
        _tool(
            "sessions",
            "List sessions",
            "List the user's sessions, the latest first, and what each is doing.",
            {},
            [],
            {
                "sessions": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "session": _NAME,
                            "title": {"type": "string"},
                            "updated": {"type": "string"},
                            "messages": {"type": "integer"},
                            "state": {"type": "string"},
                        },
                        "required": ["session"],
                    },
                },
            },
            ["sessions"],
            read_only=True,
        ),
    ]


def _tool(
    name: str,
    title: str,
    description: str,
    arguments: dict[str, Any],
    required: list[str],
    results: dict[str, Any],
    always: list[str],
    *,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
) -> dict[str, Any]:
    """One tool, with the hints by which hosts decide whether they ask."""
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": arguments,
            "required": required,
            "additionalProperties": False,
        },
        "outputSchema": {"type": "object", "properties": results, "required": always},
        "annotations": {
            "title": title,
            "readOnlyHint": read_only,
            "destructiveHint": destructive,
            "idempotentHint": idempotent or read_only,
            "openWorldHint": open_world,
        },
    }
