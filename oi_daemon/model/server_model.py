"""A model that is asked over HTTP: one reply, with retries, usage and errors."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from oi_daemon.errors import ConnectionLostError, ModelError
from oi_daemon.logs import redact
from oi_daemon.messages import CodeMessage, Executing, Message, MessageChunk, NoticeChunk
from oi_daemon.messages.text import without_controls
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model import pictures
from oi_daemon.model.access import ServerAccess
from oi_daemon.model.apis import Api
from oi_daemon.model.backend import Backend, ReplyReader, RequestContent
from oi_daemon.model.background import stream_in_background
from oi_daemon.model.buffered import BufferedStream
from oi_daemon.model.chat import ChatBackend
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.environment import Environment
from oi_daemon.model.explanations import explain
from oi_daemon.model.failures import Failure, failure
from oi_daemon.model.limits import LONGEST_BUSY, MAX_ERROR_TEXT, MAX_MALFORMED_CALLS
from oi_daemon.model.loading import locating
from oi_daemon.model.prices import TokenCounts, predecessor, price
from oi_daemon.model.provider import stamp
from oi_daemon.model.request import ModelRequest, retry_reason
from oi_daemon.model.responses import ResponsesBackend
from oi_daemon.model.summariser import Summariser
from oi_daemon.model.tokens import estimate, tokenizer
from oi_daemon.settings import Settings

logger = logging.getLogger(__package__)

_BACKENDS: dict[Api, Backend] = {"chat": ChatBackend(), "responses": ResponsesBackend()}

MOST_REPEATS = 2
"""Most blocks in a turn that a small model may write again; one more ends the turn."""


class ServerModel:
    """A `conversation.collaborators.Model`, made for one turn and its settings.

    Making one costs nothing: connections, and what is known about servers, are `ServerAccess`'s.
    """

    def __init__(
        self,
        settings: Settings,
        access: ServerAccess,
        *,
        environment: Environment,
        languages: Sequence[str],
        is_language: Callable[[str], bool],
    ) -> None:
        """
        Args:
            environment: see `Models.model`.
            languages: see `Models`; so is `is_language`.
        """
        self._settings = settings
        self._access = access
        self._environment = environment
        self._languages = languages
        self._is_language = is_language
        self._unfinished: _Attempt | None = None
        """The request that was sent and whose usage has not been reported yet."""
        self._malformed: list[MalformedCall] = []
        """Calls of the latest reply that could not be read."""
        self._summariser = Summariser()
        self._latest: _Attempt | None = None
        """The latest request that was sent."""
        self._repeats = 0
        """How many blocks were not run because they had run before."""
        self._left_out = 0
        """How many messages the latest request left out."""
        self._corrections = 0
        """Number of replies in this turn that had unreadable calls."""

    async def reply(
        self, messages: Sequence[Message], dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[ReplyPart | NoticeChunk | Quote | Usage, None]:
        """See `collaborators.Model.reply`. `Usage` comes last, or just before an error."""
        async with locating(self._access, self._settings) as location:
            if loading := await location.notice():
                yield loading
            request = await self._request(await location.endpoint())
        ask = partial(self._text_only, dollars_left=dollars_left)
        async with aclosing(self._summariser.if_full(request, messages, ask)) as summary:
            async for part in summary:
                yield part
        messages = self._summariser.with_summary(messages)
        while True:
            repeated: object = None
            attempts = partial(self._attempt, request, messages)
            async with aclosing(self._exchange(request, attempts, dollars_left)) as parts:
                async for answered in parts:
                    if request.is_repeat(answered, messages):
                        repeated = answered
                    else:
                        yield answered
            if isinstance(repeated, Executing):
                self._repeats += 1
                if self._repeats > MOST_REPEATS:
                    yield MessageChunk(_REPEATS)
                    return
                messages = [*messages, CodeMessage(repeated.language, repeated.code)]
                yield NoticeChunk("model", _REPEATED)
                continue
            attempt = self._latest
            assert attempt is not None
            if notice := self._correct(attempt) or attempt.empty_notice():
                yield notice
            if attempt.executed or not self._malformed:
                return

    async def compact(
        self, messages: Sequence[Message], dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[ReplyPart | NoticeChunk | Quote | Usage, None]:
        """See `collaborators.Model.compact`."""
        ask = partial(self._text_only, dollars_left=dollars_left)
        request = await self._request(await self._access.endpoint(self._settings))
        async with aclosing(self._summariser.now(request, messages, ask)) as parts:
            async for part in parts:
                yield part

    def _text_only(
        self,
        request: ModelRequest,
        content: RequestContent,
        dollars_left: Callable[[], float | None],
    ) -> AsyncGenerator[ReplyPart | NoticeChunk | Quote | Usage, None]:
        """Send a request that asks for text, in whose answer no fence is code."""

        async def attempt() -> _Attempt:
            backend = _BACKENDS[request.api]
            return _Attempt(content, backend, backend.reader(content, lambda word: False))

        return self._exchange(request, attempt, dollars_left)

    async def _exchange(
        self,
        request: ModelRequest,
        attempts: Callable[[], Awaitable["_Attempt"]],
        dollars_left: Callable[[], float | None],
    ) -> AsyncGenerator[ReplyPart | NoticeChunk | Quote | Usage, None]:
        """Send a request, again after each failure that may pass, and yield its answer.

        Args:
            attempts: makes the request as it will be sent. The last one is kept as `_latest`.

        Raises:
            ModelError: no answer came, or it is not complete.
        """
        while True:
            attempt = self._latest = await self._affordable(request, attempts, dollars_left())
            if notice := self._trimmed(attempt, request):
                yield notice
            logger.debug("request: %s, %s, by %s", request.style, attempt, request.api)
            async with aclosing(self._answer(attempt, dollars_left)) as parts:
                async for part in parts:
                    yield part
            if attempt.failed and not attempt.reader.written:
                self._unfinished = None
                if wait := await self._seconds_to_wait(request, attempt.failed):
                    yield NoticeChunk("retry", retry_reason(attempt.failed), wait)
                    await asyncio.sleep(wait)
                if name := request.dropped_setting():
                    yield NoticeChunk("model", _DROPPED.format(request.endpoint.model, name))
                continue
            for part in attempt.reader.finish():
                yield attempt.accept(part)
            self._unfinished = None
            yield self._usage(attempt)
            if not attempt.reader.complete:
                raise _cut_off(attempt)
            return

    async def _affordable(
        self,
        request: ModelRequest,
        attempts: Callable[[], Awaitable["_Attempt"]],
        dollars_left: float | None,
    ) -> "_Attempt":
        """Return the request as it will be sent, in brief if more than that costs too much."""
        attempt = await attempts()
        if dollars_left is None:
            return attempt
        attempt.quote = await self._quote(attempt)
        least = attempt.quote.input_cost if attempt.quote.most is None else attempt.quote.most
        if least is None or least <= dollars_left or request.brief:
            return attempt
        request.brief = True
        return await attempts()

    def _trimmed(self, attempt: "_Attempt", request: ModelRequest) -> NoticeChunk | None:
        """Return a notice if more messages are left out than in the turn's request before."""
        left_out, before = attempt.content.left_out, self._left_out
        self._left_out = left_out
        if left_out <= before:
            return None
        return NoticeChunk("trimmed", _TRIMMED.format(count=left_out, window=request.window))

    async def _seconds_to_wait(self, request: ModelRequest, failed: Failure) -> float:
        """Change the request after a failure; return the seconds to wait before the next try.

        Raises:
            ModelError: another try is of no use.
        """
        wait = request.adjust(failed)
        if wait is None:
            raise await self._error(failed, request.endpoint)
        return wait

    def _correct(self, attempt: "_Attempt") -> NoticeChunk | None:
        """Remember the reply's calls that could not be read, for the next request.

        Raises:
            ModelError: the model made unreadable calls too often in this turn.
        """
        self._malformed = list(attempt.reader.malformed)
        if not self._malformed:
            return None
        self._corrections += 1
        if self._corrections > MAX_MALFORMED_CALLS:
            raise ModelError(_MALFORMED.format(count=self._corrections))
        unknown = all(call.unknown_tool for call in self._malformed)
        return NoticeChunk("model", _NO_SUCH_TOOL if unknown else _CORRECTED)

    def unfinished(self) -> Usage | None:
        """See `collaborators.Model.unfinished`."""
        attempt, self._unfinished = self._unfinished, None
        return None if attempt is None else self._usage(attempt)

    async def _request(self, endpoint: Endpoint) -> ModelRequest:
        """Return a request to the endpoint, whose context window is known as far as can be."""
        await self._access.learn_window(self._settings, endpoint)
        return ModelRequest(
            self._settings,
            endpoint,
            self._access.capabilities(endpoint),
            environment=self._environment,
            languages=self._languages,
            retry_delays=self._access.retry_delays,
        )

    async def _attempt(self, request: ModelRequest, messages: Sequence[Message]) -> "_Attempt":
        """Return the request as it will be sent, with a new reader for its answer."""
        backend = _BACKENDS[request.api]
        content = await request.content(messages, self._malformed)
        return _Attempt(content, backend, backend.reader(content, self._is_language))

    async def _answer(
        self, attempt: "_Attempt", dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[ReplyPart | Quote, None]:
        """Send the request and yield the parts of its answer as they arrive.

        A failure of the server or the network is not raised but kept in `attempt.failed`.
        """
        if dollars_left() is not None:
            yield attempt.quote or await self._quote(attempt)
        self._unfinished = attempt
        endpoint = attempt.endpoint
        timeout = self._access.read_timeout(self._settings, endpoint)
        connections, payload = self._access.connections, attempt.payload
        if payload.get("background"):
            stream = stream_in_background(connections, endpoint, payload, timeout)
        else:
            stream = connections.stream(endpoint, attempt.backend.path, payload, timeout)
        try:
            async with (
                BufferedStream(stream) as pieces,
                aclosing(_parsed(attempt.reader, pieces)) as batches,
            ):
                async for parts in batches:
                    for part in parts:
                        yield attempt.accept(part)
        except Exception as error:
            failed = failure(error)
            if failed is None:
                raise
            text = without_controls(redact(failed.text, endpoint.secret))
            attempt.failed = replace(failed, text=text[:MAX_ERROR_TEXT])
            logger.debug("failed: %s", attempt.failed)

    def _usage(self, attempt: "_Attempt") -> Usage:
        """Return what the request used: as the server counted it, or else an estimate."""
        endpoint, reader = attempt.endpoint, attempt.reader
        counts = reader.counts
        if counts and attempt.counted is not None:
            overhead = max(0, counts.input_tokens - attempt.counted)
            self._access.capabilities(endpoint).overhead_tokens = overhead
        counts = counts or TokenCounts(attempt.estimate(), (reader.written + 3) // 4)
        usage = Usage(counts.input_tokens, counts.output_tokens, *self._price(counts, endpoint))
        seconds = time.monotonic() - attempt.started
        logger.debug("reply: %s, %s, %.3f s", usage, counts, seconds)
        return usage

    def _price(self, counts: TokenCounts, endpoint: Endpoint) -> tuple[float | None, bool]:
        """Return US dollars, None if the price is not known, and whether that is only about right.

        A model on this machine is free. An unknown version costs about what the one before it does.
        """
        if self._settings.local or endpoint.compact:
            return 0.0, False
        known = price(counts, endpoint.model, endpoint.api_base)
        if known is not None:
            return known, False
        earlier = predecessor(endpoint.model)
        about = price(counts, earlier, endpoint.api_base) if earlier else None
        return about, about is not None

    async def _quote(self, attempt: "_Attempt") -> Quote:
        """Return what the request costs."""
        settings, endpoint = self._settings, attempt.endpoint
        tier = settings.service_tier
        if self._price(TokenCounts(1, 1), endpoint)[0] is None:
            return Quote(endpoint.model, None)
        count = tokenizer(endpoint.model).count
        counted = await asyncio.to_thread(count, attempt.conversation())
        attempt.counted = counted + attempt.picture_tokens()
        overhead = self._access.capabilities(endpoint).overhead_tokens
        if len(attempt.content.messages) == 1:  # no answer has taught us the overhead yet
            instructions = await asyncio.to_thread(count, attempt.content.system)
            overhead = max(overhead, instructions)
        tokens = attempt.counted + overhead
        most = None
        if settings.max_tokens is not None:
            counts = TokenCounts(tokens, settings.max_tokens, service_tier=tier)
            most, _ = self._price(counts, endpoint)
        cost, _ = self._price(TokenCounts(tokens, 0, service_tier=tier), endpoint)
        return Quote(endpoint.model, cost, most)

    async def _error(self, failed: Failure, endpoint: Endpoint) -> ModelError:
        """Return the error for a person.

        It also says why our own model server ended, or which models the server has, if that helps.
        """
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
        self.executed = False
        """Whether the reply held a complete block of code."""
        self.answered = False
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
        """Take a part of the reply: the data to send back with a block names its endpoint."""
        self.answered |= isinstance(part, MessageChunk) and not part.text.isspace()
        if not isinstance(part, Executing):
            return part
        self.executed = True
        if part.provider is None:
            return part
        return replace(part, provider=stamp(part.provider, self.endpoint))

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
        if self.answered or self.executed:
            return None
        return NoticeChunk("model", _EMPTY)

    def __str__(self) -> str:
        count = len(self.content.messages)
        return f"{self.endpoint.model}, {count} messages, about {self.estimate()} tokens"


async def _parsed(
    reader: ReplyReader, pieces: BufferedStream
) -> AsyncGenerator[list[ReplyPart], None]:
    """Yield the parts of an answer in batches, to its end.

    The loop gets its turn every few milliseconds, however fast the server sends.
    """
    paused = time.monotonic()
    async for data in pieces:
        for parts in reader.feed(data):
            if parts:
                yield parts
            if time.monotonic() - paused > LONGEST_BUSY:
                await asyncio.sleep(0)
                paused = time.monotonic()
        if time.monotonic() - paused > LONGEST_BUSY:
            await asyncio.sleep(0)
            paused = time.monotonic()
    for parts in reader.end():
        yield parts


def _cut_off(attempt: _Attempt) -> ModelError:
    """Return the error that says why a reply that had begun is not complete."""
    match attempt.failed, (attempt.reader.finish_reason or "").lower():
        case None, "length" | "max_tokens":
            return ModelError(_LENGTH)
        case None, "content_filter":
            return ModelError(_FILTERED)
        case None, "":
            return ModelError(_TRUNCATED)
        case None, reason:
            return ModelError(_STOPPED.format(reason=reason[:60]))
        case failed, _:
            lost = failed.status is None and not failed.limit
            error = ConnectionLostError if lost else ModelError
            return error(_BROKEN.format(text=failed.text.rstrip(".")))


_CODE = " Code that was not complete is not run. Say `continue` to go on."
_LENGTH = (
    "The model's answer was cut off: it reached max_tokens, or the end of the context window."
    " Raise max_tokens, or take the setting away." + _CODE
)
_FILTERED = "The server's content filter cut the model's answer off." + _CODE
_TRUNCATED = "The server ended the model's answer in the middle." + _CODE
_STOPPED = "The server stopped the model's answer in the middle (its reason: {reason})." + _CODE
_TRIMMED = (
    "The model does not get the oldest {count} messages, because they do not fit its context window"
    " ({window:,} tokens)."
)
_REPEATED = "The model wrote the same code again: it was not run, and the model is asked again."
_REPEATS = "The model writes the same code again and again. Say in other words what you want."
_CORRECTED = (
    "The model's call could not be read, so nothing of it was run: the model is asked again."
)
_DROPPED = "{} does not take the setting {} as it is set: the request goes on without it."
_NO_SUCH_TOOL = "The model called a tool that does not exist: it is told so, and asked again."
_EMPTY = "The model's answer is empty. Say `continue`, ask in other words, or choose another model."
_MALFORMED = (
    "The model made {count} calls that could not be read, and none of them was run. Say it in other"
    " words, choose another model, or set tool_style to markdown."
)
_BROKEN = "The model's answer broke off: {text}. What came until then is kept." + _CODE
