"""The backend for `/chat/completions`, the API that nearly every server has."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from oi_daemon.model import pictures
from oi_daemon.model.backend import RequestContent
from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.dialects.calls import arguments_text
from oi_daemon.model.dialects.deltas import (
    CallDelta,
    ChatEvent,
    Delta,
    FunctionDelta,
    StreamedChoice,
    content_parts,
    text_of,
)
from oi_daemon.model.dialects.instructions import personal, tool_parameters
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.reply import ReplyParser
from oi_daemon.model.dialects.requests import correction_messages, wire_messages
from oi_daemon.model.dialects.usage import token_counts
from oi_daemon.model.events import END, EventReader, StreamedError, unreadable
from oi_daemon.model.limits import SLICE
from oi_daemon.model.local.compact import compact_messages, compact_parameters
from oi_daemon.model.prices import TokenCounts
from oi_daemon.model.provider import UNSIGNED
from oi_daemon.model.reasoning import is_reasoning_model


class ChatBackend:
    """Asks for chat completions. See `backend.Backend`."""

    path = "/chat/completions"

    def payload(self, content: RequestContent) -> dict[str, Any]:
        """See `Backend.payload`."""
        parameters = {
            "model": content.endpoint.model,
            "messages": _messages(content),
            "stream_options": {"include_usage": True},
            **tool_parameters(content.style, content.languages, content.functions),
            **_sampling(content),
        }
        rejected = content.capabilities.rejected_parameters
        accepted = {name: value for name, value in parameters.items() if name not in rejected}
        accepted["stream"] = "stream" not in rejected
        if not accepted["stream"]:
            accepted.pop("stream_options", None)
        if content.endpoint.is_small:
            return accepted | {
                **content.endpoint.extra_body,
                **compact_parameters(content.messages),
            }
        return accepted | dict(content.endpoint.extra_body)

    def text(self, payload: dict[str, Any], *, instructions: bool) -> str:
        """See `Backend.text`."""
        messages = payload["messages"] if instructions else payload["messages"][1:]
        text = str(pictures.without_pictures(messages))
        functions = (payload.get("tools") or payload.get("functions") or ())[1:]
        return f"{text}{functions}" if instructions and functions else text

    def reader(self, content: RequestContent, is_language: Callable[[str], bool]) -> "ChatReader":
        """See `Backend.reader`."""
        parser = ReplyParser(
            is_language,
            content.style,
            begins_thinking=content.begins_thinking,
            functions=content.functions,
        )
        return ChatReader(parser, content.capabilities)


class ChatReader:
    """Reads the events of one chat completion. See `backend.ReplyReader`."""

    def __init__(self, parser: ReplyParser, capabilities: Capabilities) -> None:
        """
        Args:
            capabilities: keeps what the answer shows about the model.
        """
        self._events = EventReader()
        self._decoder = msgspec.json.Decoder(ChatEvent)
        self._parser = parser
        self._capabilities = capabilities

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
        return token_counts(self._parser.usage)

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
        return self._parse(self._events.feed(data))

    def end(self) -> Iterator[list[ReplyPart]]:
        """See `ReplyReader.end`."""
        return self._parse(self._events.finish())

    def finish(self) -> list[ReplyPart]:
        """See `ReplyReader.finish`."""
        parts = self._parser.finish()
        self._capabilities.learn_thinking(ends_unmarked=self._parser.ends_unmarked)
        return parts

    def _parse(self, events: Sequence[bytes]) -> Iterator[list[ReplyPart]]:
        """Yield the parts of each event."""
        for data in events:
            event = self._decode(data)
            if len(data) <= SLICE:
                yield self._parser.feed(event)
            else:
                for piece in _slices(event):
                    yield self._parser.feed(piece)

    def _decode(self, data: bytes) -> ChatEvent:
        """Return the event that this data holds.

        Raises:
            UnreadableAnswerError: the data is no event of a chat completion.
            StreamedError: the event is an error.
        """
        if data == END:
            return ChatEvent(done=True)
        try:
            event = self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if listed := _listed_error(data):
                raise StreamedError(listed) from None
            raise unreadable(data) from error
        if event.error:
            raise StreamedError(event.error)
        if event == ChatEvent() and not self._events.saw_event:
            raise unreadable(data)
        return event


def _listed_error(data: bytes) -> Any:
    """Return the error of an answer that is a list of errors, as Google's is; else None."""
    if not data.startswith(b"["):
        return None
    try:
        first = msgspec.json.decode(data)[0]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError):
        return None
    return first.get("error") if isinstance(first, dict) else None


