"""What a call gives back: text and pictures for the host's model, and structured content."""

from collections.abc import Mapping, Sequence
from typing import Any

from oi_daemon.messages.text import without_controls
from oi_daemon.model.dialects.block_text import ANSI, NO_OUTPUT

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""MIME types of pictures that hosts take."""
_TEXTS = ("text/markdown", "text/plain", "text/html")
"""MIME types of displays that are given as text, the best first."""
_LONGEST_TEXT = 20_000
"""Most characters of a display that is given as text."""
_CHARACTERS = 4
"""Characters of a token, about."""


def text_result(text: str, data: Mapping[str, Any], *, is_error: bool = False) -> dict[str, Any]:
    """A result with this text, and the structured content of which it tells."""
    return {
        "content": [{"type": "text", "text": text}],
        "structuredContent": dict(data),
        "isError": is_error,
    }


def run_result(
    session: str, message: Mapping[str, Any], result: Mapping[str, Any], *, max_output: int
) -> dict[str, Any]:
    """The result of `run_code`.

    Args:
        message: the stored message of the block that has run.
        result: how it ended, see `WireResult`.
        max_output: tokens of the output that a model gets.
    """
    output = cut(ANSI.sub("", message.get("output") or ""), max_output * _CHARACTERS)
    status = result.get("status", "ok")
    displays = [_display(bundle) for bundle in message.get("displays", ())]
    data = {
        "session": session,
        "status": status,
        "output": output,
        "code": message.get("code", ""),
        **{key: result[key] for key in ("seconds", "exit", "error") if result.get(key) is not None},
    }
    text = output if output or displays else NO_OUTPUT
    if status not in ("ok", "error"):
        text = f"{text.rstrip()}\n[{status}]"
    return {
        "content": [
            *([{"type": "text", "text": text}] if text else []),
            *(each for each in displays if each),
        ],
        "structuredContent": data,
        "isError": status != "ok",
    }


def cut(text: str, limit: int) -> str:
    """The text without its middle if it is longer than this, with a line that says so."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[... {left_out:,} characters left out ...]\n{text[-half:]}"


def _display(bundle: Mapping[str, Any]) -> dict[str, Any] | None:
    """A display as a content block; None if a host could not use it."""
    for kind in _PICTURES:
        if isinstance(data := bundle.get(kind), str):
            return {"type": "image", "data": data.replace("\n", ""), "mimeType": kind}
    for kind in _TEXTS:
        if isinstance(text := bundle.get(kind), str):
            return {"type": "text", "text": cut(text, _LONGEST_TEXT)}
    return None


def variables_text(variables: Sequence[Mapping[str, Any]]) -> str:
    """The variables as a table for a model."""
    lines = [f"{each['name']}: {each['type']} = {each['preview']}" for each in variables]
    return without_controls("\n".join(lines)) or "There are no variables."
