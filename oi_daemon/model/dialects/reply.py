"""A chat completion as parts of a reply: tool calls, legacy function calls and Markdown fences.

All three are understood in every reply, whatever was asked for.
"""

import json
from collections.abc import Callable, Mapping

from oi_daemon.model.dialects.arguments import ArgumentParser
from oi_daemon.model.dialects.deltas import ChatEvent, ChatUsage, FunctionDelta
from oi_daemon.model.dialects.fences import FenceParser
from oi_daemon.model.dialects.parts import ReplyPart

CUT_OFF = frozenset({None, "length", "content_filter"})
"""Finish reasons that mean: the model has not ended the reply itself."""


class ReplyParser:
    """Turns the events of one reply into its parts. Call `finish` after the last event."""

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._text = FenceParser(is_language)
        self._calls = _Calls(is_language)
        self._text_after_calls: list[str] = []
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
        return self.finish_reason not in CUT_OFF

    def feed(self, event: ChatEvent) -> list[ReplyPart]:
        """Return the parts that this event adds."""
        self.usage = event.usage or self.usage
        if event.done and self.finish_reason is None:
            self.finish_reason = "stop"
        if not event.choices:
            return []
        choice = event.choices[0]
        self.finish_reason = choice.finish_reason or self.finish_reason
        if choice.delta is None:
            return []
        parts: list[ReplyPart] = []
        if choice.delta.content:
            parts += self._add_text(choice.delta.content)
        for call in choice.delta.tool_calls or ():
            parts += self._add_call(call.index or 0, call.function)
        if choice.delta.function_call:
            parts += self._add_call(0, choice.delta.function_call)
        return parts

    def finish(self) -> list[ReplyPart]:
        """Return what is left. A block that is not complete does not become `Executing`."""
        parts: list[ReplyPart] = [*self._text.flush(complete=self.complete)]
        if self.complete:
            parts += self._calls.flush()
        if self._text_after_calls:
            parts += self._text.feed("".join(self._text_after_calls))
            parts += self._text.flush(complete=self.complete)
        return parts

    def _add_text(self, text: str) -> list[ReplyPart]:
        self.written += len(text)
        if self._calls.open:
            self._text_after_calls.append(text)
            return []
        return [*self._text.feed(text)]

    def _add_call(self, index: int, function: FunctionDelta | None) -> list[ReplyPart]:
        if function is None:
            return []
        before = [] if self._calls.open else self._text.flush()
        arguments = _arguments(function.arguments)
        self.written += len(arguments)
        return [*before, *self._calls.feed(index, function.name, arguments)]


class _Calls:
    """Turns the calls of a reply into parts, one call after the other.

    Servers may interleave the deltas of several calls: the first call streams, and the deltas of
    the others are kept until it has ended.
    """

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._is_language = is_language
        self._index = 0
        """Index of the call that streams."""
        self._parser: ArgumentParser | None = None
        """Parser of the call that streams; None if there is none."""
        self._waiting: dict[int, tuple[str | None, list[str]]] = {}
        """Name and arguments of the calls that are kept, by index."""

    @property
    def open(self) -> bool:
        """Whether a call has begun and not ended."""
        return self._parser is not None

    def feed(self, index: int, name: str | None, arguments: str) -> list[ReplyPart]:
        """Return the parts that this delta adds; none if its call has to wait.

        Some servers give all calls the same index, so a name after complete arguments begins
        the next call.
        """
        if self._parser is None:
            self._begin(index, name)
        elif self._parser.closed and not self._waiting and (index != self._index or name):
            return [*self._end(), *self.feed(index, name, arguments)]
        elif index != self._index:
            self._waiting.setdefault(index, (name, []))[1].append(arguments)
            return []
        return [*self._parser.feed(arguments)] if self._parser and arguments else []

    def flush(self) -> list[ReplyPart]:
        """Return the end of the call that streams, and all calls that were kept."""
        parts = self._end()
        for index, (name, arguments) in self._waiting.items():
            self._begin(index, name)
            if self._parser:
                parts += self._parser.feed("".join(arguments))
            parts += self._end()
        self._waiting = {}
        return parts

    def _begin(self, index: int, name: str | None) -> None:
        """Let this call stream from now on."""
        language = (name or "").lower()
        self._index = index
        self._parser = ArgumentParser(language if self._is_language(language) else None)

    def _end(self) -> list[ReplyPart]:
        """Return the end of the call that streams; nothing if there is none."""
        parser, self._parser = self._parser, None
        return [*parser.flush()] if parser else []


def _arguments(arguments: str | Mapping[str, object] | None) -> str:
    """Return the arguments as text, also where the server sent them as an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments)
