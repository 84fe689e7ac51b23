"""A reply as chunks while it is written: tool calls, legacy function calls and Markdown fences.

All three are understood in any reply, whatever was asked for.
"""

import json
from collections.abc import Callable, Mapping

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk
from oi_daemon.model.dialects.arguments import ArgumentParser
from oi_daemon.model.dialects.fences import FenceParser
from oi_daemon.model.stream import Event, FunctionDelta, WireUsage

Part = MessageChunk | LanguageChunk | CodeChunk | Executing

CUT_OFF = frozenset({None, "length", "content_filter"})
"""Reasons to stop that are not the model's own end."""


class ReplyParser:
    """Events in, chunks out. `finish` ends it, complete or not."""

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._text = FenceParser(is_language)
        self._calls = _Calls(is_language)
        self._late: list[str] = []
        self.finish_reason: str | None = None
        """Why the model stopped; None if it did not say (yet)."""
        self.usage: WireUsage | None = None
        self.written = 0
        """Characters of the model's own so far."""

    @property
    def complete(self) -> bool:
        """The model has ended its reply, so that what it holds can be run."""
        return self.finish_reason not in CUT_OFF

    def feed(self, event: Event) -> list[Part]:
        self.usage = event.usage or self.usage
        if event.done and self.finish_reason is None:
            self.finish_reason = "stop"
        if not event.choices:
            return []
        choice = event.choices[0]
        self.finish_reason = choice.finish_reason or self.finish_reason
        if choice.delta is None:
            return []
        parts: list[Part] = []
        if choice.delta.content:
            parts += self._message(choice.delta.content)
        for call in choice.delta.tool_calls or ():
            parts += self._call(call.index or 0, call.function)
        if choice.delta.function_call:
            parts += self._call(0, choice.delta.function_call)
        return parts

    def finish(self) -> list[Part]:
        """What is left; a block that is not complete does not become `Executing`."""
        parts: list[Part] = [*self._text.flush(complete=self.complete)]
        if self.complete:
            parts += self._calls.flush()
        if self._late:
            parts += self._text.feed("".join(self._late))
            parts += self._text.flush(complete=self.complete)
        return parts

    def _message(self, text: str) -> list[Part]:
        self.written += len(text)
        if self._calls.open:
            self._late.append(text)
            return []
        return [*self._text.feed(text)]

    def _call(self, index: int, function: FunctionDelta | None) -> list[Part]:
        if function is None:
            return []
        before = [] if self._calls.open else self._text.flush()
        arguments = _arguments(function.arguments)
        self.written += len(arguments)
        return [*before, *self._calls.feed(index, function.name, arguments)]


class _Calls:
    """The calls of a reply, one after the other. Calls that interleave wait for their turn."""

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._is_language = is_language
        self._index = 0
        self._parser: ArgumentParser | None = None
        self._waiting: dict[int, tuple[str | None, list[str]]] = {}

    @property
    def open(self) -> bool:
        return self._parser is not None

    def feed(self, index: int, name: str | None, arguments: str) -> list[Part]:
        if self._parser is None:
            self._begin(index, name)
        elif self._parser.closed and not self._waiting and (index != self._index or name):
            return [*self._end(), *self.feed(index, name, arguments)]
        elif index != self._index:
            self._waiting.setdefault(index, (name, []))[1].append(arguments)
            return []
        return [*self._parser.feed(arguments)] if self._parser and arguments else []

    def flush(self) -> list[Part]:
        parts = self._end()
        for index, (name, arguments) in self._waiting.items():
            self._begin(index, name)
            if self._parser:
                parts += self._parser.feed("".join(arguments))
            parts += self._end()
        self._waiting = {}
        return parts

    def _begin(self, index: int, name: str | None) -> None:
        language = (name or "").lower()
        self._index = index
        self._parser = ArgumentParser(language if self._is_language(language) else None)

    def _end(self) -> list[Part]:
        parser, self._parser = self._parser, None
        return [*parser.flush()] if parser else []


def _arguments(arguments: str | Mapping[str, object] | None) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments)
