"""The backend for `/chat/completions`, the API that nearly every server has."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from oi_daemon.model import pictures
from oi_daemon.model.backend import RequestContent
from oi_daemon.model.dialects.deltas import ChatEvent
from oi_daemon.model.dialects.parts import ReplyPart
from oi_daemon.model.dialects.reply import ReplyParser
from oi_daemon.model.dialects.requests import tool_parameters, wire_messages
from oi_daemon.model.events import EventReader, StreamedError, unreadable
from oi_daemon.model.local.compact import compact_messages
from oi_daemon.model.prices import TokenCounts
from oi_daemon.model.reasoning import is_reasoning_model

END = b"[DONE]"
"""The data of the event with which a server ends its answer."""


class ChatBackend:
    """Asks for chat completions. See `backend.Backend`."""

    path = "/chat/completions"

    def payload(self, content: RequestContent) -> dict[str, Any]:
        """See `Backend.payload`."""
        parameters = {
            "model": content.endpoint.model,
            "messages": _messages(content),
            "stream": True,
            "stream_options": {"include_usage": True},
            **tool_parameters(content.style, content.languages),
            **_sampling(content),
        }
        rejected = content.capabilities.rejected_parameters
        accepted = {name: value for name, value in parameters.items() if name not in rejected}
        return accepted | dict(content.endpoint.extra_body)

    def text(self, payload: dict[str, Any], *, instructions: bool) -> str:
        """See `Backend.text`."""
        messages = payload["messages"] if instructions else payload["messages"][1:]
        return str(pictures.without_pictures(messages))

    def reader(self, is_language: Callable[[str], bool]) -> "ChatReader":
        """See `Backend.reader`."""
        return ChatReader(is_language)


class ChatReader:
    """Reads the events of one chat completion. See `backend.ReplyReader`."""

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._events = EventReader()
        self._decoder = msgspec.json.Decoder(ChatEvent)
        self._parser = ReplyParser(is_language)

    @property
    def finish_reason(self) -> str | None:
        """See `ReplyReader.finish_reason`."""
        return self._parser.finish_reason

    @property
    def complete(self) -> bool:
        """See `ReplyReader.complete`."""
        return self._parser.complete

    @property
    def counts(self) -> TokenCounts | None:
        """See `ReplyReader.counts`."""
        usage = self._parser.usage
        if usage is None:
            return None
        details = usage.prompt_tokens_details
        return TokenCounts(
            usage.prompt_tokens or 0,
            usage.completion_tokens or 0,
            (details and details.cached_tokens) or 0,
        )

    @property
    def written(self) -> int:
        """See `ReplyReader.written`."""
        return self._parser.written

    def feed(self, data: bytes) -> list[ReplyPart]:
        """See `ReplyReader.feed`."""
        return self._parse(self._events.feed(data))

    def end(self) -> list[ReplyPart]:
        """See `ReplyReader.end`."""
        return self._parse(self._events.finish())

    def finish(self) -> list[ReplyPart]:
        """See `ReplyReader.finish`."""
        return self._parser.finish()

    def _parse(self, events: Sequence[bytes]) -> list[ReplyPart]:
        parse, decode = self._parser.feed, self._decode
        return [part for event in events for part in parse(decode(event))]

    def _decode(self, data: bytes) -> ChatEvent:
        """
        Raises:
            UnreadableAnswerError: the data is no event of a chat completion.
            StreamedError: the event is an error.
        """
        if data == END:
            return ChatEvent(done=True)
        try:
            event = self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise unreadable(data) from error
        if event.error:
            raise StreamedError(event.error)
        return event


def _messages(content: RequestContent) -> list[dict[str, Any]]:
    if content.endpoint.compact:
        return [*compact_messages(content.messages, content.settings.system_message)]
    return wire_messages(content.system, content.messages, content.style, content.pictures)


def _sampling(content: RequestContent) -> dict[str, Any]:
    """Return the temperature and the limit of tokens.

    Reasoning models take no temperature of ours, and call the limit `max_completion_tokens`.
    """
    settings, reasons = content.settings, is_reasoning_model(content.endpoint.model)
    parameters: dict[str, Any] = {} if reasons else {"temperature": settings.temperature}
    if settings.max_tokens is not None:
        renamed = reasons or "max_tokens" in content.capabilities.rejected_parameters
        name = "max_completion_tokens" if renamed else "max_tokens"
        parameters[name] = settings.max_tokens
    return parameters
