"""What a model gets of pictures and pages: words, and the picture itself where it can see."""

import base64
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oi_daemon.messages import CodeMessage, Message
from oi_daemon.messages.written import Bundle, says_little

NEWEST = 4
"""Pictures of a conversation that are sent; of earlier ones the model gets words."""
LARGEST = 5 * 1024 * 1024
"""Characters of a picture's base64 that are sent, as much as all servers take."""
TOKENS = 1_000
"""What a picture costs, about."""

_SEEN = ("image/png", "image/jpeg", "image/gif")
_HEADER = 64 * 1024
"""Characters of base64 in which the size of a picture stands."""


def can_see(model: str) -> bool:
    """Whether a model of this name is known to take pictures."""
    return _SEES.search(model.lower()) is not None


def newest(messages: Sequence[Message]) -> list[Bundle]:
    """The displays whose pictures a model that can see gets."""
    displays = [
        display
        for message in messages
        if isinstance(message, CodeMessage)
        for display in message.displays
        if _sendable(display)
    ]
    return displays[-NEWEST:]


def part(display: Bundle) -> dict[str, Any]:
    """The picture as a part of a message's content."""
    kind = _kind(display) or ""
    url = f"data:{kind};base64,{''.join(display[kind].split())}"
    return {"type": "image_url", "image_url": {"url": url}}


def words(displays: Iterable[Bundle], sent: Sequence[Bundle]) -> list[str]:
    """A line for each display that the model has no text of.

    Args:
        sent: the displays whose pictures it gets.
    """
    told = (_words(each, any(each is one for one in sent)) for each in displays)
    return [f"[{line}]" for line in told if line]


def apart(wire: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    """A request's messages as text without pictures, and how many pictures there are."""
    texts, count = [], 0
    for message in wire:
        content = message.get("content")
        if isinstance(content, list):
            kept = [each for each in content if each["type"] != "image_url"]
            count += len(content) - len(kept)
            message = {**message, "content": kept}
        texts.append(message)
    return str(texts), count


def _words(display: Bundle, sent: bool) -> str | None:
    kind = next((mime for mime in display if mime.startswith("image/")), None)
    if kind is None:
        is_page = "text/html" in display and says_little(display)
        return "page: text/html, shown to the person" if is_page else None
    size = _size(display[kind])
    measures = f", {size[0]}x{size[1]}" if size else ""
    return f"picture: {kind}{measures}, shown to the person{' and, below, to you' if sent else ''}"


def _sendable(display: Bundle) -> bool:
    kind = _kind(display)
    return kind is not None and len(display[kind]) <= LARGEST


def _kind(display: Bundle) -> str | None:
    """The type of the picture that can be sent."""
    return next((mime for mime in _SEEN if mime in display and _size(display[mime])), None)


def _size(data: object) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF or JPEG picture in base64; None if it is none."""
    head = "".join(data[:_HEADER].split()) if isinstance(data, str) else ""
    try:
        raw = base64.b64decode(head[: len(head) // 4 * 4])
        if raw.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", raw, 16)
        if raw.startswith(b"GIF8"):
            return struct.unpack_from("<HH", raw, 6)
        return _size_of_jpeg(raw) if raw.startswith(b"\xff\xd8") else None
    except (ValueError, struct.error):
        return None


def _size_of_jpeg(raw: bytes) -> tuple[int, int]:
    """From the first frame's header, which stands behind others."""
    at = 2
    while raw[at + 1 : at + 2] not in _FRAMES:
        at += 2 + struct.unpack_from(">H", raw, at + 2)[0]
    height, width = struct.unpack_from(">HH", raw, at + 5)
    return width, height


_FRAMES = [bytes([code]) for code in (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC))]
"""Codes of the headers that tell a JPEG picture's size."""

_SEES = re.compile(
    r"gpt-4o|gpt-4\.[15]|gpt-4-(?:turbo(?!-preview)|vision)|gpt-(?:[5-9]|\d\d)"
    r"|\bo(?:1(?!-mini|-preview)|3(?!-mini)|[4-9])(?:$|[-.:@])"
    r"|claude-(?!1|2|instant)|gemini|nova-(?:lite|pro|premier)|grok-(?:2-vision|[4-9])"
    r"|llava|moondream|pixtral|gemma-?3(?!.*\b1b)|llama-?4|mistral-(?:small|medium)-?3\.?[1-9]"
    r"|internvl|minicpm-v|kimi-vl|vision|multimodal|\d-?vl\b|-vl-"
)
"""Models that are known to take pictures."""
