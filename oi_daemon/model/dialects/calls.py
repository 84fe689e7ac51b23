"""The calls of a reply, as parts of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any

from oi_daemon.messages import Executing
from oi_daemon.messages.text import without_controls
from oi_daemon.model.dialects.arguments import ArgumentParser, MalformedCallError
from oi_daemon.model.dialects.deltas import CallDelta, FunctionDelta
from oi_daemon.model.dialects.function_arguments import FunctionArguments
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.reasoning_fields import ReasoningFields
from oi_daemon.model.dialects.text import TOOL
from oi_daemon.model.functions import ToolFunction
from oi_daemon.model.limits import MAX_NAME, check_calls
from oi_daemon.model.provider import ProviderData


@dataclass(slots=True)
class _WaitingCall:
    """A call whose deltas are kept until the call that streams has ended."""

    name: str | None
    arguments: StringIO = field(default_factory=StringIO)
    data: ProviderData = field(default_factory=ProviderData)
    """Data that the server needs back with the call."""


class CallParser:
    """Turns the calls of a reply into parts, one call after the other.

    Servers may interleave the deltas of several calls: the first call streams, and the deltas of
    the others are kept until it has ended.
    """

    def __init__(
        self,
        is_language: Callable[[str], bool],
        reasoning: ReasoningFields,
        functions: Mapping[str, ToolFunction],
    ) -> None:
        """
        Args:
            functions: the functions that may be called beside `execute`, by their names.
            reasoning: the reasoning of the reply, which is stored with its first call.
        """
        self._is_language = is_language
        self._functions = functions
        self._reasoning = reasoning
        self._data = ProviderData()
        """What the server needs back with the call that streams."""
        self._index = 0
        """Index of the call that streams."""
        self._parser: ArgumentParser | FunctionArguments | None = None
        """Parser of the call that streams; None if there is none."""
        self._name = ""
        """Name of the call that streams; empty until the server has sent one."""
        self._begun = 0
        """Number of calls so far."""
        self._executed = False
        """Whether one of the reply's calls has become `Executing`."""
        self.malformed: list[MalformedCall] = []
        self._waiting: dict[int, _WaitingCall] = {}
        """The calls that wait for the streaming call to end, by index."""

    @property
    def is_open(self) -> bool:
        """Whether a call has begun and not ended."""
        return self._parser is not None

    def feed(self, delta: CallDelta, index: int) -> list[ReplyPart]:
        """Return the parts that this delta adds; none if its call has to wait.

        Some servers give all calls the same index, so a name after complete arguments begins
        the next call.
        """
        function = delta.function or FunctionDelta()
        name, arguments = function.name, arguments_text(function.arguments)
        if self._parser is None:
            self._begin(index, name)
        elif name and not self._name and index == self._index and not self._parser.raw:
            self._set_name(name)
        elif self._parser.is_closed and not self._waiting and (index != self._index or name):
            return [*self._end(), *self.feed(delta, index)]
        elif index != self._index:
            if index not in self._waiting:
                self._waiting[index] = _WaitingCall(name)
                check_calls(self._begun + len(self._waiting))
            waiting = self._waiting[index]
            waiting.data = _with_data(waiting.data, delta)
            waiting.arguments.write(arguments)
            return []
        self._data = _with_data(self._data, delta)
        return self._stream(arguments)

    def whole(self, name: str, arguments: str) -> list[ReplyPart]:
        """Return the parts of a call that the model has written as text."""
        self._begin(self._index, name)
        return [*self._stream(arguments), *self._end()]

    def flush(self) -> list[ReplyPart]:
        """Return the last parts of the call that streams, and those of the calls that waited."""
        parts = self._end()
        for index, call in self._waiting.items():
            self._begin(index, call.name)
            self._data = call.data
            parts += [*self._stream(call.arguments.getvalue()), *self._end()]
        self._waiting = {}
        return parts

    def _begin(self, index: int, name: str | None) -> None:
        """Make this the call that streams, with a new parser."""
        self._begun += 1
        check_calls(self._begun)
        self._index = index
        self._data = ProviderData()
        self._set_name(name or "")

    def _set_name(self, name: str) -> None:
        self._name = without_controls(name)[:MAX_NAME]
        if function := self._functions.get(self._name):
            self._parser = FunctionArguments(function)
            return
        language = self._name.lower()
        self._parser = ArgumentParser(language if self._is_language(language) else None)

    @property
    def _unknown(self) -> bool:
        """Whether the call that streams names a tool that does not exist."""
        is_known = self._name in ("", TOOL) or self._name in self._functions
        return not is_known and not self._is_language(self._name.lower())

    def _stream(self, arguments: str) -> list[ReplyPart]:
        """Return the parts that these arguments add. Those of an unknown tool are not shown."""
        if self._parser is None or not arguments:
            return []
        parts = self._parser.feed(arguments)
        return [] if self._unknown else [*parts]

    def _end(self) -> list[ReplyPart]:
        """End the call that streams, and return its last parts; no parts if no call streams.

        A call that cannot be read is added to `malformed`.
        """
        parser, self._parser = self._parser, None
        if parser is None or not (parser.raw.strip() or self._name):
            return []
        if self._unknown:
            reason = f"there is no tool {self._name}"
            self.malformed.append(
                MalformedCall(self._name, parser.raw, reason, names_unknown_tool=True)
            )
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
