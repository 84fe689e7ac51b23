"""Models that clients offer. The daemon tells the client what to ask, and gets its answer."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec

from oi_daemon.errors import AuthError, ConnectionLostError, ModelError, NoModelError
from oi_daemon.messages.text import without_controls
from oi_daemon.model.endpoint import NO_KEY, Endpoint
from oi_daemon.model.events import StreamedError
from oi_daemon.model.limits import (
    MAX_ANSWER_BYTES,
    MAX_BUFFERED_BYTES,
    MAX_ERROR_TEXT,
    ServerLimitError,
    in_words,
)
from oi_daemon.protocol.offers import (
    ASK,
    CANCEL,
    PREFIXES,
    ModelAskParams,
    ModelCancelParams,
    ModelReplyParams,
    OfferedModel,
    ReplyError,
)

Notify = Callable[[str, Any], None]
"""Sends a notification to a client: its method and its params."""


class Relay:
    """The models of one client, and the requests to them that are not answered yet."""

    def __init__(self, notify: Notify) -> None:
        self.models: Sequence[OfferedModel] = ()
        """What the client offers."""
        self._notify = notify
        self._ids = count(1)
        self._open: dict[str, _RelayedAnswer] = {}
        """Answers that are still coming, by the id of their request."""
        self._is_gone = False

    def endpoint(self, name: str) -> Endpoint | None:
        """Return where a model of this name is asked; None if the client does not offer it."""
        offered = next((each for each in self.models if each.name == name), None)
        if offered is None or self._is_gone:
            return None
        return Endpoint(
            api_base=f"{name.partition('/')[0]}:",
            api_key=NO_KEY,
            model=name,
            context_window=offered.context_window,
            relay=self,
            takes_tools=offered.tools,
            takes_pictures=offered.pictures,
        )

    async def stream(
        self, payload: Mapping[str, Any], read_timeout: float
    ) -> AsyncGenerator[bytes, None]:
        """Ask the client, and yield its answer as the events of a chat completion.

        Closing the iterator before the end tells the client that the answer is not wanted.

        Args:
            payload: the body of a request for a chat completion.
            read_timeout: seconds without a word of the client after which it is given up.

        Raises:
            ModelError: the client is gone, is silent, or says that its model cannot answer.
            StreamedError: its model may answer if it is asked in another way, or later.
            ServerLimitError: the answer is too large.
        """
        model = str(payload["model"])
        if self._is_gone:
            raise ConnectionLostError(gone(model))
        ask = f"ask-{next(self._ids)}"
        answer = self._open[ask] = _RelayedAnswer(model)
        self._notify(ASK, _ask(ask, payload))
        try:
            while not answer.has_ended:
                try:
                    async with asyncio.timeout(read_timeout):
                        data = await answer.next()
                except TimeoutError:
                    raise ConnectionLostError(_SILENT.format(model, round(read_timeout))) from None
                yield data
        finally:
            del self._open[ask]
            if not answer.was_closed and not self._is_gone:
                self._notify(CANCEL, ModelCancelParams(ask=ask))

    async def reply(self, params: ModelReplyParams) -> bool:
        """Take some more of an answer; wait while too much is unread. False: nobody wants it."""
        answer = self._open.get(params.ask)
        if answer is None or answer.was_closed:
            return False
        answer.add(params)
        await answer.room()
        return True

    def close(self) -> None:
        """Fail what waits for an answer, because the client can give none any more."""
        self._is_gone = True
        for answer in self._open.values():
            answer.lose()


class Offers:
    """The models that all clients of a daemon offer."""

    def __init__(self) -> None:
        self._relays: list[Relay] = []

    def add(self, relay: Relay) -> None:
        """Take a client into account, as the latest."""
        if relay in self._relays:
            self._relays.remove(relay)
        self._relays.append(relay)

    def remove(self, relay: Relay) -> None:
        """Forget a client that is gone, and fail what waits for it."""
        relay.close()
        if relay in self._relays:
            self._relays.remove(relay)

    def endpoint(self, name: str, own: Relay | None = None) -> Endpoint | None:
        """Return where a model of this name is asked; None if no client offers it.

        Args:
            own: the client that has asked for the turn, whose own model comes first.
        """
        for relay in (*([own] if own else []), *reversed(self._relays)):
            if endpoint := relay.endpoint(name):
                return endpoint
        return None

    def models(self) -> list[OfferedModel]:
        """Return what is offered, each name once."""
        return list({each.name: each for relay in self._relays for each in relay.models}.values())


class _RelayedAnswer:
    """What a client has sent of an answer and was not read yet."""

    def __init__(self, model: str) -> None:
        self.has_ended = False
        """Whether all of it was read."""
        self.was_closed = False
        """Whether the client sends nothing more."""
        self._model = model
        self._unread: deque[bytes | Exception] = deque()
        self._unread_bytes = self._bytes = 0
        self._calls = 0
        """Number of tool calls that have begun."""
        self._changed = asyncio.Event()

    def add(self, params: ModelReplyParams) -> None:
        """Take some more of it."""
        if params.error is not None:
            self._put(_error(params.error, self._model, has_begun=self._bytes > 0))
            return
        event = b"data: " + msgspec.json.encode(self._event(params)) + b"\n\n"
        self._bytes += len(event)
        if self._bytes > MAX_ANSWER_BYTES:
            self._put(ServerLimitError(f"it is larger than {in_words(MAX_ANSWER_BYTES)}"))
            return
        self.was_closed = params.end is not None
        self._unread.append(event)
        self._unread_bytes += len(event)
        self._changed.set()

    def lose(self) -> None:
        """End it, because the client is gone."""
        if not self.was_closed:
            kept = _KEPT if self._bytes else ""
            self._put(ConnectionLostError(gone(self._model) + kept))

    async def next(self) -> bytes:
        """Wait for some more of it. Raises as `Relay.stream` does."""
        while not self._unread:
            self._changed.clear()
            await self._changed.wait()
        data = self._unread.popleft()
        if isinstance(data, Exception):
            raise data
        self._unread_bytes -= len(data)
        self._changed.set()
        self.has_ended = self.was_closed and not self._unread
        return data

    async def room(self) -> None:
        """Wait while much of it is unread."""
        while self._unread_bytes > MAX_BUFFERED_BYTES and not self.was_closed:
            self._changed.clear()
            await self._changed.wait()

    def _put(self, error: Exception) -> None:
        self.was_closed = True
        self._unread.append(error)
        self._changed.set()

    def _event(self, params: ModelReplyParams) -> dict[str, Any]:
        """Return the event of a chat completion that says the same."""
        delta: dict[str, Any] = {}
        if params.text:
            delta["content"] = params.text
        if params.thinking:
            delta["reasoning_content"] = params.thinking
        for call in params.calls:
            self._calls += call.name is not None
            function = {"name": call.name, "arguments": call.arguments}
            part = {"index": max(self._calls - 1, 0), "id": call.id, "function": function}
            delta.setdefault("tool_calls", []).append(part)
        reason = None
        if params.end is not None:
            reason = "tool_calls" if params.end == "stop" and self._calls else _ENDS[params.end]
        event: dict[str, Any] = {"choices": [{"delta": delta, "finish_reason": reason}]}
        if (used := params.usage) is not None:
            counts = {"prompt_tokens": used.input_tokens, "completion_tokens": used.output_tokens}
            event["usage"] = counts
        return event


def is_offered_name(model: str) -> bool:
    """Return whether only a client can have a model of this name."""
    return model.startswith(PREFIXES)


def gone(model: str) -> str:
    """Return the error's text for a model whose client is not there."""
    return _GONE.format(model)


