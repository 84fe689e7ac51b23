"""What a call of a tool has given, in the form in which code gets it."""

import base64
import binascii
from typing import Any

from oi_daemon.messages.text import without_controls
from oi_daemon.tools.shapes import CallResult, ContentBlock

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
"""MIME types that clients can display."""


def for_code(result: CallResult) -> dict[str, Any]:
    """The text, the structured content and the displays of a result."""
    texts = [_text(block) for block in result.content]
    return {
        "text": "\n".join(text for text in texts if text),
        "data": _clean(result.structured_content),
        "displays": [bundle for block in result.content if (bundle := _bundle(block))],
    }


def _text(block: ContentBlock) -> str:
    """A block as text; empty if it is displayed."""
    match block.type:
        case "text":
            return without_controls(block.text)
        case "resource" if block.resource is not None:
            if block.resource.text is not None:
                return without_controls(block.resource.text)
            return "" if _bundle(block) else f"[{without_controls(block.resource.uri)}]"
        case "resource_link":
            return without_controls(f"[{block.name}: {block.uri}]")
        case _ if _bundle(block):
            return ""
        case _:
            kind = without_controls(f"{block.type} {block.mime_type or ''}").strip()[:100]
            return f"[{kind}, which cannot be shown]"


def _bundle(block: ContentBlock) -> dict[str, str] | None:
    """A block as a display; None if it is none."""
    data, kind = block.data, block.mime_type
    if block.resource is not None:
        data, kind = block.resource.blob or "", block.resource.mime_type
    elif block.type != "image":
        return None
    if kind not in _PICTURES:
        return None
    try:
        picture = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    if kind == "image/svg+xml":
        return {kind: picture.decode("utf-8", "replace")}
    return {kind: data} if picture else None


def _clean(value: Any) -> Any:
    """Structured content, with the control characters taken out of its texts."""
    if isinstance(value, str):
        return without_controls(value)
    if isinstance(value, list):
        return [_clean(part) for part in value]
    if isinstance(value, dict):
        return {without_controls(name): _clean(part) for name, part in value.items()}
    return value
