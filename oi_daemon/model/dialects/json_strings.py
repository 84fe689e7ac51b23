"""Reads a JSON object that is still being written: the text of its string values, as it comes.

Linear in the object's length and right at every split, inside escapes and surrogate pairs too.
Takes what models really write: raw newlines and unknown escapes in strings. It does not validate.
"""

import re
from enum import Enum, auto
from typing import NamedTuple


class Piece(NamedTuple):
    """Some more of the value of `key`."""

    key: str
    text: str
    ended: bool


class _EscapeState(Enum):
    BEFORE_KEY = auto()
    KEY = auto()
    BEFORE_VALUE = auto()
    VALUE = auto()
    OPAQUE = auto()
    CLOSED = auto()


class JSONStrings:
    """`feed` gives the pieces of string values; any other value ends what can be read so far."""

    def __init__(self) -> None:
        self._state = _EscapeState.BEFORE_KEY
        self._held = ""
        self._key = ""
        self._surrogate = ""

    @property
    def closed(self) -> bool:
        """The object is complete."""
        return self._state is _EscapeState.CLOSED

    def feed(self, text: str) -> list[Piece]:
        data, at = self._held + text, 0
        pieces: list[Piece] = []
        while (end := self._step(data, at, pieces)) is not None:
            at = end
        self._held = data[at:] if self._state in _READING else ""
        return pieces

    def _step(self, data: str, at: int, pieces: list[Piece]) -> int | None:
        """Read one token; None: there is no more to read yet."""
        if at == len(data):
            return None
        match self._state:
            case _EscapeState.KEY | _EscapeState.VALUE:
                return self._string(data, at, pieces)
            case _EscapeState.BEFORE_KEY:
                return self._opening(_KEY_OPENS, _EscapeState.KEY, data, at)
            case _EscapeState.BEFORE_VALUE:
                return self._opening(_VALUE_OPENS, _EscapeState.VALUE, data, at)
            case _:
                return None

    def _opening(
        self, opening: re.Pattern[str], state: _EscapeState, data: str, at: int
    ) -> int | None:
        """Go on to the next string; anything but its quote closes the object or makes it opaque."""
        found = opening.match(data, at)
        assert found is not None  # it matches the empty text
        end = found.end()
        if found[1]:
            self._state = state
            self._key = "" if state is _EscapeState.KEY else self._key
        elif end < len(data):
            self._state = _EscapeState.CLOSED if data[end] == "}" else _EscapeState.OPAQUE
        return end

    def _string(self, data: str, at: int, pieces: list[Piece]) -> int | None:
        body = _BODY.match(data, at)
        assert body is not None  # it matches the empty text
        end = body.end()
        if end < len(data) and data[end] == "\\":
            if _UNFINISHED_ESCAPE.fullmatch(data, end) is None:
                end += 1  # not an escape after all: an ordinary backslash
            elif end == at:
                return None
        ended = end < len(data) and data[end] == '"'
        self._decoded(self._decode(data[at:end], ended), ended, pieces)
        return end + 1 if ended else end

    def _decoded(self, text: str, ended: bool, pieces: list[Piece]) -> None:
        if self._state is _EscapeState.KEY:
            self._key += text
            if ended:
                self._state = _EscapeState.BEFORE_VALUE
            return
        if text or ended:
            pieces.append(Piece(self._key, text, ended))
        if ended:
            self._state = _EscapeState.BEFORE_KEY

    def _decode(self, body: str, ended: bool) -> str:
        """A half of a surrogate pair waits for its other half."""
        text = self._surrogate + (_ESCAPE.sub(_character, body) if "\\" in body else body)
        self._surrogate = ""
        if text and not ended and "\ud800" <= text[-1] <= "\udbff":
            text, self._surrogate = text[:-1], text[-1]
        return join_surrogates(text)


def join_surrogates(text: str) -> str:
    """Pairs of surrogates as the character that they mean, single ones as U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return _SHORT.get(escape[2], escape[0])


_READING = (
    _EscapeState.BEFORE_KEY,
    _EscapeState.KEY,
    _EscapeState.BEFORE_VALUE,
    _EscapeState.VALUE,
)
_KEY_OPENS = re.compile(r'[\s{,]*(")?')
_VALUE_OPENS = re.compile(r'\s*:?\s*(")?')
_BODY = re.compile(r'[^"\\]*(?:\\(?:[^u]|u[0-9a-fA-F]{4})[^"\\]*)*', re.DOTALL)
_UNFINISHED_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([^u]))", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
