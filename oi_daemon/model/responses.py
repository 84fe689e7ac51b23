"""The backend for `/responses`, OpenAI's API for models that think before they answer."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from oi_daemon.messages import UserMessage
from oi_daemon.model.apis import runs_in_background
from oi_daemon.model.backend import RequestContent
from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.response_events import Response, ResponseEvent
from oi_daemon.model.dialects.response_reply import ResponseParser
from oi_daemon.model.dialects.response_requests import (
    correction_items,
    custom_tool_name,
    input_items,
    text_of,
    tools,
)
from oi_daemon.model.dialects.usage import token_counts
from oi_daemon.model.events import END, BrokenOffError, EventReader, unreadable
from oi_daemon.model.limits import SLICE
from oi_daemon.model.prices import TokenCounts

MAX_EVENT_BYTES = 8 << 20
"""Bytes of one event: the last one repeats the whole response, with its encrypted reasoning."""


_NO_BACKGROUND = {"background", "stream", "store"}
"""Parameters without which no response runs in the background."""


class ResponsesBackend:
    """Asks for responses. See `backend.Backend`."""

    path = "/responses"

    def payload(self, content: RequestContent) -> dict[str, Any]:
        """See `Backend.payload`."""
        settings, capabilities = content.settings, content.capabilities
        rejected = capabilities.rejected_parameters
        in_background = runs_in_background(content.endpoint) and not rejected & _NO_BACKGROUND
        parameters = {
            "model": content.endpoint.model,
            "instructions": content.system,
            "input": _input(content),
            "stream": True,
            "stream_options": {"include_obfuscation": False},
            "store": in_background,
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": _chosen(settings.reasoning_effort), "summary": "auto"},
            "text": {"verbosity": _chosen(settings.verbosity)},
            "max_output_tokens": settings.max_tokens,
            "prompt_cache_key": _cache_key(content),
            "service_tier": _chosen(settings.service_tier, "auto"),
            "truncation": "disabled",
            "context_management": _compaction(content),
            "temperature": settings.temperature,
            **_tools(content),
        }
        if in_background:
            parameters["background"] = True
        if "stream" in rejected:
            parameters["stream"] = False
            del parameters["stream_options"]
        return _accepted(parameters, rejected) | dict(content.endpoint.extra_body)

    def text(self, payload: dict[str, Any], *, instructions: bool) -> str:
        """See `Backend.text`."""
        text = text_of(payload["input"])
        if not instructions:
            return text
        functions = [tool for tool in payload.get("tools", ()) if not tool.get("strict", True)]
        return f"{payload['instructions']}{text}{functions or ''}"

    def reader(
        self, content: RequestContent, is_language: Callable[[str], bool]
    ) -> "ResponsesReader":
        """See `Backend.reader`."""
        languages = {custom_tool_name(name).lower(): name for name in content.languages}

        def language_of(name: str) -> str | None:
            lower = name.lower()
            return languages.get(lower) or (lower if is_language(lower) else None)

        parser = ResponseParser(
            language_of,
            is_language,
            content.style,
            content.functions,
            begins_thinking=content.begins_thinking,
            covered=content.covered,
        )
        return ResponsesReader(parser, content.capabilities)


class ResponsesReader:
    """Reads the events of one response. See `backend.ReplyReader`."""

    def __init__(self, parser: ResponseParser, capabilities: Capabilities) -> None:
        """
        Args:
            capabilities: keeps what the answer shows about the model.
        """
        self._capabilities = capabilities
        self._events = EventReader(MAX_EVENT_BYTES)
        self._decoder = msgspec.json.Decoder(ResponseEvent)
        self._parser = parser

    @property
    def finish_reason(self) -> str | None:
        """See `ReplyReader.finish_reason`."""
        return self._parser.finish_reason

    @property
    def is_complete(self) -> bool:
        """See `ReplyReader.is_complete`."""
        return self._parser.is_complete

    @property
    def counts(self) -> TokenCounts | None:
        """See `ReplyReader.counts`."""
        response = self._parser.end
        usage = response.usage if response else None
        if response is None or not isinstance(usage, Mapping):
            return None
        details = usage.get("input_tokens_details")
        tier = response.service_tier
        return token_counts({**usage, "prompt_tokens_details": details, "service_tier": tier})

    @property
    def written(self) -> int:
        """See `ReplyReader.written`."""
        return self._parser.written

    @property
    def malformed(self) -> Sequence[MalformedCall]:
        """See `ReplyReader.malformed`."""
        return self._parser.malformed

    def feed(self, data: bytes) -> Iterator[list[ReplyPart]]:
        """See `ReplyReader.feed`."""
        for event in self._events.feed(data):
            yield from self._parse(event)

    def end(self) -> Iterator[list[ReplyPart]]:
        """See `ReplyReader.end`.

        Raises:
            BrokenOffError: the response has not ended.
        """
        for event in self._events.finish():
            yield from self._parse(event)
        if self._parser.end is None:
            raise BrokenOffError("the server ended it in the middle")

    def finish(self) -> list[ReplyPart]:
        """See `ReplyReader.finish`."""
        parts = self._parser.finish()
        self._capabilities.learn_thinking(ends_unmarked=self._parser.ends_unmarked)
        return parts

    def _parse(self, data: bytes) -> Iterator[list[ReplyPart]]:
        """Yield the parts of an event, or of a whole response that came in place of events."""
        if data == END:
            return
        try:
            event = self._decoder.decode(data)
            if event.type or event.error:
                for piece in _slices(event, len(data)):
                    yield self._parser.feed(piece)
                return
            response = msgspec.json.decode(data, type=Response)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise unreadable(data) from error
        if response.object != "response":
            raise unreadable(data)
        yield self._parser.whole(response)


def _slices(event: ResponseEvent, size: int) -> Iterator[ResponseEvent]:
    """Yield the event, or several ones with a part of its text each."""
    if size <= SLICE or not isinstance(event.delta, str):
        yield event
        return
    for start in range(0, len(event.delta), SLICE):
        piece = event.delta[start : start + SLICE]
        yield msgspec.structs.replace(event, delta=piece)


def _input(content: RequestContent) -> list[dict[str, Any]]:
    capabilities = content.capabilities
    custom = capabilities.accepts_custom_tools and content.style != "functions"
    endpoint = content.endpoint if capabilities.accepts_provider_data else None
    return [
        *input_items(content.messages, content.style, content.pictures, endpoint, custom=custom),
        *correction_items(content.malformed, content.style, custom=custom),
    ]


def _tools(content: RequestContent) -> dict[str, Any]:
    custom = content.capabilities.accepts_custom_tools and content.style != "functions"
    offered = tools(content.style, content.languages, content.functions, custom=custom)
    return {"tools": offered, "parallel_tool_calls": True} if offered else {}


def _chosen(value: str, default: str = "default") -> str | None:
    """Return the value of a setting; None if the user has left the choice to the server."""
    return None if value == default else value


def _accepted(parameters: Mapping[str, Any], rejected: set[str]) -> dict[str, Any]:
    """Return the parameters that have a value and that the server has not refused.

    A name such as `reasoning.summary` means a field of a parameter.
    """
    accepted: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in ("reasoning", "text"):
            value = {
                field: each
                for field, each in value.items()
                if each is not None and f"{name}.{field}" not in rejected
            } or None
        if value is not None and (name not in rejected or name == "stream"):
            accepted[name] = value
    return accepted


def _compaction(content: RequestContent) -> list[dict[str, Any]] | None:
    """Return when the server should summarise the conversation by itself; None for never."""
    if content.compact_threshold is None:
        return None
    return [{"type": "compaction", "compact_threshold": content.compact_threshold}]


def _cache_key(content: RequestContent) -> str:
    """Return a key that is the same for all requests of a conversation, and tells nothing of it.

    Requests with the same key reach the machine that has the conversation's beginning cached.
    """
    first = next((each.message for each in content.messages if isinstance(each, UserMessage)), "")
    return hashlib.sha256(f"{content.system}\n{first}".encode("utf-8", "replace")).hexdigest()[:32]
