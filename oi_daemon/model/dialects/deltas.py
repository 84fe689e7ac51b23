"""The events of a chat completion, as servers stream them. Unknown fields are ignored."""

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

    content: str | None = None
    reasoning_content: Any = None
    """DeepSeek, Kimi and others: some more of the reasoning."""
    reasoning: Any = None
    """The same under the name that Groq, Ollama and newer versions of vLLM use."""
    reasoning_details: Any = None
    """OpenRouter: some more of the reasoning, as a list of objects."""
    tool_calls: list[CallDelta] | None = None
    function_call: FunctionDelta | None = None


class StreamedChoice(msgspec.Struct):
    """Some more of one of the replies; we ask for one."""

    delta: Delta | None = None
    finish_reason: str | None = None


class PromptDetails(msgspec.Struct):
    """Details of the input tokens."""

    cached_tokens: int | None = None


class ChatUsage(msgspec.Struct):
    """Tokens as the server counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None


class ChatEvent(msgspec.Struct):
    """One event of the stream."""

    choices: list[StreamedChoice] | None = None
    usage: ChatUsage | None = None
    error: Any = None
    done: bool = False
    """True for the event `[DONE]`, which ends the answer."""
