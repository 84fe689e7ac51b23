"""Calls that a model writes as text, because its server does not recognise them.

These are `<tool_call>{"name": ..., "arguments": ...}</tool_call>`, and the same object in a fence
(```` ```json ````) or as the whole answer.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from io import StringIO

TAG = "<tool_call>"
END_TAG = "</tool_call>"
FENCED = ('```json{"name"', '```{"name"', '```tool_call{"name"')
"""Beginnings of a call in a fence, with all white space removed."""
OBJECT = '{"name"'
"""Beginning of an answer that is nothing but a call, with all white space removed."""
LONGEST_OPENING = 200
"""Characters of a line that are held back at most, until it is clear what begins there."""


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as the model has written it."""

    name: str
    arguments: str


class _Place(Enum):
    """Where in the text of an answer the next character stands."""

    LINE_START = auto()
    LINE = auto()
    """In the middle of a line of text."""
    FENCE_START = auto()
    """At the start of a line in a fence that holds no call."""
    FENCE_LINE = auto()
    CALL = auto()
    """In a text that has begun like a call and not ended yet."""


class WrittenCallParser:
    """Separates written calls from the text of a message.

    Only calls, and the start of a line that can become one, are held back.
    """

    def __init__(self, is_tool: Callable[[str], bool]) -> None:
        """
        Args:
            is_tool: returns whether a call of this name can be run.
        """
        self._is_tool = is_tool
        self._place = _Place.LINE_START
        self._held = ""
        """The start of a line that is held back."""
        self._only_space = True
        """Whether nothing but white space has come, so that the answer can be one object."""
        self._fence = ""
        """The characters that opened the fence."""
        self._call = StringIO()
        """The call so far, with what opens it."""
        self._ends: re.Pattern[str] | None = None
        """Matches the end of the call; None if only the end of the answer ends it."""
        self._tail = ""
        """The end of the call so far, in which its end may have begun."""

    @property
    def is_in_line(self) -> bool:
        """Whether a line of text goes on that is no call, and nothing is held back."""
        return self._place is _Place.LINE and not self._held

    def feed(self, text: str) -> list[WrittenCall | str]:
        """Return the text and the calls that this piece adds."""
        data, self._held = self._held + text, ""
        parts: list[WrittenCall | str] = []
        passed = 0
        at = 0
        while at < len(data):
            match self._place:
                case _Place.CALL:
                    _add(parts, data[passed:at])
                    passed = at = self._feed_call(data, at, parts)
                case _Place.LINE_START | _Place.FENCE_START:
                    if self._must_wait(data, at):
                        self._held = data[at:]
                        break
                    self._start_line(data, at)
                case _:
                    at = self._skip_line(data, at)
                    if self._held:
                        break
        if self._place is not _Place.CALL:
            _add(parts, data[passed : len(data) - len(self._held)])
        return parts

    def flush(self, *, complete: bool) -> list[WrittenCall | str]:
        """Return what the end of the text adds.

        Args:
            complete: whether the model itself has ended here. If not, an open call is text.
        """
        parts: list[WrittenCall | str] = []
        if self._place is _Place.CALL:
            self._end_call(parts, complete=complete)
        _add(parts, self._held)
        self._held = ""
        self._place = _Place.LINE_START
        return parts

    def _must_wait(self, data: str, at: int) -> bool:
        """Return whether it is not clear yet what begins at this start of a line."""
        if len(data) - at > LONGEST_OPENING:
            return False
        line, newline, _ = data[at:].partition("\n")
        if self._place is _Place.FENCE_START:
            return not newline and not line.strip(f" {self._fence[0]}")
        start = _without_space(data[at:])
        if any(opening.startswith(start) for opening in self._openings()):
            return True
        may_open = line.strip(" ") in ("~", "~~") or _FENCE.match(line) is not None
        return may_open and not newline

    def _start_line(self, data: str, at: int) -> None:
        """Decide what begins at this start of a line."""
        line = data[at:].partition("\n")[0]
        if self._place is _Place.FENCE_START:
            closes = line.strip().startswith(self._fence) and not line.strip().strip(self._fence[0])
            self._place = _Place.LINE if closes else _Place.FENCE_LINE
            return
        start = _without_space(data[at : at + LONGEST_OPENING])
        opening = next((each for each in self._openings() if start.startswith(each)), None)
        self._only_space = self._only_space and not start
        if opening:
            self._begin_call(opening)
        elif fence := _FENCE.match(line):
            self._place, self._fence = _Place.FENCE_LINE, fence[1]
        else:
            self._place = _Place.LINE

    def _openings(self) -> tuple[str, ...]:
        return (TAG, *FENCED, OBJECT) if self._only_space else (TAG, *FENCED)

    def _skip_line(self, data: str, at: int) -> int:
        """Return where the next line or a tag starts, or where the text ends.

        The end of the text is held back if a tag may begin there.
        """
        end = data.find("\n", at)
        if self._place is _Place.LINE:
            for tag in _MAY_BE_TAG.finditer(data, at, len(data) if end < 0 else end):
                if tag[0] == TAG:
                    self._begin_call(TAG)
                    return tag.start()
                if end < 0 and tag[0] != f"`{TAG}":  # a tag in backquotes is only mentioned
                    self._held = data[tag.start() :]
        if end < 0:
            return len(data)
        in_fence = self._place is _Place.FENCE_LINE
        self._place = _Place.FENCE_START if in_fence else _Place.LINE_START
        return end + 1

    def _begin_call(self, opening: str) -> None:
        self._place, self._call, self._tail = _Place.CALL, StringIO(), ""
        self._ends = _END_TAG if opening == TAG else _END_FENCE if opening in FENCED else None

    def _feed_call(self, data: str, at: int, parts: list[WrittenCall | str]) -> int:
        """Read the call on, up to its end; return where the text goes on."""
        before = len(self._tail)
        text = self._tail + data[at:]
        found = self._ends.search(text) if self._ends else None
        end = found.end() - before if found else len(data) - at
        self._call.write(data[at : at + end])
        self._tail = text[-len(END_TAG) :]
        if found:
            self._end_call(parts, complete=True)
        return at + end

    def _end_call(self, parts: list[WrittenCall | str], *, complete: bool) -> None:
        """Add the call to `parts`, or its text if it turned out to be no call.

        A tag that holds no object becomes a malformed call.
        """
        text = self._call.getvalue()
        call = _parsed(text) if complete else None
        tagged = self._ends is _END_TAG
        self._place = _Place.LINE_START if tagged else _Place.LINE
        if tagged and complete:
            parts.append(call or WrittenCall("execute", _body(text)))
        elif call and self._is_tool(call.name):
            parts.append(call)
        else:
            _add(parts, text)