def _messages(content: RequestContent) -> list[dict[str, Any]]:
    if content.endpoint.is_small:
        return compact_messages(
            content.messages,
            personal(content.settings),
            content.environment.python,
            content.folder_facts,
        )
    messages = wire_messages(
        content.system,
        content.messages,
        content.style,
        content.pictures,
        content.endpoint if content.capabilities.accepts_provider_data else None,
        unsigned=UNSIGNED if content.capabilities.wants_signatures else None,
    )
    return [*messages, *correction_messages(content.malformed, content.style)]


def _slices(event: ChatEvent) -> Iterator[ChatEvent]:
    """Yield the event cut into several ones, each with at most `SLICE` characters of its text."""
    choice = event.choices[0] if event.choices else None
    delta = (choice.delta or choice.message) if choice else None
    if choice is None or delta is None:
        yield event
        return
    if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
        yield _with_delta(
            Delta(
                reasoning_content=delta.reasoning_content,
                reasoning=delta.reasoning,
                reasoning_details=delta.reasoning_details,
            )
        )
    for text, is_thinking in content_parts(delta.content):
        for piece in _cut(text):
            part = {"type": "thinking", "thinking": piece} if is_thinking else piece
            yield _with_delta(Delta(content=[part]))
    if refusal := text_of(delta.refusal):
        yield _with_delta(Delta(refusal=refusal))
    for position, call in enumerate(delta.tool_calls or ()):
        function = call.function or FunctionDelta()
        index = position if call.index is None else call.index
        for number, piece in enumerate(_cut(arguments_text(function.arguments)) or [""]):
            name = None if number else function.name
            cut = FunctionDelta(name, piece)
            yield _with_delta(
                Delta(tool_calls=[CallDelta(index, cut, call.id, call.extra_content)])
            )
    if delta.function_call:
        yield _with_delta(Delta(function_call=delta.function_call))
    ending = StreamedChoice(None, choice.finish_reason)
    yield ChatEvent(choices=[ending], usage=event.usage, x_groq=event.x_groq)


def _cut(text: str | None) -> list[str]:
    return [text[start : start + SLICE] for start in range(0, len(text), SLICE)] if text else []


def _with_delta(delta: Delta) -> ChatEvent:
    return ChatEvent(choices=[StreamedChoice(delta)])


def _sampling(content: RequestContent) -> dict[str, Any]:
    """Return what the user has set of temperature, limits, effort, verbosity and tier.

    Reasoning models call the limit `max_completion_tokens`. A small model of our own gets the
    temperature 0, because it writes better code then.
    """
    settings, reasons = content.settings, is_reasoning_model(content.endpoint.model)
    temperature = settings.temperature
    if temperature is None and content.endpoint.is_small:
        temperature = 0.0
    parameters: dict[str, Any] = {} if temperature is None else {"temperature": temperature}
    effort = content.capabilities.effort if content.style != "markdown" else None
    chosen = {
        "reasoning_effort": effort or settings.reasoning_effort,
        "verbosity": settings.verbosity,
    }
    parameters |= {name: value for name, value in chosen.items() if value != "default"}
    if settings.service_tier != "auto":
        parameters["service_tier"] = settings.service_tier
    if settings.max_tokens is not None:
        renamed = reasons or "max_tokens" in content.capabilities.rejected_parameters
        name = "max_completion_tokens" if renamed else "max_tokens"
        parameters[name] = settings.max_tokens
    return parameters
