"""Reads the string values of a JSON object while the object is still being received.

Takes linear time, and the result does not depend on where the text is split, not even inside an
escape or a surrogate pair. It accepts what models really write, such as raw newlines and unknown
escapes in strings, and does not validate.
"""

import re
from enum import Enum, auto
from typing import NamedTuple


class Piece(NamedTuple):
    """Some more of the value of `key`."""

    key: str
    text: str
    ended: bool
    """Whether this is the end of the value."""


class _ReaderState(Enum):
    """What the reader expects next."""

    BEFORE_KEY = auto()
    KEY = auto()
    BEFORE_VALUE = auto()
    VALUE = auto()
    OPAQUE = auto()
    """Nothing any more: a value that is not a string has begun, so the rest is not read."""
    CLOSED = auto()
    """Nothing any more: the object has ended."""


class JSONStrings:
    """Returns the pieces of string values from `feed`, up to the first value of another type."""

    def __init__(self) -> None:
        self._state = _ReaderState.BEFORE_KEY
        self._held = ""
        """Text that was fed and cannot be read before more comes, such as half an escape."""
        self._key = ""
        """The key that is being read, or whose value is."""
        self._surrogate = ""
        """The first half of a surrogate pair, whose second half has not come yet."""

    @property
    def is_closed(self) -> bool:
        """Whether the object is complete."""
        return self._state is _ReaderState.CLOSED

    def feed(self, text: str) -> list[Piece]:
        """Return the pieces of values that this text adds."""
        data, at = self._held + text, 0
        pieces: list[Piece] = []
        while (end := self._step(data, at, pieces)) is not None:
            at = end
        self._held = data[at:] if self._state in _READABLE_STATES else ""
        return pieces

    def _step(self, data: str, at: int, pieces: list[Piece]) -> int | None:
        """Read one token at `at`; return where it ends, or None if it needs more text."""
        if at == len(data):
            return None
        match self._state:
            case _ReaderState.KEY | _ReaderState.VALUE:
                return self._string(data, at, pieces)
            case _ReaderState.BEFORE_KEY:
                return self._opening(_KEY_OPENS, _ReaderState.KEY, data, at)
            case _ReaderState.BEFORE_VALUE:
                return self._opening(_VALUE_OPENS, _ReaderState.VALUE, data, at)
            case _:
                return None

    def _opening(
        self, opening: re.Pattern[str], state: _ReaderState, data: str, at: int
    ) -> int | None:
        """Read up to the next string's quote; return where reading goes on.

        Anything else there ends the object, or makes the rest of it opaque.
        """
        found = opening.match(data, at)
        assert found is not None  # because it matches the empty text
        end = found.end()
        if found[1]:
            self._state = state
            self._key = "" if state is _ReaderState.KEY else self._key
        elif end < len(data):
            self._state = _ReaderState.CLOSED if data[end] == "}" else _ReaderState.OPAQUE
        return end

    def _string(self, data: str, at: int, pieces: list[Piece]) -> int | None:
        """Read a string's text, or some of it; return where it ends, or None if more is needed."""
        body = _BODY.match(data, at)
        assert body is not None  # because it matches the empty text
        end = body.end()
        if end < len(data) and data[end] == "\\":
            if _UNFINISHED_ESCAPE.fullmatch(data, end) is None:
                end += 1  # not an escape, but a backslash that is text
            elif end == at:
                return None
        ended = end < len(data) and data[end] == '"'
        self._add(self._decode(data[at:end], ended), ended, pieces)
        return end + 1 if ended else end

    def _add(self, text: str, ended: bool, pieces: list[Piece]) -> None:
        """Add decoded text to the key or to the value that is being read."""
        if self._state is _ReaderState.KEY:
            self._key += text
            if ended:
                self._state = _ReaderState.BEFORE_VALUE
            return
        if text or ended:
            pieces.append(Piece(self._key, text, ended))
        if ended:
            self._state = _ReaderState.BEFORE_KEY

    def _decode(self, body: str, ended: bool) -> str:
        """Return the text of a string's body. Half a surrogate pair is kept for its other half."""
        text = self._surrogate + (_ESCAPE.sub(_character, body) if "\\" in body else body)
        self._surrogate = ""
        if text and not ended and "\ud800" <= text[-1] <= "\udbff":
            text, self._surrogate = text[:-1], text[-1]
        return join_surrogates(text)


def join_surrogates(text: str) -> str:
    """Return the text with surrogate pairs joined to characters, and single ones as U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(escape: re.Match[str]) -> str:
    """Return the character of an escape; an unknown escape as it is."""
    if escape[1]:
        return chr(int(escape[1], 16))
    return _SHORT.get(escape[2], escape[0])


_READABLE_STATES = (
    _ReaderState.BEFORE_KEY,
    _ReaderState.KEY,
    _ReaderState.BEFORE_VALUE,
    _ReaderState.VALUE,
)
_KEY_OPENS = re.compile(r'[\s{,]*(")?')
_VALUE_OPENS = re.compile(r'\s*:?\s*(")?')
_BODY = re.compile(r'[^"\\]*(?:\\(?:[^u]|u[0-9a-fA-F]{4})[^"\\]*)*', re.DOTALL)
_UNFINISHED_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([^u]))", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