def _parsed(text: str) -> WrittenCall | None:
    """Return the call that the text holds; None if it holds none."""
    body = _body(text)
    if function := _XML.search(body):
        values = {name: value.strip("\n") for name, value in _PARAMETER.findall(function[2])}
        return WrittenCall(function[1], json.dumps(values))
    try:
        value = json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments)
    return WrittenCall(value["name"], arguments) if isinstance(arguments, str) else None


def _body(text: str) -> str:
    """Return the text of a call without its tags or its fence."""
    text = text.strip()
    if text.startswith("`"):
        text = text.partition("\n")[2].rstrip("`")
    return text.removeprefix(TAG).removesuffix(END_TAG).strip()


def _without_space(text: str) -> str:
    return "".join(text.split())


def _add(parts: list[WrittenCall | str], text: str) -> None:
    if text:
        parts.append(text)


_MAY_BE_TAG = re.compile(
    rf"`?(?:{TAG}|(?:{'|'.join(TAG[:size] for size in range(1, len(TAG)))})\Z)|`\Z"
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(?!.*`)")
_END_TAG = re.compile(re.escape(END_TAG))
_END_FENCE = re.compile(r"\n {0,3}`{3,}[ \t]*(?=\n)")
_XML = re.compile(r"<function=([\w.-]+)>(.*?)</function>", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([\w-]+)>(.*?)</parameter>", re.DOTALL)
