"""The calls of a response, as parts of a reply."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from oi_daemon.messages import Executing
from oi_daemon.messages.text import without_controls
from oi_daemon.model.dialects.arguments import ArgumentParser, MalformedCallError
from oi_daemon.model.dialects.function_arguments import FunctionArguments
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.response_events import OutputItem
from oi_daemon.model.dialects.text import TOOL
from oi_daemon.model.functions import ToolFunction
from oi_daemon.model.limits import MAX_NAME, check_calls
from oi_daemon.model.provider import ProviderData


@dataclass(slots=True)
class _OpenCall:
    """A call of a response, from its first event on."""

    name: str
    language: str | None
    """The language of a custom tool; None of the function `execute`."""
    data: ProviderData
    parser: ArgumentParser | FunctionArguments
    is_known: bool
    """Whether there is a tool of this name."""
    parts: list[ReplyPart] = field(default_factory=list)
    """Parts that are kept until `flush`, because another call streams."""
    is_cut: bool = False
    """Whether the server says that the call is not complete."""


class ResponseCalls:
    """Turns the calls of one response into parts.

    The first call streams, and the others are kept. No call becomes `Executing` before `flush`,
    which is called once the response is complete.
    """

    def __init__(
        self,
        language_of: Callable[[str], str | None],
        functions: Sequence[ToolFunction] = (),
    ) -> None:
        """
        Args:
            functions: those that may be called beside `execute`.
            language_of: returns the language whose custom tool has a name; None for another tool.
        """
        self._language_of = language_of
        self._functions = {function.name: function for function in functions}
        self._calls: dict[int, _OpenCall] = {}
        """The calls by their place in the response."""
        self._written = 0
        """Number of calls that the model has written as text."""
        self.malformed: list[MalformedCall] = []

    @property
    def has_begun(self) -> bool:
        """Whether there is a call."""
        return bool(self._calls)

    def __contains__(self, index: int) -> bool:
        return index in self._calls

    def begin(
        self, index: int, item: OutputItem, items: list[Mapping[str, Any]], phase: str | None
    ) -> None:
        """Begin the call at this place of the response.

        Args:
            items: the reasoning before it, which goes back with it.
            phase: what the model called its words before it.

        Raises:
            ServerLimitError: the response makes too many calls.
        """
        check_calls(len(self._calls) + self._written + 1)
        data = ProviderData(
            call_id=item.call_id,
            joined=self.has_begun,
            items=items,
            phase=None if self.has_begun else phase,
        )
        self._calls[index] = self._opened(item.name or "", data)

    def _opened(self, name: str, data: ProviderData) -> _OpenCall:
        """Return a call of this name, without any of its code or arguments."""
        name = without_controls(name)[:MAX_NAME]
        language = self._language_of(name)
        return _OpenCall(
            name=name,
            language=language,
            data=data,
            parser=self._parser(name, language),
            is_known=language is not None or name in ("", TOOL, *self._functions),
        )

    def feed(self, index: int, delta: str) -> list[ReplyPart]:
        """Return the parts that this piece of a call's code or arguments adds."""
        call = self._calls.get(index)
        if call is None:
            return []
        parts = call.parser.feed(delta)
        if not call.is_known:
            return []
        if call is not next(iter(self._calls.values())):
            call.parts += parts
            return []
        return [*parts]

    def check(self, index: int, whole: str) -> list[ReplyPart]:
        """Replace what has streamed of a call by its whole text; return the parts that are new."""
        call = self._calls.get(index)
        if call is None or whole == (raw := call.parser.raw):
            return []
        if whole.startswith(raw):
            return self.feed(index, whole[len(raw) :])
        call.parser = self._parser(call.name, call.language)
        call.parser.feed(whole)
        return []

    def _parser(self, name: str, language: str | None) -> ArgumentParser | FunctionArguments:
        function = self._functions.get(name)
        return FunctionArguments(function) if function else ArgumentParser(language)

    def cut(self, index: int) -> None:
        """Take note that the call at this place never ends, so that it does not run."""
        if call := self._calls.get(index):
            call.is_cut = True

    def whole(self, name: str, arguments: str) -> list[ReplyPart]:
        """Return the parts of a call that the model has written as text.

        Raises:
            ServerLimitError: the response makes too many calls.
        """
        check_calls(len(self._calls) + self._written + 1)
        self._written += 1
        call = self._opened(name, ProviderData())
        return (
            [*call.parser.feed(arguments), *self._end(call)] if call.is_known else self._end(call)
        )

    def flush(self) -> list[ReplyPart]:
        """Return the last parts of all calls, each with its `Executing`."""
        parts: list[ReplyPart] = []
        for call in self._calls.values():
            parts += [*call.parts, *self._end(call)]
        return parts

    def _end(self, call: _OpenCall) -> list[ReplyPart]:
        raw = call.parser.raw
        if not call.is_known:
            reason = f"there is no tool {call.name}"
            self.malformed.append(MalformedCall(call.name, raw, reason, names_unknown_tool=True))
            return []
        if call.is_cut:
            return []
        try:
            ending = call.parser.flush()
        except MalformedCallError as error:
            self.malformed.append(MalformedCall(call.name, raw, str(error)))
            return []
        provider = call.data.dump()
        return [
            replace(part, provider=provider) if isinstance(part, Executing) else part
            for part in ending
        ]
