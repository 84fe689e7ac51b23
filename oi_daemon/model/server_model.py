"""A model of a server or a client: one reply, with retries, usage and errors."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from oi_daemon.errors import ModelError
from oi_daemon.logs import redact
from oi_daemon.messages import CodeMessage, Executing, Message, MessageChunk, NoticeChunk
from oi_daemon.messages.text import without_controls
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model.access import ServerAccess
from oi_daemon.model.apis import Api
from oi_daemon.model.attempt import Attempt
from oi_daemon.model.backend import Backend, RequestContent
from oi_daemon.model.background import stream_in_background
from oi_daemon.model.buffered_stream import BufferedStream
from oi_daemon.model.chat import ChatBackend
from oi_daemon.model.costs import Costs
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.environment import Environment
from oi_daemon.model.explanations import explain
from oi_daemon.model.failures import Failure, failure
from oi_daemon.model.limits import MAX_ERROR_TEXT, MAX_MALFORMED_CALLS
from oi_daemon.model.loading import locating
from oi_daemon.model.local.embedded import OnLoad
from oi_daemon.model.request import ModelRequest, retry_reason
from oi_daemon.model.responses import ResponsesBackend
from oi_daemon.model.summariser import Summariser
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
        offered: Endpoint | None = None,
    ) -> None:
        """
        Args:
            environment: see `Models.model`.
            languages: see `Models`; so is `is_language`.
            offered: where the model is asked, if a client offers it; None for a server.
        """
        self._offered = offered
        self._settings = settings
        self._access = access
        self._costs = Costs(settings, access)
        self._environment = environment
        self._languages = languages
        self._is_language = is_language
        self._unfinished: Attempt | None = None
        """The request that was sent and whose usage has not been reported yet."""
        self._malformed: list[MalformedCall] = []
        """Calls of the latest reply that could not be read."""
        self._summariser = Summariser()
        self._latest: Attempt | None = None
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
        async with locating(self._endpoint) as location:
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
            if attempt.has_code or not self._malformed:
                return

    async def compact(
        self, messages: Sequence[Message], dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[ReplyPart | NoticeChunk | Quote | Usage, None]:
        """See `collaborators.Model.compact`."""
        ask = partial(self._text_only, dollars_left=dollars_left)
        request = await self._request(await self._endpoint())
        async with aclosing(self._summariser.now(request, messages, ask)) as parts:
            async for part in parts:
                yield part

    async def _endpoint(self, on_load: OnLoad | None = None) -> Endpoint:
        """Return where the model is asked. See `ServerAccess.endpoint`."""
        return self._offered or await self._access.endpoint(self._settings, on_load)

    def _text_only(
        self,
        request: ModelRequest,
        content: RequestContent,
        dollars_left: Callable[[], float | None],
    ) -> AsyncGenerator[ReplyPart | NoticeChunk | Quote | Usage, None]:
        """Send a request that asks for text, in whose answer no fence is code."""

        async def attempt() -> Attempt:
            backend = _BACKENDS[request.api]
            return Attempt(content, backend, backend.reader(content, lambda word: False))

        return self._exchange(request, attempt, dollars_left)

    async def _exchange(
        self,
        request: ModelRequest,
        attempts: Callable[[], Awaitable[Attempt]],
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
            yield self._costs.usage(attempt)
            if not attempt.reader.is_complete:
                raise attempt.cut_off()
            return

    async def _affordable(
        self,
        request: ModelRequest,
        attempts: Callable[[], Awaitable[Attempt]],
        dollars_left: float | None,
    ) -> Attempt:
        """Return the request as it will be sent, in brief if more than that costs too much."""
        attempt = await attempts()
        if dollars_left is None:
            return attempt
        attempt.quote = await self._costs.quote(attempt)
        least = attempt.quote.input_cost if attempt.quote.most is None else attempt.quote.most
        if least is None or least <= dollars_left or request.is_brief:
            return attempt
        request.is_brief = True
        return await attempts()

    def _trimmed(self, attempt: Attempt, request: ModelRequest) -> NoticeChunk | None:
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

    def _correct(self, attempt: Attempt) -> NoticeChunk | None:
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
        unknown = all(call.names_unknown_tool for call in self._malformed)
        return NoticeChunk("model", _NO_SUCH_TOOL if unknown else _CORRECTED)

    def unfinished(self) -> Usage | None:
        """See `collaborators.Model.unfinished`."""
        attempt, self._unfinished = self._unfinished, None
        return None if attempt is None else self._costs.usage(attempt)

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

    async def _attempt(self, request: ModelRequest, messages: Sequence[Message]) -> Attempt:
        """Return the request as it will be sent, with a new reader for its answer."""
        backend = _BACKENDS[request.api]
        content = await request.content(messages, self._malformed)
        return Attempt(content, backend, backend.reader(content, self._is_language))

    async def _answer(
        self, attempt: Attempt, dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[ReplyPart | Quote, None]:
        """Send the request and yield the parts of its answer as they arrive.

        A failure of the server or the network is not raised but kept in `attempt.failed`.
        """
        if dollars_left() is not None:
            yield attempt.quote or await self._costs.quote(attempt)
        self._unfinished = attempt
        endpoint = attempt.endpoint
        timeout = self._access.read_timeout(self._settings, endpoint)
        connections, payload = self._access.connections, attempt.payload
        if endpoint.relay is not None:
            stream = endpoint.relay.stream(payload, timeout)
        elif payload.get("background"):
            stream = stream_in_background(connections, endpoint, payload, timeout)
        else:
            stream = connections.stream(endpoint, attempt.backend.path, payload, timeout)
        try:
            async with (
                BufferedStream(stream) as pieces,
                aclosing(attempt.batches(pieces)) as batches,
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

    async def _error(self, failed: Failure, endpoint: Endpoint) -> ModelError:
        """Return the error for a person.

        It also says why our own model server ended, or which models the server has, if that helps.
        """
        if failed.status is None and (death := await self._access.local.failure(endpoint)):
            return death
        names: list[str] = []
        if failed.lacks_model and endpoint.relay is None:
            names = await self._access.connections.model_names(endpoint)
        return explain(failed, model=endpoint.model, api_base=endpoint.api_base, models=names)


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
_MALFORMED = (
    "The model made {count} calls that could not be read, and none of them was run. Say it in other"
    " words, choose another model, or set tool_style to markdown."
)
