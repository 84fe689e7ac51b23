"""The events of a chat completion, as servers stream them. Unknown fields are ignored.

Fields whose type differs from server to server are `Any`: `text_of` and others read them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class FunctionDelta(msgspec.Struct):
    """Some more of a call's name and arguments."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """Text, or the whole object from servers that do not stream arguments."""


class CallDelta(msgspec.Struct):
    """Some more of the tool call with this index."""

    index: int | None = None
    function: FunctionDelta | None = None
    id: Any = None
    extra_content: Any = None
    """Gemini: the signature of the call, which has to go back with it."""


class Delta(msgspec.Struct):
    """Some more of the reply."""

    content: Any = None
    """Text, or a list of parts, some of which may be thinking."""
    reasoning_content: Any = None
    """DeepSeek, Kimi and others: some more of the reasoning."""
    reasoning: Any = None
    """Groq, Ollama and newer versions of vLLM: some more of the reasoning."""
    reasoning_details: Any = None
    """OpenRouter: some more of the reasoning, as a list of objects."""
    tool_calls: list[CallDelta] | None = None
    function_call: FunctionDelta | None = None
    refusal: Any = None
    """The words in which the model refuses."""


class StreamedChoice(msgspec.Struct):
    """Some more of one of the replies; we ask for one."""

    delta: Delta | None = None
    finish_reason: str | None = None
    message: Delta | None = None
    """The whole reply, from servers that do not stream it."""


class ChatEvent(msgspec.Struct):
    """One event of the stream."""

    choices: list[StreamedChoice] | None = None
    usage: Any = None
    x_groq: Any = None
    """Holds `usage` too, in Groq's answers."""
    error: Any = None
    done: bool = False
    """True for the event `[DONE]`, which ends the answer."""


def content_parts(content: Any) -> list[tuple[str, bool]]:
    """Return the content as pieces of text, each with whether it is thinking."""
    if isinstance(content, str):
        return [(content, False)] if content else []
    if not isinstance(content, list):
        return []
    parts: list[tuple[str, bool]] = []
    for part in content:
        if isinstance(part, str):
            parts.append((part, False))
        elif isinstance(part, Mapping):
            thinking = part.get("thinking", part.get("reasoning"))
            text = text_of(part.get("text") if thinking is None else thinking)
            if text:
                parts.append((text, thinking is not None))
    return parts


def text_of(value: Any) -> str:
    """Return text that may come as a list of parts; empty for anything else."""
    if value is None or isinstance(value, str):
        return value or ""
    return "".join(text for text, _ in content_parts(value))
