"""Selects the part of a conversation that fits into the context window.

The oldest messages are left out first, and whole: a block of code and its output are one message.
Many are left out at once, so that the next requests begin with the same messages, which servers
keep in a cache. The latest user message always stays, and a message larger than the window is cut.
Counting is slow, so call it off the loop; `tokens` remembers the counts, which makes later turns
cheap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.dialects.block_text import readable
from oi_daemon.model.provider import data_tokens
from oi_daemon.model.tokens import OUTPUT_LEFT_OUT, Tokenizer

FILLED = 0.55
"""The share of the room that is used after messages were left out."""
COUNTED_CHARACTERS = 4_000_000
"""Characters above which a conversation is not counted to find its beginning, but estimated."""
MESSAGE_OVERHEAD = 8
"""Tokens that a message costs besides its text."""
CALL_OVERHEAD = 24
"""Tokens that a call of `execute` and its result cost besides code and output."""
DISPLAY_OVERHEAD = 24
"""Tokens that the line in place of a display costs."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The messages that are kept."""

    messages: Sequence[Message]
    left_out: int
    """How many were left out."""


def surely_fits(messages: Sequence[Message], room: int, max_output: int) -> bool:
    """Return whether nothing has to be cut, judged without counting tokens.

    False means that this is unknown.
    """
    if any(isinstance(m, CodeMessage) and _at_most(m.output or "") > max_output for m in messages):
        return False
    return sum(map(_message_at_most, messages)) <= room


def trim(
    messages: Sequence[Message], *, room: int, max_output: int, tokenizer: Tokenizer
) -> "Trimmed":
    """Return the messages that fit into `room` tokens, as the model is to read them.

    What is left out depends on the messages up to the overflow only: it is the same for a longer
    conversation until that has filled the room again.
    """
    sizes = [min(size, room // 2) for size in sizes_of(messages, max_output, tokenizer)]
    start = _start(sizes, room)
    asked = max((i for i, m in enumerate(messages) if isinstance(m, UserMessage)), default=-1)
    if 0 <= asked < start:
        start = _start(sizes, room - sizes[asked])
    while True:
        indices = [*([asked] if 0 <= asked < start else []), *range(start, len(messages))]
        shown = [_with_short_output(messages[i], max_output, tokenizer) for i in indices]
        kept = [_cut(message, room // 2, tokenizer) for message in shown]
        if sum(_size(message, tokenizer) for message in kept) <= room or start >= len(messages) - 1:
            return Trimmed(kept, len(messages) - len(kept))
        start += 1


def sizes_of(messages: Sequence[Message], max_output: int, tokenizer: Tokenizer) -> list[int]:
    """Return about how many tokens each of the messages costs with its output cut."""
    if sum(map(_characters, messages)) > COUNTED_CHARACTERS:
        return list(map(_rough_size, messages))
    return [_shown_size(message, max_output, tokenizer) for message in messages]


def _start(sizes: Sequence[int], room: int) -> int:
    """Return the index of the first message that is kept.

    Messages are added one after the other. Whenever they exceed the room, the oldest are left out
    until the others fill only the share `FILLED` of it.
    """
    start = total = 0
    for end, size in enumerate(sizes):
        total += size
        if total > room:
            while start < end and total > room * FILLED:
                total -= sizes[start]
                start += 1
    return start


def _characters(message: Message) -> int:
    """Return how many characters the message has."""
    if isinstance(message, CodeMessage):
        return len(message.code) + len(message.output or "")
    return len(message.message)


def _rough_size(message: Message) -> int:
    """Return about how many tokens the message costs, without counting."""
    further = data_tokens(message) if isinstance(message, CodeMessage) else 0
    return _characters(message) // 3 + CALL_OVERHEAD + further


def _shown_size(message: Message, max_output: int, tokenizer: Tokenizer) -> int:
    """Return the tokens that the message costs with its output cut."""
    return _size(_with_short_output(message, max_output, tokenizer), tokenizer)


def _message_at_most(message: Message) -> int:
    """Return a number of tokens that the message does not exceed, without counting."""
    match message:
        case AssistantMessage(text, provider) if provider:
            return data_tokens(message) + MESSAGE_OVERHEAD
        case UserMessage(text, shown):
            return _at_most(text) + MESSAGE_OVERHEAD + len(shown) * DISPLAY_OVERHEAD
        case AssistantMessage(text):
            return _at_most(text) + MESSAGE_OVERHEAD
        case CodeMessage(_, code, output):
            displays = len(message.displays) * DISPLAY_OVERHEAD
            further = CALL_OVERHEAD + displays + data_tokens(message)
            return _at_most(code) + _at_most(output or "") + further


def _at_most(text: str) -> int:
    """Return the most tokens that the text can have: one for each byte of UTF-8."""
    return len(text) if text.isascii() else 4 * len(text)


def _size(message: Message, tokenizer: Tokenizer) -> int:
    """Return the tokens that the message costs."""
    match message:
        case AssistantMessage(text, provider) if provider:
            return data_tokens(message) + MESSAGE_OVERHEAD
        case UserMessage(text, shown):
            return tokenizer.count(text) + MESSAGE_OVERHEAD + len(shown) * DISPLAY_OVERHEAD
        case AssistantMessage(text):
            return tokenizer.count(text) + MESSAGE_OVERHEAD
        case CodeMessage(_, code, output):
            displays = len(message.displays) * DISPLAY_OVERHEAD
            further = CALL_OVERHEAD + displays + data_tokens(message)
            return tokenizer.count(code) + tokenizer.count(output or "") + further


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
    if isinstance(message, CodeMessage) and message.provider:
        return _cut(replace(message, provider=None), limit, tokenizer)
    limit = max(limit - CALL_OVERHEAD, 2)
    match message:
        case UserMessage(text):
            return replace(message, message=tokenizer.cut(text, limit))
        case AssistantMessage(text):
            return AssistantMessage(tokenizer.cut(text, limit))
        case CodeMessage(_, code, output):
            code = tokenizer.cut(code, limit // 2)
            rest = max(limit - tokenizer.count(code), 2)
            return replace(
                message, code=code, output=output and tokenizer.cut(output, rest, OUTPUT_LEFT_OUT)
            )
