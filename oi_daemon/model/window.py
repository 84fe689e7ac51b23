"""Fits a conversation into a model's context window.

Whole messages go from the oldest on; a block of code and its output are one message. The latest
user message stays, and a message that is larger than the window is cut. What is remembered of
each message (`tokens`) makes this cheap in every later turn. Call it off the loop.
"""

from collections.abc import Sequence
from dataclasses import replace

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.dialects.requests import readable
from oi_daemon.model.tokens import Tokenizer

DEFAULT_WINDOW = 32_768
"""Tokens of a hosted model that is not known by its name."""
LOCAL_WINDOW = 8_192
"""Tokens of a model on this machine, where nothing says how many: what such servers start with."""
OVERHEAD = 8
"""Tokens that a message costs besides its text."""
CALL_OVERHEAD = 24
"""The same for a call of `execute` and its answer."""
DISPLAY_OVERHEAD = 24
"""The same for a display in words."""
LARGEST_ANSWER = 4_096
SMALLEST_ROOM = 256


def room_for(window: int, max_tokens: int | None) -> int:
    """Tokens of a request, so that the answer fits as well."""
    answer = min(max_tokens or min(window // 4, LARGEST_ANSWER), window // 2)
    return window - answer


def fits(messages: Sequence[Message], room: int, max_output: int) -> bool:
    """Whether it is plain, without counting tokens, that nothing needs to be cut."""
    if any(isinstance(m, CodeMessage) and _most(m.output or "") > max_output for m in messages):
        return False
    return sum(map(_most_of, messages)) <= room


def fit(
    messages: Sequence[Message], *, room: int, max_output: int, tokenizer: Tokenizer
) -> list[Message]:
    """The messages that fit into `room` tokens, as the model is to read them."""
    asked = max((i for i, m in enumerate(messages) if isinstance(m, UserMessage)), default=-1)
    newest = len(messages) - 1
    kept: dict[int, Message] = {}
    for index in dict.fromkeys(i for i in (asked, newest) if i >= 0):
        message = _shortened(messages[index], max_output, tokenizer)
        kept[index] = _cut(message, room // 2, tokenizer)
        room -= _size(kept[index], tokenizer)
    for index in range(newest - 1, -1, -1):
        if index in kept:
            continue
        message = _shortened(messages[index], max_output, tokenizer)
        room -= _size(message, tokenizer)
        if room < 0:
            break
        kept[index] = message
    return [kept[index] for index in sorted(kept)]


def _most_of(message: Message) -> int:
    match message:
        case UserMessage(text) | AssistantMessage(text):
            return _most(text) + OVERHEAD
        case CodeMessage(_, code, output):
            shown = len(message.displays) * DISPLAY_OVERHEAD
            return _most(code) + _most(output or "") + CALL_OVERHEAD + shown


def _most(text: str) -> int:
    """No text has more tokens than bytes, no character more than four bytes."""
    return len(text) if text.isascii() else 4 * len(text)


def _size(message: Message, tokenizer: Tokenizer) -> int:
    match message:
        case UserMessage(text) | AssistantMessage(text):
            return tokenizer.count(text) + OVERHEAD
        case CodeMessage(_, code, output):
            shown = len(message.displays) * DISPLAY_OVERHEAD
            return tokenizer.count(code) + tokenizer.count(output or "") + CALL_OVERHEAD + shown


def _shortened(message: Message, max_output: int, tokenizer: Tokenizer) -> Message:
    """Of a block's output, the model reads `max_output` tokens."""
    if not isinstance(message, CodeMessage) or not message.output:
        return message
    output = message.output
    if "\x1b" in output:
        output = readable(output)
    output = tokenizer.cut(output, max_output)
    return message if output is message.output else replace(message, output=output)


def _cut(message: Message, limit: int, tokenizer: Tokenizer) -> Message:
    """The message cut to about so many tokens, if it is larger."""
    if _size(message, tokenizer) <= limit:
        return message
    limit = max(limit - CALL_OVERHEAD, 2)
    match message:
        case UserMessage(text):
            return UserMessage(tokenizer.cut(text, limit))
        case AssistantMessage(text):
            return AssistantMessage(tokenizer.cut(text, limit))
        case CodeMessage(_, code, output):
            code = tokenizer.cut(code, limit // 2)
            rest = max(limit - tokenizer.count(code), 2)
            return replace(message, code=code, output=output and tokenizer.cut(output, rest))
