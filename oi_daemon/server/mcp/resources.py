"""The transcripts of sessions, as resources."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from oi_daemon.errors import InvalidError
from oi_daemon.messages.text import without_controls
from oi_daemon.protocol.methods import HistoryEntry
from oi_daemon.server.mcp.contents import cut

PREFIX = "oi://session/"
"""What the URI of each resource begins with; a session's name follows."""
_LONGEST_OUTPUT = 20_000
"""Most characters of a block's output in a transcript."""

TEMPLATE = {
    "uriTemplate": f"{PREFIX}{{session}}",
    "name": "session",
    "title": "Transcript of a session",
    "description": "All messages of a session, with its code and its output, as Markdown.",
    "mimeType": "text/markdown",
}
"""How the URI of any session is made."""


def resource(entry: HistoryEntry) -> dict[str, Any]:
    """A session in the list of resources."""
    return {
        "uri": uri_of(entry.conversation),
        "name": entry.conversation,
        "title": entry.title,
        "description": f"Transcript of a session with {entry.messages} messages.",
        "mimeType": "text/markdown",
        "annotations": {"lastModified": entry.updated},
    }


def uri_of(session: str) -> str:
    """The URI of a session's transcript."""
    return PREFIX + quote(session, safe="")


def session_of(uri: str) -> str:
    """The session that a URI names.

    Raises:
        InvalidError: it names none.
    """
    if not uri.startswith(PREFIX) or not (name := unquote(uri[len(PREFIX) :])):
        raise InvalidError(f"uri: expected {PREFIX} and the name of a session")
    return name


def transcript(messages: Sequence[dict[str, Any]]) -> str:
    """Stored messages as Markdown."""
    return "\n\n".join(map(_message, messages))


def _message(message: dict[str, Any]) -> str:
    if "message" in message:
        return f"**{message['role']}**: {message['message']}"
    fence = "```"
    while fence in message["code"] or fence in (message.get("output") or ""):
        fence += "`"
    block = f"{fence}{message['language']}\n{message['code']}\n{fence}"
    if message.get("status") == "declined":
        return f"{block}\n\n(declined: it was not run)"
    if output := message.get("output"):
        shown = without_controls(cut(output, _LONGEST_OUTPUT)).rstrip("\n")
        block += f"\n\n{fence}output\n{shown}\n{fence}"
    return block