def _ask(ask: str, payload: Mapping[str, Any]) -> ModelAskParams:
    own = ("model", "messages", "tools", "stream", "stream_options")
    return ModelAskParams(
        ask=ask,
        model=payload["model"],
        messages=payload["messages"],
        tools=payload.get("tools", []),
        parameters={name: value for name, value in payload.items() if name not in own},
    )


def _error(error: ReplyError, model: str, *, has_begun: bool) -> Exception:
    """Return what a client's error means for the turn."""
    text = without_controls(error.message)[:MAX_ERROR_TEXT] or "it did not say why."
    if not has_begun and (code := _ASKED_AGAIN.get(error.kind)):
        return StreamedError({"message": text, "code": code})
    words = f"{model}: {text}{_KEPT if has_begun else ''}"
    return _ERRORS.get(error.kind, ModelError)(words)


_ENDS = {"stop": "stop", "length": "length", "filter": "content_filter"}
"""The reason for an answer's end as chat completions call it."""
_ASKED_AGAIN = {"context": "context_length_exceeded", "rate_limit": "rate_limit_exceeded"}
"""Errors after which the request may be sent again, with the code of a server's error."""
_ERRORS: Mapping[str, type[ModelError]] = {"auth": AuthError, "no_model": NoModelError}
_GONE = (
    "The model {} belongs to an editor, or another client, that is not connected. Open it again, or"
    " choose another model."
)
_SILENT = (
    "The client that offers the model {} has said nothing for {} s. See whether it asks you"
    " something, or choose another model."
)
_KEPT = " What came until then is kept. Code that was not complete is not run."
