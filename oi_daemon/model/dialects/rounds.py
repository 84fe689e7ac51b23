"""The rounds of a conversation: what was said, and the blocks of code that came with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.provider import NOTHING, provider_data


@dataclass(slots=True)
class _Round:
    """What was said, and the blocks of code that came with it in one reply."""

    spoken: UserMessage | AssistantMessage | None
    blocks: list[CodeMessage] = field(default_factory=list)


def rounds(
    messages: Sequence[Message], endpoint: Endpoint | None
) -> Iterator[tuple[UserMessage | AssistantMessage | None, Sequence[CodeMessage]]]:
    """Yield what was said and the code after it: each user's message, and each reply of the model.

    Blocks are one reply's if this endpoint has said so; else each is a reply of its own.
    """
    current: _Round | None = None
    for message in messages:
        if isinstance(message, CodeMessage) and current and _belongs(message, current, endpoint):
            current.blocks.append(message)
            continue
        if current:
            yield current.spoken, current.blocks
        current = _Round(None, [message]) if isinstance(message, CodeMessage) else _Round(message)
    if current:
        yield current.spoken, current.blocks


def _belongs(block: CodeMessage, before: _Round, endpoint: Endpoint | None) -> bool:
    """Return whether the block is part of the reply that the round before it holds."""
    if not before.blocks:
        return isinstance(before.spoken, AssistantMessage)
    data = provider_data(block, endpoint)
    return data.joined and provider_data(before.blocks[0], endpoint) is not NOTHING
