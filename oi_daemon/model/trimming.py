"""Selects the part of a conversation that fits into the context window.

The oldest messages are left out first, and whole: a block of code and its output are one message.
The latest user message always stays, and a message larger than the window is cut. Counting is
slow, so call it off the loop; `tokens` remembers the counts, which makes later turns cheap.
"""

from collections.abc import Sequence
from dataclasses import replace

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.dialects.requests import readable
from oi_daemon.model.tokens import OUTPUT_LEFT_OUT, Tokenizer

MESSAGE_OVERHEAD = 8
"""Tokens that a message costs besides its text."""
CALL_OVERHEAD = 24
"""Tokens that a call of `execute` and its result cost besides code and output."""
DISPLAY_OVERHEAD = 24
"""Tokens that the line in place of a display costs."""


def surely_fits(messages: Sequence[Message], room: int, max_output: int) -> bool:
    """Return whether nothing has to be cut, judged without counting tokens.

    False means that this is unknown.
    """
    if any(isinstance(m, CodeMessage) and _at_most(m.output or "") > max_output for m in messages):
        return False
    return sum(map(_message_at_most, messages)) <= room


def trim(
    messages: Sequence[Message], *, room: int, max_output: int, tokenizer: Tokenizer
) -> list[Message]:
    """Return the messages that fit into `room` tokens, as the model is to read them."""
    asked = max((i for i, m in enumerate(messages) if isinstance(m, UserMessage)), default=-1)
    newest = len(messages) - 1
    kept: dict[int, Message] = {}
    for index in dict.fromkeys(i for i in (asked, newest) if i >= 0):
        message = _with_short_output(messages[index], max_output, tokenizer)
        kept[index] = _cut(message, room // 2, tokenizer)
        room -= _size(kept[index], tokenizer)
    for index in range(newest - 1, -1, -1):
        if index in kept:
            continue
        message = _with_short_output(messages[index], max_output, tokenizer)
        room -= _size(message, tokenizer)
        if room < 0:
            break
        kept[index] = message
    return [kept[index] for index in sorted(kept)]


def _message_at_most(message: Message) -> int:
    """Return a number of tokens that the message does not exceed, without counting."""
    match message:
        case UserMessage(text) | AssistantMessage(text):
            return _at_most(text) + MESSAGE_OVERHEAD
        case CodeMessage(_, code, output):
            displays = len(message.displays) * DISPLAY_OVERHEAD
            return _at_most(code) + _at_most(output or "") + CALL_OVERHEAD + displays


def _at_most(text: str) -> int:
    """Return the most tokens that the text can have: one for each byte of UTF-8."""
    return len(text) if text.isascii() else 4 * len(text)


def _size(message: Message, tokenizer: Tokenizer) -> int:
    """Return the tokens that the message costs."""
    match message:
        case UserMessage(text) | AssistantMessage(text):
            return tokenizer.count(text) + MESSAGE_OVERHEAD
        case CodeMessage(_, code, output):
            displays = len(message.displays) * DISPLAY_OVERHEAD
            return tokenizer.count(code) + tokenizer.count(output or "") + CALL_OVERHEAD + displays


def _with_short_output(message: Message, max_output: int, tokenizer: Tokenizer) -> Message:
    """Return the message with its output cut to `max_output` tokens and without escape codes."""
    if not isinstance(message, CodeMessage) or not message.output:
        return message
    output = message.output
    if "\x1b" in output:
        output = readable(output)
    output = tokenizer.cut(output, max_output, OUTPUT_LEFT_OUT)
    return message if output is message.output else replace(message, output=output)


def _cut(message: Message, limit: int, tokenizer: Tokenizer) -> Message:
    """Return the message, cut to about `limit` tokens if it has more."""
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
            return replace(
                message, code=code, output=output and tokenizer.cut(output, rest, OUTPUT_LEFT_OUT)
            )
