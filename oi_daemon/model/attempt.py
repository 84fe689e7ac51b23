"""One request to a model as it is sent, and what comes of it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING

from oi_daemon.errors import ConnectionLostError, ModelError
from oi_daemon.messages import Executing, MessageChunk, NoticeChunk
from oi_daemon.model import pictures
from oi_daemon.model.backend import Backend, ReplyReader, RequestContent
from oi_daemon.model.buffered_stream import BufferedStream
from oi_daemon.model.dialects.parts import ReplyPart
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.limits import LONGEST_BUSY
from oi_daemon.model.provider import stamp
from oi_daemon.model.tokens import estimate

if TYPE_CHECKING:
    from oi_daemon.messages.usage import Quote
    from oi_daemon.model.failures import Failure


class Attempt:
    """One request as it was sent, and what came of it."""

    def __init__(self, content: RequestContent, backend: Backend, reader: ReplyReader) -> None:
        self.content = content
        self.backend = backend
        self.reader = reader
        self.payload = backend.payload(content)
        """The request's body."""
        self.failed: Failure | None = None
        """Why the request failed; None while it has not."""
        self.has_code = False
        """Whether the reply held a complete block of code."""
        self.has_words = False
        """Whether the reply held a word for the person."""
        self.quote: Quote | None = None
        """What the request costs, if it is known already."""
        self.counted: int | None = None
        """Tokens of the conversation and its pictures, if they were counted."""
        self.started = time.monotonic()

    @property
    def endpoint(self) -> Endpoint:
        """Where the request goes."""
        return self.content.endpoint

    def accept(self, part: ReplyPart) -> ReplyPart:
        """Take a part of the reply: the data to send back with it names its endpoint."""
        if not isinstance(part, Executing | MessageChunk):
            return part
        if isinstance(part, Executing):
            self.has_code = True
        elif part.provider is None:
            self.has_words |= not part.text.isspace()
        if part.provider is None:
            return part
        return replace(part, provider=stamp(part.provider, self.endpoint))

    async def batches(self, pieces: BufferedStream) -> AsyncGenerator[list[ReplyPart], None]:
        """Yield the parts of an answer in batches, to its end.

        The loop gets its turn every few milliseconds, however fast the server sends.
        """
        paused = time.monotonic()
        async for data in pieces:
            for parts in self.reader.feed(data):
                if parts:
                    yield parts
                if time.monotonic() - paused > LONGEST_BUSY:
                    await asyncio.sleep(0)
                    paused = time.monotonic()
            if time.monotonic() - paused > LONGEST_BUSY:
                await asyncio.sleep(0)
                paused = time.monotonic()
        for parts in self.reader.end():
            yield parts

    def conversation(self) -> str:
        """Return the text of the request without the instructions and without pictures."""
        return self.backend.text(self.payload, instructions=False)

    def picture_tokens(self) -> int:
        """Return about how many tokens the request's pictures cost."""
        return len(self.content.pictures) * pictures.TOKENS

    def estimate(self) -> int:
        """Return about how many tokens the request has."""
        text = self.backend.text(self.payload, instructions=True)
        return estimate(text) + self.picture_tokens()

    def empty_notice(self) -> NoticeChunk | None:
        """Return what a person should know if the model has ended without an answer."""
        if self.has_words or self.has_code:
            return None
        return NoticeChunk("model", _EMPTY)

    def cut_off(self) -> ModelError:
        """Return the error that says why a reply that had begun is not complete."""
        match self.failed, (self.reader.finish_reason or "").lower():
            case None, "length" | "max_tokens":
                return ModelError(_LENGTH)
            case None, "content_filter":
                return ModelError(_FILTERED)
            case None, "":
                return ModelError(_TRUNCATED)
            case None, reason:
                return ModelError(_STOPPED.format(reason=reason[:60]))
            case failed, _:
                lost = failed.status is None and not failed.exceeds_limit
                error = ConnectionLostError if lost else ModelError
                return error(_BROKEN.format(text=failed.text.rstrip(".")))

    def __str__(self) -> str:
        count = len(self.content.messages)
        return f"{self.endpoint.model}, {count} messages, about {self.estimate()} tokens"


_CODE = " Code that was not complete is not run. Say `continue` to go on."
_LENGTH = (
    "The model's answer was cut off: it reached max_tokens, or the end of the context window."
    " Raise max_tokens, or take the setting away." + _CODE
)
_FILTERED = "The server's content filter cut the model's answer off." + _CODE
_TRUNCATED = "The server ended the model's answer in the middle." + _CODE
_STOPPED = "The server stopped the model's answer in the middle (its reason: {reason})." + _CODE
_BROKEN = "The model's answer broke off: {text}. What came until then is kept." + _CODE
_EMPTY = "The model's answer is empty. Say `continue`, ask in other words, or choose another model."
