"""A chat completion as parts of a reply.

Tool calls, legacy function calls and calls written as text are understood in every reply, whatever
was asked for; fences are code in the style `markdown` only.
"""

from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any

from oi_daemon.messages import MessageChunk, ThinkingChunk
from oi_daemon.messages.text import without_controls
from oi_daemon.model.dialects.calls import CallParser, arguments_text
from oi_daemon.model.dialects.deltas import CallDelta, ChatEvent, Delta, content_parts, text_of
from oi_daemon.model.dialects.instructions import ToolStyle
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.reasoning_fields import ReasoningFields
from oi_daemon.model.dialects.text import TextParser
from oi_daemon.model.dialects.written_calls import WrittenCall
from oi_daemon.model.functions import ToolFunction
from oi_daemon.model.limits import MAX_WRITTEN, check_length

OWN_ENDS = frozenset({"stop", "tool_calls", "function_call", "end_turn", "stop_sequence", "eos"})
"""Finish reasons that mean that the model has ended its reply itself; all others mean a cut."""


class ReplyParser:
    """Turns the events of one reply into its parts. Call `finish` after the last event."""

    def __init__(
        self,
        is_language: Callable[[str], bool],
        style: ToolStyle = "tools",
        *,
        begins_thinking: bool = False,
        functions: Sequence[ToolFunction] = (),
    ) -> None:
        """
        Args:
            style: how the model was asked to write code.
            functions: those that may be called beside `execute`.
            begins_thinking: see `ThinkingFilter`.
        """
        named = {function.name: function for function in functions}
        self._text = TextParser(is_language, style, named, begins_thinking=begins_thinking)
        self._reasoning = ReasoningFields()
        self._calls = CallParser(is_language, self._reasoning, named)
        self._text_after_calls = StringIO()
        """Text that came during a call and is passed on after it."""
        self._saw_delta = False
        """Whether the reply has come in deltas, so that a whole message would repeat it."""
        self._length = 0
        """Characters of the reply so far, with its thinking."""
        self.finish_reason: str | None = None
        """Why the model stopped; None if the server has not said so (yet)."""
        self.usage: Any = None
        """What the server counted, as it sent it; None if it has not (yet)."""
        self.written = 0
        """Characters that the model has written so far, without its thinking."""

    @property
    def is_complete(self) -> bool:
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
        if event.usage or event.x_groq:
            self.usage = event.usage or _groq_usage(event) or self.usage
        if event.done and self.finish_reason is None:
            self.finish_reason = "stop"
        if not event.choices:
            return []
        choice = event.choices[0]
        if choice.finish_reason:
            self.finish_reason = without_controls(choice.finish_reason)
        if choice.delta is not None:
            self._saw_delta = True
            return self._add(choice.delta)
        if choice.message is not None and not self._saw_delta:
            return self._add(choice.message)
        return []

    def finish(self) -> list[ReplyPart]:
        """Return what is left. A block that is not complete does not become `Executing`."""
        parts = self._joined(self._text.flush(complete=self.is_complete))
        if self.is_complete:
            parts += self._calls.flush()
        if text := self._text_after_calls.getvalue():
            parts += self._joined(self._text.feed(text))
            parts += self._joined(self._text.flush(complete=self.is_complete))
        return parts

    @property
    def ends_unmarked(self) -> bool | None:
        """See `ThinkingFilter.ends_unmarked`."""
        return self._text.thinking.ends_unmarked

    def _add(self, delta: Delta) -> list[ReplyPart]:
        """Return the parts that a delta adds."""
        parts: list[ReplyPart] = []
        self._reasoning.add(delta)
        for text, is_thinking in ((_thinking(delta), True), *content_parts(delta.content)):
            if text:
                parts += self._add_thinking(text) if is_thinking else self._add_text(text)
        if refusal := text_of(delta.refusal):
            self._count(refusal)
            parts += [*self._joined(self._text.flush(complete=False)), MessageChunk(refusal)]
        for number, call in enumerate(delta.tool_calls or ()):
            parts += self._add_call(call, number if call.index is None else call.index)
        if delta.function_call:
            parts += self._add_call(CallDelta(function=delta.function_call), 0)
        return parts

    def _measure(self, text: str) -> None:
        """Add text, thinking or other, to the length of the reply.

        Raises:
            ServerLimitError: the reply is too long.
        """
        self._length += len(text)
        check_length("it", self._length, MAX_WRITTEN)

    def _count(self, text: str) -> None:
        """Add text that is not thinking to the length of the reply, and to what is written.

        Raises:
            ServerLimitError: the reply is too long.
        """
        self._measure(text)
        self.written += len(text)

    def _add_thinking(self, text: str) -> list[ReplyPart]:
        self._measure(text)
        self._text.thinking.expect_message()
        return [ThinkingChunk(text)]

    def _add_text(self, text: str) -> list[ReplyPart]:
        if self._calls.is_open:
            self._count(text)
            self._text_after_calls.write(text)
            return []
        self._measure(text)
        parts = self._joined(self._text.feed(text))
        thinking = 0
        for part in parts:
            if isinstance(part, ThinkingChunk):
                thinking += len(part.text)
        self.written += max(0, len(text) - thinking)
        return parts

    def _add_call(self, delta: CallDelta, index: int) -> list[ReplyPart]:
        if delta.function is None:
            return []
        before = [] if self._calls.is_open else self._joined(self._text.flush(complete=True))
        self._count(arguments_text(delta.function.arguments))
        return [*before, *self._calls.feed(delta, index)]

    def _joined(self, parts: list[ReplyPart | WrittenCall]) -> list[ReplyPart]:
        """Return the parts, with each written call replaced by the parts that it consists of."""
        joined: list[ReplyPart] = []
        for part in parts:
            if isinstance(part, WrittenCall):
                joined += self._calls.whole(part.name, part.arguments)
            else:
                joined.append(part)
        return joined


def _groq_usage(event: ChatEvent) -> Any:
    return event.x_groq.get("usage") if isinstance(event.x_groq, Mapping) else None


def _thinking(delta: Delta) -> str:
    """Return the thinking that comes in a field of its own, whatever its name."""
    text = text_of(delta.reasoning_content) or text_of(delta.reasoning)
    if text or not isinstance(delta.reasoning_details, list):
        return text
    details = [each for each in delta.reasoning_details if isinstance(each, Mapping)]
    return "".join(text_of(each.get("text") or each.get("summary")) for each in details)
