"""A chat completion as parts of a reply: tool calls, legacy function calls and Markdown fences.

All three are understood in every reply, whatever was asked for.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any

from oi_daemon.messages import Executing
from oi_daemon.messages.text import without_controls
from oi_daemon.model.dialects.arguments import ArgumentParser, MalformedCallError
from oi_daemon.model.dialects.deltas import (
    CallDelta,
    ChatEvent,
    ChatUsage,
    FunctionDelta,
)
from oi_daemon.model.dialects.fences import FenceParser
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.reasoning_fields import ReasoningFields
from oi_daemon.model.limits import MAX_CALLS, MAX_WRITTEN, ServerLimitError
from oi_daemon.model.provider import ProviderData

OWN_ENDS = frozenset({"stop", "tool_calls", "function_call", "end_turn", "stop_sequence", "eos"})
"""Finish reasons that mean that the model has ended its reply itself; all others mean a cut."""


class ReplyParser:
    """Turns the events of one reply into its parts. Call `finish` after the last event."""

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._text = FenceParser(is_language)
        self._reasoning = ReasoningFields()
        self._calls = _Calls(is_language, self._reasoning)
        self._text_after_calls = StringIO()
        """Text that came during a call and is passed on after it."""
        self.finish_reason: str | None = None
        """Why the model stopped; None if the server has not said so (yet)."""
        self.usage: ChatUsage | None = None
        """The tokens as the server counted them; None if it has not (yet)."""
        self.written = 0
        """Characters that the model has written so far."""

    @property
    def complete(self) -> bool:
        """Whether the model itself has ended its reply, so that its code may run."""
        return (self.finish_reason or "").lower() in OWN_ENDS

    @property
    def malformed(self) -> list[MalformedCall]:
        """The calls that could not be read."""
        return self._calls.malformed

    def feed(self, event: ChatEvent) -> list[ReplyPart]:
        """Return the parts that this event adds.

        Raises:
            ServerLimitError: the reply is too long, or makes too many calls.
        """
        self.usage = event.usage or self.usage
        if event.done and self.finish_reason is None:
            self.finish_reason = "stop"
        if not event.choices:
            return []
        choice = event.choices[0]
        if choice.finish_reason:
            self.finish_reason = without_controls(choice.finish_reason)
        if choice.delta is None:
            return []
        parts: list[ReplyPart] = []
        self._reasoning.add(choice.delta)
        if choice.delta.content:
            parts += self._add_text(choice.delta.content)
        for call in choice.delta.tool_calls or ():
            parts += self._add_call(call)
        if choice.delta.function_call:
            parts += self._add_call(CallDelta(0, function=choice.delta.function_call))
        return parts

    def finish(self) -> list[ReplyPart]:
        """Return what is left. A block that is not complete does not become `Executing`."""
        parts: list[ReplyPart] = [*self._text.flush(complete=self.complete)]
        if self.complete:
            parts += self._calls.flush()
        if text := self._text_after_calls.getvalue():
            parts += self._text.feed(text)
            parts += self._text.flush(complete=self.complete)
        return parts

    def _count(self, text: str) -> None:
        """
        Raises:
            ServerLimitError: the reply is too long.
        """
        self.written += len(text)
        if self.written > MAX_WRITTEN:
            raise ServerLimitError(f"it is longer than {MAX_WRITTEN:,} characters")

    def _add_text(self, text: str) -> list[ReplyPart]:
        self._count(text)
        if self._calls.open:
            self._text_after_calls.write(text)
            return []
        return [*self._text.feed(text)]

    def _add_call(self, delta: CallDelta) -> list[ReplyPart]:
        if delta.function is None:
            return []
        before = [] if self._calls.open else self._text.flush()
        self._count(arguments_text(delta.function.arguments))
        return [*before, *self._calls.feed(delta)]


@dataclass(slots=True)
class _WaitingCall:
    """A call whose deltas are kept until the call that streams has ended."""

    name: str | None
    arguments: StringIO = field(default_factory=StringIO)
    data: ProviderData = field(default_factory=ProviderData)
    """What the server needs back with the call."""


class _Calls:
    """Turns the calls of a reply into parts, one call after the other.

    Servers may interleave the deltas of several calls: the first call streams, and the deltas of
    the others are kept until it has ended.
    """

    def __init__(self, is_language: Callable[[str], bool], reasoning: ReasoningFields) -> None:
        """
        Args:
            reasoning: the reasoning of the reply, which is stored with its first call.
        """
        self._is_language = is_language
        self._reasoning = reasoning
        self._data = ProviderData()
        """What the server needs back with the call that streams."""
        self._index = 0
        """Index of the call that streams."""
        self._parser: ArgumentParser | None = None
        """Parser of the call that streams; None if there is none."""
        self._name = ""
        """Name of the call that streams."""
        self._begun = 0
        """Number of calls so far."""
        self._executed = False
        """Whether one of the reply's calls has become `Executing`."""
        self.malformed: list[MalformedCall] = []
        self._waiting: dict[int, _WaitingCall] = {}
        """The calls that wait for the streaming call to end, by index."""

    @property
    def open(self) -> bool:
        """Whether a call has begun and not ended."""
        return self._parser is not None

    def feed(self, delta: CallDelta) -> list[ReplyPart]:
        """Return the parts that this delta adds; none if its call has to wait.

        Some servers give all calls the same index, so a name after complete arguments begins
        the next call.
        """
        function, index = delta.function or FunctionDelta(), delta.index or 0
        name, arguments = function.name, arguments_text(function.arguments)
        if self._parser is None:
            self._begin(index, name)
        elif self._parser.closed and not self._waiting and (index != self._index or name):
            return [*self._end(), *self.feed(delta)]
        elif index != self._index:
            if index not in self._waiting:
                self._waiting[index] = _WaitingCall(name)
                self._check_count(len(self._waiting))
            waiting = self._waiting[index]
            waiting.data = _with_data(waiting.data, delta)
            waiting.arguments.write(arguments)
            return []
        self._data = _with_data(self._data, delta)
        return [*self._parser.feed(arguments)] if self._parser and arguments else []

    def flush(self) -> list[ReplyPart]:
        """Return the last parts of the call that streams, and those of the calls that waited."""
        parts = self._end()
        for index, call in self._waiting.items():
            self._begin(index, call.name)
            self._data = call.data
            if self._parser:
                parts += self._parser.feed(call.arguments.getvalue())
            parts += self._end()
        self._waiting = {}
        return parts

    def _begin(self, index: int, name: str | None) -> None:
        """Make this the call that streams, with a new parser."""
        self._begun += 1
        self._check_count(0)
        self._name = name or ""
        language = self._name.lower()
        self._index = index
        self._data = ProviderData()
        self._parser = ArgumentParser(language if self._is_language(language) else None)

    def _end(self) -> list[ReplyPart]:
        """End the call that streams, and return its last parts; no parts if no call streams.

        A call that cannot be read is added to `malformed`.
        """
        parser, self._parser = self._parser, None
        if parser is None or not (parser.raw.strip() or self._name):
            return []
        try:
            return [self._with_provider(part) for part in parser.flush()]
        except MalformedCallError as error:
            self.malformed.append(MalformedCall(self._name, parser.raw, str(error)))
            return []

    def _with_provider(self, part: ReplyPart) -> ReplyPart:
        """Return the part; `Executing` gets what the server needs back with this call."""
        if not isinstance(part, Executing):
            return part
        joined = self._executed
        self._executed = True
        message = {} if joined else self._reasoning.fields()
        data = replace(self._data, joined=joined, message=message)
        return replace(part, provider=data.dump() if data.call_id or data.call or message else None)

    def _check_count(self, waiting: int) -> None:
        """
        Raises:
            ServerLimitError: the reply makes too many calls.
        """
        if self._begun + waiting > MAX_CALLS:
            raise ServerLimitError(f"it makes more than {MAX_CALLS} calls")


def arguments_text(arguments: str | Mapping[str, object] | None) -> str:
    """Return the arguments as text, also where the server sent them as an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments)


def _with_data(data: ProviderData, delta: CallDelta) -> ProviderData:
    """Return the data with what this delta adds to it."""
    if isinstance(delta.id, str) and delta.id:
        data = replace(data, call_id=data.call_id or delta.id)
    if isinstance(delta.extra_content, dict):
        extra: dict[str, Any] = {"extra_content": delta.extra_content}
        data = replace(data, call=extra)
    return data
