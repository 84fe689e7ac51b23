"""A response of `/responses` as parts of a reply."""

from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any

import msgspec

from oi_daemon.messages import MessageChunk, ThinkingChunk
from oi_daemon.messages.summaries import marked
from oi_daemon.messages.text import without_controls
from oi_daemon.model.dialects.instructions import ToolStyle
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.response_calls import ResponseCalls
from oi_daemon.model.dialects.response_events import (
    CompactionItem,
    OutputItem,
    Response,
    ResponseEvent,
)
from oi_daemon.model.dialects.text import TextParser
from oi_daemon.model.dialects.written_calls import WrittenCall
from oi_daemon.model.events import StreamedError
from oi_daemon.model.functions import ToolFunction
from oi_daemon.model.limits import MAX_WRITTEN, check_length

MAX_REASONING = 8_000_000
"""Characters of one response's reasoning: 128,000 tokens have about a megabyte, encrypted."""
ENDS = ("completed", "incomplete", "failed", "cancelled")
"""States in which a response does not change any more."""
SERVERS_SUMMARY = (
    "The model's server has summarised them. It has encrypted the summary, so only it can read it."
)
"""The text that a person sees in place of a summary that the server has made."""
_CALLS = ("custom_tool_call", "function_call")


class ResponseParser:
    """Turns the events of one response into its parts. Call `finish` after the last event."""

    def __init__(
        self,
        language_of: Callable[[str], str | None],
        is_language: Callable[[str], bool],
        style: ToolStyle = "tools",
        functions: Sequence[ToolFunction] = (),
        *,
        begins_thinking: bool = False,
        covered: int = 0,
    ) -> None:
        """
        Args:
            language_of: see `ResponseCalls`.
            style: how the model was asked to write code.
            functions: those that may be called beside `execute`.
            begins_thinking: see `ThinkingFilter`.
            covered: how many messages a summary would cover that the server makes.
        """
        self._covered = covered
        self._calls = ResponseCalls(language_of, functions)
        names = {function.name for function in functions}
        self._text = TextParser(is_language, style, names, begins_thinking=begins_thinking)
        self._text_after_calls = StringIO()
        """Text that came after a call had begun, and is passed on after it."""
        self._items: list[Mapping[str, Any]] = []
        """Items of reasoning that no call has followed yet."""
        self._phase: str | None = None
        """What the model calls its latest message."""
        self._thought = 0
        """Characters of the reasoning so far, with what goes back to the server."""
        self._has_thought = False
        """Whether some of the reasoning was shown."""
        self._break = ""
        """A blank line, where the next summary or message must be separated from the one before."""
        self._text_open = False
        """Whether there was text, and no call after it."""
        self._has_text = False
        """Whether the response has words for the person."""
        self._has_summary = False
        """Whether the server has summarised the conversation."""
        self._late: list[ReplyPart] = []
        """The server's summary, if it came after a call had begun."""
        self._length = 0
        """Characters that the model has written so far, with the thinking in its text."""
        self.written = 0
        """Characters that the model has written so far, without its thinking."""
        self.end: Response | None = None
        """The response as it ended; None while it has not."""
        self._deltas: dict[str, Callable[[ResponseEvent], list[ReplyPart]]] = {
            "response.custom_tool_call_input.delta": self._add_code,
            "response.function_call_arguments.delta": self._add_code,
            "response.output_text.delta": self._add_text,
            "response.refusal.delta": self._add_text,
            "response.reasoning_summary_text.delta": self._add_thinking,
            "response.reasoning_text.delta": self._add_thinking,
            "response.reasoning_summary_part.added": self._begin_summary,
            "response.custom_tool_call_input.done": self._check_code,
            "response.function_call_arguments.done": self._check_code,
        }
        """The method that handles an event, by the event's type."""

    @property
    def malformed(self) -> list[MalformedCall]:
        """The calls that could not be read."""
        return self._calls.malformed

    @property
    def ends_unmarked(self) -> bool | None:
        """See `ThinkingFilter.ends_unmarked`."""
        return self._text.thinking.ends_unmarked

    @property
    def is_complete(self) -> bool:
        """Whether the model itself has ended the response, so that its code may run."""
        return self.end is not None and self.end.status == "completed"

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped, in the words of chat completions; None if it has not (yet)."""
        if self.end is None:
            return None
        details = self.end.incomplete_details
        reason = (details and details.reason) or self.end.status or ""
        return _REASONS.get(reason, without_controls(reason))

    def feed(self, event: ResponseEvent) -> list[ReplyPart]:
        """Return the parts that this event adds.

        Raises:
            StreamedError: the response has failed.
            ServerLimitError: it is too long, or makes too many calls.
        """
        if add := self._deltas.get(event.type):
            return add(event)
        if event.type == "error":
            raise StreamedError(event.error or _error(event))
        if event.type.removeprefix("response.") in ENDS and len(event.response):
            return self.whole(msgspec.json.decode(event.response, type=Response))
        if len(event.item):
            return self._add_item(event.type, event.output_index, event.item)
        return []

    def _add_item(self, kind: str, index: int, raw: msgspec.Raw) -> list[ReplyPart]:
        """Take an item that begins or ends."""
        if kind == "response.output_item.done":
            return self._end_item(index, raw)
        if kind == "response.output_item.added":
            self._begin(index, _decoded(raw))
        return []

    def whole(self, response: Response) -> list[ReplyPart]:
        """Return the parts that a response at its end holds and that did not stream before.

        Raises:
            StreamedError: the response has failed.
        """
        self.end = response
        if response.status == "failed":
            raise StreamedError(response.error or "The response has failed.")
        parts: list[ReplyPart] = []
        has_text, has_calls = self._has_text, self._calls.has_begun
        for index, raw in enumerate(response.output or ()):
            item = _decoded(raw)
            if item.type in _CALLS and not has_calls:
                parts += self._end_item(index, raw)
            elif item.type == "message" and not has_text:
                self._begin(index, item)
                parts += self._write(_text(item.content))
            elif item.type == "reasoning" and not has_calls:
                parts += self._end_item(index, raw)
            elif item.type == "compaction" and not self._has_summary:
                parts += self._summarised(raw)
        return parts

    def finish(self) -> list[ReplyPart]:
        """Return what is left. A block that is not complete does not become `Executing`."""
        parts = self._joined(self._text.flush(complete=self.is_complete))
        if self.is_complete:
            parts += self._calls.flush()
        parts += self._late
        if text := self._text_after_calls.getvalue():
            parts += self._joined(self._text.feed(text))
            parts += self._joined(self._text.flush(complete=self.is_complete))
        return parts

    def _begin(self, index: int, item: OutputItem) -> None:
        """Take note of an item that begins."""
        if item.type == "message":
            self._phase = item.phase
            self._break = "\n\n" if self._text_open else ""
        elif item.type in _CALLS:
            items, self._items = self._items, []
            self._calls.begin(index, item, items, self._phase)

    def _end_item(self, index: int, raw: msgspec.Raw) -> list[ReplyPart]:
        """Return the parts that a complete item holds and that did not stream before."""
        item = _decoded(raw)
        if item.type == "reasoning":
            self._measure(len(raw))
            self._items.append(_sendable(msgspec.json.decode(raw)))
        if item.type == "message" and item.phase:
            self._phase = item.phase
        if item.type == "compaction":
            return self._summarised(raw)
        if item.type not in _CALLS:
            return []
        if index not in self._calls:
            self._begin(index, item)
        if item.status == "incomplete":
            self._calls.cut(index)
        whole = item.input if item.type == "custom_tool_call" else item.arguments
        return self._check(index, whole)

    def _summarised(self, raw: msgspec.Raw) -> list[ReplyPart]:
        """Return the text that stands for a summary of the server's, with the summary as data.

        It is kept until `finish` if a call has begun, whose parts follow each other.
        """
        self._measure(len(raw))
        self._has_summary = True
        item = msgspec.json.decode(raw, type=CompactionItem)
        if not item.encrypted_content or not self._covered:
            return []
        data = {"items": [{"type": "compaction", **msgspec.to_builtins(item)}]}
        text = marked(SERVERS_SUMMARY, self._covered)
        summary = MessageChunk(f"{text}\n\n", data)
        if self._calls.has_begun:
            self._late.append(summary)
            return []
        return [*self._end_text(), summary]

    def _check(self, index: int, whole: object) -> list[ReplyPart]:
        """Return the parts of the call at this place that its whole text adds to what streamed."""
        if not isinstance(whole, str):
            return []
        return [*self._end_text(), *self._calls.check(index, whole)]

    def _check_code(self, event: ResponseEvent) -> list[ReplyPart]:
        """Take the event that ends a call's code or arguments."""
        whole = event.input if event.arguments is None else event.arguments
        return self._check(event.output_index, whole)

    def _add_code(self, event: ResponseEvent) -> list[ReplyPart]:
        """Return the parts that the next piece of a call's code or arguments adds."""
        delta = event.delta
        if not isinstance(delta, str):
            return []
        self._count(delta)
        before = self._end_text()
        return [*before, *self._calls.feed(event.output_index, delta)]

    def _end_text(self) -> list[ReplyPart]:
        """Return what is held back of the text before a call."""
        if not self._text_open:
            return []
        self._text_open = False
        return self._joined(self._text.flush(complete=True))

    def _begin_summary(self, event: ResponseEvent) -> list[ReplyPart]:
        """Separate the next summary of the reasoning from the one before."""
        self._break = "\n\n" if self._has_thought else ""
        return []

    def _add_text(self, event: ResponseEvent) -> list[ReplyPart]:
        """Return the parts that the next piece of a message or a refusal adds."""
        return self._write(event.delta)

    def _write(self, delta: object) -> list[ReplyPart]:
        """Return the parts that this piece of a message adds."""
        if not isinstance(delta, str) or not delta:
            return []
        text, self._break = self._break + delta, ""
        self._text_open = self._has_text = True
        if self._calls.has_begun:
            self._count(delta)
            self._text_after_calls.write(text)
            return []
        parts = self._text.feed(text)
        self._count(delta, sum(len(p.text) for p in parts if isinstance(p, ThinkingChunk)))
        return self._joined(parts)

    def _joined(self, parts: list[ReplyPart | WrittenCall]) -> list[ReplyPart]:
        """Return the parts, with each written call replaced by the parts that it consists of."""
        joined: list[ReplyPart] = []
        for part in parts:
            if isinstance(part, WrittenCall):
                joined += self._calls.whole(part.name, part.arguments)
            else:
                joined.append(part)
        return joined

    def _add_thinking(self, event: ResponseEvent) -> list[ReplyPart]:
        """Return the next piece of the reasoning, or of its summary."""
        delta = event.delta
        if not isinstance(delta, str) or not delta:
            return []
        self._measure(len(delta))
        text, self._break = self._break + delta, ""
        self._has_thought = True
        self._text.thinking.expect_message()
        return [ThinkingChunk(text)]

    def _measure(self, size: int) -> None:
        """Add to the length of the reasoning.

        Raises:
            ServerLimitError: the reasoning is too long.
        """
        self._thought += size
        check_length("its reasoning", self._thought, MAX_REASONING)

    def _count(self, text: str, thought: int = 0) -> None:
        """Add to the length of what the model has written.

        Args:
            thought: how many characters of it turned out to be thinking.

        Raises:
            ServerLimitError: the reply is too long.
        """
        self._length += len(text)
        self.written += max(0, len(text) - thought)
        check_length("it", self._length, MAX_WRITTEN)


def _decoded(raw: msgspec.Raw) -> OutputItem:
    return msgspec.json.decode(raw, type=OutputItem)


def _sendable(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item of reasoning with the fields that go back to the server."""
    kept = {name: item[name] for name in _SENT_BACK if item.get(name) is not None}
    return {"type": "reasoning", "id": "", "summary": [], **kept}


def _error(event: ResponseEvent) -> dict[str, Any]:
    return {"code": event.code, "message": event.message, "param": event.param}


def _text(content: object) -> str:
    """Return the text of a whole message's content."""
    parts = content if isinstance(content, list) else []
    texts = (each.get("text") or each.get("refusal") for each in parts if isinstance(each, dict))
    return "".join(text for text in texts if isinstance(text, str))


_SENT_BACK = ("id", "summary", "content", "encrypted_content")
_REASONS = {"completed": "stop", "max_output_tokens": "length"}
