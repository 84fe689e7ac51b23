"""A model that is asked over HTTP: one reply, with retries, usage and errors."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from oi_daemon.errors import ConnectionLostError, ModelError
from oi_daemon.logs import redact
from oi_daemon.messages import Message
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model import pictures
from oi_daemon.model.access import ServerAccess
from oi_daemon.model.backend import Backend, ReplyReader, RequestContent
from oi_daemon.model.buffered import BufferedStream
from oi_daemon.model.chat import ChatBackend
from oi_daemon.model.dialects.parts import ReplyPart
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.failures import Failure, explain, failure
from oi_daemon.model.prices import TokenCounts, price
from oi_daemon.model.request import ModelRequest
from oi_daemon.model.tokens import estimate, tokenizer
from oi_daemon.settings import Settings

logger = logging.getLogger(__package__)


class ServerModel:
    """A `conversation.turn.Model`, made for one turn and its settings.

    Making one costs nothing: connections, and what is known about servers, are `ServerAccess`'s.
    """

    def __init__(
        self,
        settings: Settings,
        access: ServerAccess,
        *,
        languages: Sequence[str],
        is_language: Callable[[str], bool],
    ) -> None:
        """
        Args:
            languages: see `Models`; so is `is_language`.
        """
        self._settings = settings
        self._access = access
        self._languages = languages
        self._is_language = is_language
        self._unfinished: _Attempt | None = None
        """The request that was sent and whose usage has not been reported yet."""

    async def reply(
        self, messages: Sequence[Message]
    ) -> AsyncGenerator[ReplyPart | Quote | Usage, None]:
        """See `conversation.turn.Model.reply`. `Usage` comes last, or just before an error."""
        request = self._request(await self._access.endpoint(self._settings))
        while True:
            attempt = await self._attempt(request, messages)
            logger.debug("request: %s, %s", request.style, attempt)
            async with aclosing(self._batches(attempt)) as batches:
                async for parts in batches:
                    for part in parts:
                        yield part
            if not attempt.failed or attempt.reader.written:
                break
            self._unfinished = None
            if not await request.adjust(attempt.failed):
                raise await self._error(attempt.failed, request.endpoint)
        for part in attempt.reader.finish():
            yield part
        self._unfinished = None
        yield self._usage(attempt)
        if not attempt.reader.complete:
            raise _cut_off(attempt)

    def unfinished(self) -> Usage | None:
        """See `conversation.turn.Model.unfinished`."""
        attempt, self._unfinished = self._unfinished, None
        return None if attempt is None else self._usage(attempt)

    def _request(self, endpoint: Endpoint) -> ModelRequest:
        return ModelRequest(
            self._settings,
            endpoint,
            self._access.capabilities(endpoint),
            languages=self._languages,
            retry_delays=self._access.retry_delays,
        )

    async def _attempt(self, request: ModelRequest, messages: Sequence[Message]) -> "_Attempt":
        """Return the request in the form in which it is sent now."""
        backend: Backend = ChatBackend()  # the only one as yet
        content = await request.content(messages)
        return _Attempt(content, backend, backend.reader(self._is_language))

    async def _batches(
        self, attempt: "_Attempt"
    ) -> AsyncGenerator[Sequence[ReplyPart | Quote], None]:
        """Send the request; yield what streams, in the batches in which it arrives.

        A failure of the server or the network is not raised but kept in `attempt.failed`.
        """
        if quote := await self._quote(attempt):
            yield [quote]
        self._unfinished = attempt
        endpoint, reader = attempt.endpoint, attempt.reader
        timeout = self._access.read_timeout(self._settings, endpoint)
        stream = self._access.connections.stream(endpoint, attempt.payload, timeout)
        try:
            async with BufferedStream(stream) as pieces:
                async for data in pieces:
                    yield reader.feed(data)
            yield reader.end()
        except Exception as error:
            failed = failure(error)
            if failed is None:
                raise
            attempt.failed = replace(failed, text=redact(failed.text, endpoint.secret))
            logger.debug("failed: %s", attempt.failed)

    def _usage(self, attempt: "_Attempt") -> Usage:
        """Return what the request used: as the server counted it, or else an estimate."""
        endpoint, reader = attempt.endpoint, attempt.reader
        counts = reader.counts
        if counts and attempt.counted is not None:
            overhead = max(0, counts.input_tokens - attempt.counted)
            self._access.capabilities(endpoint).overhead_tokens = overhead
        counts = counts or TokenCounts(attempt.estimate(), (reader.written + 3) // 4)
        cost = self._price(counts, endpoint)
        usage = Usage(counts.input_tokens, counts.output_tokens, cost)
        logger.debug("reply: %s, %.3f s", usage, time.monotonic() - attempt.started)
        return usage

    def _price(self, counts: TokenCounts, endpoint: Endpoint) -> float | None:
        """Return US dollars; None if the price is not known. A model on this machine is free."""
        free = self._settings.local or endpoint.compact
        return 0.0 if free else price(counts, endpoint.model, endpoint.api_base)

    async def _quote(self, attempt: "_Attempt") -> Quote | None:
        """Return what the request costs; None without `max_budget`, which alone needs it."""
        settings, endpoint = self._settings, attempt.endpoint
        if settings.max_budget is None:
            return None
        if self._price(TokenCounts(1, 1), endpoint) is None:
            return Quote(endpoint.model, None)
        counted = await asyncio.to_thread(tokenizer(endpoint.model).count, attempt.conversation())
        attempt.counted = counted + attempt.picture_tokens()
        tokens = attempt.counted + self._access.capabilities(endpoint).overhead_tokens
        most = None
        if settings.max_tokens is not None:
            most = self._price(TokenCounts(tokens, settings.max_tokens), endpoint)
        return Quote(endpoint.model, self._price(TokenCounts(tokens, 0), endpoint), most)

    async def _error(self, failed: Failure, endpoint: Endpoint) -> ModelError:
        """Return the error for a person, with what only the server or its process can tell."""
        if failed.status is None and (death := await self._access.local.failure(endpoint)):
            return death
        names: list[str] = []
        if failed.unknown_model:
            names = await self._access.connections.model_names(endpoint)
        return explain(failed, model=endpoint.model, api_base=endpoint.api_base, models=names)


class _Attempt:
    """One request as it was sent, and what came of it."""

    def __init__(self, content: RequestContent, backend: Backend, reader: ReplyReader) -> None:
        self.content = content
        self.backend = backend
        self.reader = reader
        self.payload = backend.payload(content)
        self.failed: Failure | None = None
        """Why the request failed; None while it has not."""
        self.counted: int | None = None
        """Tokens of the conversation and its pictures, if they were counted."""
        self.started = time.monotonic()

    @property
    def endpoint(self) -> Endpoint:
        """Where the request goes."""
        return self.content.endpoint

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

    def __str__(self) -> str:
        count = len(self.content.messages)
        return f"{self.endpoint.model}, {count} messages, about {self.estimate()} tokens"


def _cut_off(attempt: _Attempt) -> ModelError:
    """Return the error that says why a reply that had begun is not complete."""
    match attempt.failed, attempt.reader.finish_reason:
        case None, "length":
            return ModelError(_LENGTH)
        case None, "content_filter":
            return ModelError(_FILTERED)
        case None, _:
            return ModelError(_TRUNCATED)
        case failed, _:
            error = ConnectionLostError if failed.status is None else ModelError
            return error(_BROKEN.format(text=failed.text.rstrip(".")))


_CODE = " Code that was not complete is not run. Say `continue` to go on."
_LENGTH = (
    "The model's answer was cut off: it reached max_tokens, or the end of the context window."
    " Raise max_tokens, or take the setting away." + _CODE
)
_FILTERED = "The server's content filter cut the model's answer off." + _CODE
_TRUNCATED = "The server ended the model's answer in the middle." + _CODE
_BROKEN = "The model's answer broke off: {text}. What came until then is kept." + _CODE
