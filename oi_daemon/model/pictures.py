"""Pictures and pages for a model: a line of text each, and the picture itself where it can see."""

import base64
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oi_daemon.messages import CodeMessage, Message, UserMessage
from oi_daemon.messages.written import Bundle, says_little

NEWEST = 4
"""Number of a conversation's latest pictures that are sent; earlier ones become a line of text."""
LARGEST = 5 * 1024 * 1024
"""Most characters of base64 of a picture that is sent, because some servers accept no more."""
TOKENS = 1_000
"""About how many tokens a picture costs."""

_SENT_TYPES = ("image/png", "image/jpeg", "image/gif")
_HEADER = 64 * 1024
"""Characters at a picture's beginning that are searched for its width and height."""


def can_see(model: str) -> bool:
    """Return whether a model of this name is known to accept pictures."""
    return _SEES.search(model.lower()) is not None


def newest(messages: Sequence[Message]) -> list[Bundle]:
    """Return the latest displays whose pictures can be sent."""
    displays = [
        display
        for message in messages
        if isinstance(message, CodeMessage | UserMessage)
        for display in message.displays
        if _sendable(display)
    ]
    return displays[-NEWEST:]


def part(display: Bundle) -> dict[str, Any]:
    """Return the display's picture as a part of a message's content."""
    mime = _sent_type(display) or ""
    url = f"data:{mime};base64,{''.join(display[mime].split())}"
    return {"type": "image_url", "image_url": {"url": url}}


def words(displays: Iterable[Bundle], sent: Sequence[Bundle]) -> list[str]:
    """Return a line for each display whose content is not part of the output's text.

    Args:
        sent: the displays whose pictures the model gets.
    """
    lines = (_line(each, any(each is one for one in sent)) for each in displays)
    return [f"[{line}]" for line in lines if line]


def attached_words(displays: Iterable[Bundle], sent: Sequence[Bundle]) -> list[str]:
    """Return a line for each picture that the person shows with their words.

    Args:
        sent: the displays whose pictures the model gets.
    """
    return [
        f"[{_described(mime, display)}, from the person:"
        f" {'below' if any(display is one for one in sent) else 'you cannot see it'}]"
        for display in displays
        if (mime := _picture_type(display)) is not None
    ]


def without_pictures(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return a request's messages without the parts that are pictures."""
    return [
        {**message, "content": [each for each in content if each["type"] != "image_url"]}
        if isinstance(content := message.get("content"), list)
        else message
        for message in messages
    ]


def _line(display: Bundle, sent: bool) -> str | None:
    """Return a description of the picture or page; None if the output's text says it all."""
    mime = _picture_type(display)
    if mime is None:
        is_page = "text/html" in display and says_little(display)
        return "page: text/html, shown to the person" if is_page else None
    seen = " and, below, to you" if sent else ""
    return f"{_described(mime, display)}, shown to the person{seen}"


def _picture_type(display: Bundle) -> str | None:
    """Return the MIME type of the display's picture; None if it has none."""
    return next((mime for mime in display if mime.startswith("image/")), None)


def _described(mime: str, display: Bundle) -> str:
    """Return what kind of picture it is, and its size."""
    size = _size(display[mime])
    pixels = f", {size[0]}x{size[1]}" if size else ""
    return f"picture: {mime}{pixels}"


def _sendable(display: Bundle) -> bool:
    """Return whether the display has a picture that servers accept."""
    mime = _sent_type(display)
    return mime is not None and len(display[mime]) <= LARGEST


def _sent_type(display: Bundle) -> str | None:
    """Return the MIME type of the display's picture that can be sent; None if it has none."""
    return next((mime for mime in _SENT_TYPES if mime in display and _size(display[mime])), None)


def _size(data: object) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF or JPEG picture in base64; None for other data."""
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
    """Return width and height from the first frame's header, which follows other segments."""
    at = 2
    while raw[at + 1 : at + 2] not in _FRAMES:
        at += 2 + struct.unpack_from(">H", raw, at + 2)[0]
    height, width = struct.unpack_from(">HH", raw, at + 5)
    return width, height


_FRAMES = [bytes([code]) for code in (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC))]
"""Codes of the JPEG segments that hold the picture's size."""

_SEES = re.compile(
    r"gpt-4o|gpt-4\.[15]|gpt-4-(?:turbo(?!-preview)|vision)|gpt-(?:[5-9]|\d\d)"
    r"|\bo(?:1(?!-mini|-preview)|3(?!-mini)|[4-9])(?:$|[-.:@])"
    r"|claude-(?!1|2|instant)|gemini|nova-(?:lite|pro|premier)|grok-(?:2-vision|[4-9])"
    r"|llava|moondream|pixtral|gemma-?3(?!.*\b1b)|llama-?4|mistral-(?:small|medium)-?3\.?[1-9]"
    r"|internvl|minicpm-v|kimi-vl|vision|multimodal|\d-?vl\b|-vl-"
)
"""Matches the names of models that are known to accept pictures."""
