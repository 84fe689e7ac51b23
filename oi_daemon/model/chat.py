"""A `Model` that asks an OpenAI-compatible server: request, stream, chunks, usage."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from oi_daemon.errors import ConnectionLostError, ModelError
from oi_daemon.logs import redact
from oi_daemon.messages import Message
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model import pictures
from oi_daemon.model.asking import Asking
from oi_daemon.model.dialects.reply import Part, ReplyParser
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.failures import Failure, explain, failure
from oi_daemon.model.prices import price
from oi_daemon.model.resources import Resources
from oi_daemon.model.stream import Pump, WireUsage
from oi_daemon.model.tokens import estimate, tokenizer
from oi_daemon.settings import Settings

logger = logging.getLogger(__package__)


class ChatModel:
    """Answers by the settings of one turn. Cheap to make; what lasts belongs to `Resources`."""

    def __init__(
        self,
        settings: Settings,
        resources: Resources,
        *,
        languages: Sequence[str],
        is_language: Callable[[str], bool],
    ) -> None:
        """
        Args:
            languages: those that the model is told of.
            is_language: whether a word names a language, so that a fence with it is code.
        """
        self._settings = settings
        self._resources = resources
        self._languages = languages
        self._is_language = is_language
        self._open: _Attempt | None = None

    async def reply(
        self, messages: Sequence[Message]
    ) -> AsyncGenerator[Part | Quote | Usage, None]:
        """See `conversation.turn.Model.reply`. `Usage` comes last, before an error too."""
        asking = self._asking(await self._resources.endpoint(self._settings))
        while True:
            payload = await asking.payload(messages)
            attempt = _Attempt(asking.endpoint, payload, ReplyParser(self._is_language))
            logger.debug("request: %s, %s", asking.style, attempt)
            async with aclosing(self._batches(attempt)) as batches:
                async for parts in batches:
                    for part in parts:
                        yield part
            if not attempt.failed or attempt.parser.written:
                break
            self._open = None
            if not await asking.mend(attempt.failed):
                raise await self._explained(attempt.failed, asking.endpoint)
        for part in attempt.parser.finish():
            yield part
        self._open = None
        yield self._usage(attempt)
        if not attempt.parser.complete:
            raise _cut_off(attempt)

    def unfinished(self) -> Usage | None:
        """See `oi_daemon.conversation.turn.Model.unfinished`."""
        attempt, self._open = self._open, None
        return None if attempt is None else self._usage(attempt)

    def _asking(self, endpoint: Endpoint) -> Asking:
        return Asking(
            self._settings,
            endpoint,
            self._resources.learned(endpoint),
            languages=self._languages,
            delays=self._resources.delays,
        )

    async def _batches(self, attempt: "_Attempt") -> AsyncGenerator[Sequence[Part | Quote], None]:
        """What streams, in the batches in which it arrives. A failure is left in `attempt`."""
        if quote := await self._quote(attempt):
            yield [quote]
        self._open = attempt
        endpoint = attempt.endpoint
        timeout = self._resources.patience(self._settings, endpoint)
        stream = self._resources.connections.stream(endpoint, attempt.payload, timeout)
        try:
            async with Pump(stream) as batches:
                async for events in batches:
                    yield [part for event in events for part in attempt.parser.feed(event)]
        except Exception as error:
            failed = failure(error)
            if failed is None:
                raise
            attempt.failed = replace(failed, text=redact(failed.text, endpoint.secret))
            logger.debug("failed: %s", attempt.failed)

    def _usage(self, attempt: "_Attempt") -> Usage:
        """As the server counts; where it does not, about."""
        endpoint, parser = attempt.endpoint, attempt.parser
        if parser.usage and attempt.counted is not None:
            uncounted = (parser.usage.prompt_tokens or 0) - attempt.counted
            self._resources.learned(endpoint).uncounted = max(0, uncounted)
        told = parser.usage or WireUsage(
            prompt_tokens=attempt.estimate(),
            completion_tokens=(parser.written + 3) // 4,
        )
        cost = self._price(told, endpoint)
        usage = Usage(told.prompt_tokens or 0, told.completion_tokens or 0, cost)
        logger.debug("reply: %s, %.3f s", usage, time.monotonic() - attempt.started)
        return usage

    def _price(self, usage: WireUsage, endpoint: Endpoint) -> float | None:
        free = self._settings.local or endpoint.compact
        return 0.0 if free else price(usage, endpoint.model, endpoint.api_base)

    async def _quote(self, attempt: "_Attempt") -> Quote | None:
        """What the request may cost at most, where a budget asks for it and `max_tokens` tells."""
        settings, endpoint = self._settings, attempt.endpoint
        if settings.max_budget is None or settings.max_tokens is None:
            return None
        conversation, count = pictures.apart(attempt.payload["messages"][1:])
        counted = await asyncio.to_thread(tokenizer(endpoint.model).count, conversation)
        attempt.counted = counted + count * pictures.TOKENS
        tokens = attempt.counted + self._resources.learned(endpoint).uncounted
        most = WireUsage(prompt_tokens=tokens, completion_tokens=settings.max_tokens)
        cost = self._price(most, endpoint)
        return None if cost is None else Quote(cost)

    async def _explained(self, failed: Failure, endpoint: Endpoint) -> ModelError:
        if failed.status is None and (death := await self._resources.local.failure(endpoint)):
            return death
        offered: list[str] = []
        if failed.unknown_model:
            offered = await self._resources.connections.offered(endpoint)
        return explain(failed, model=endpoint.model, api_base=endpoint.api_base, models=offered)


class _Attempt:
    """One request as it was sent, and what came of it."""

    def __init__(self, endpoint: Endpoint, payload: dict[str, Any], parser: ReplyParser) -> None:
        self.endpoint = endpoint
        self.payload = payload
        self.parser = parser
        self.failed: Failure | None = None
        self.counted: int | None = None
        """Tokens of the conversation, where they were counted."""
        self.started = time.monotonic()

    def estimate(self) -> int:
        """About how many tokens the request has."""
        text, count = pictures.apart(self.payload["messages"])
        return estimate(text) + count * pictures.TOKENS

    def __str__(self) -> str:
        count = len(self.payload["messages"])
        return f"{self.payload['model']}, {count} messages, about {self.estimate()} tokens"


def _cut_off(attempt: _Attempt) -> ModelError:
    """Why a reply that had begun is not complete."""
    match attempt.failed, attempt.parser.finish_reason:
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
