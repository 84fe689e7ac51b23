"""Converts bytes to messages and back, in both framings: LSP headers, or one JSON object per line.

It knows no file descriptors and no methods: `Decoder` takes bytes in pieces of any size.
"""

import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeAlias

import msgspec

from oi_daemon.errors import RequestError

MAX_FRAME = 64 * 1024 * 1024
"""Size in bytes of the largest message that is accepted."""

_MAX_HEADER = 8192
"""Size in bytes of the longest header line that is accepted."""
_MAX_LENGTH_LINE = 128
"""Size in bytes of the longest `Content-Length` line that the search for the next frame finds."""

_NOT_A_HEADER = "expected the header Content-Length"
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*[ \t]*:")
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_LENGTH_LINE = re.compile(rb"content-length[ \t]*:[ \t]*\d{1,20}[ \t]*\r?\n\Z", re.IGNORECASE)
_ANY_LENGTH_LINE = re.compile(rb"content-length[ \t]*:[^\"\r\n]{0,64}\r?\n", re.IGNORECASE)
_BEGUN_LENGTH_LINE = re.compile(rb"content-length[ \t]*:[ \t]*\d*[ \t]*\r?\Z", re.IGNORECASE)


class Framing(Enum):
    """How messages are separated."""

    LINES = "lines"
    """One JSON object per line."""
    HEADERS = "headers"
    """A `Content-Length` header before each message, as in the LSP base protocol."""


Frame: TypeAlias = dict[str, Any] | RequestError
"""A message, or the error that answers bytes which are no message."""


def encode(message: Any, framing: Framing) -> bytes:
    """The bytes of a message."""
    body = _encode_json(message)
    if framing is Framing.LINES:
        return body + b"\n"
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Decoder:
    """Converts bytes to messages. The first bytes decide which framing the client uses."""

    def __init__(self, max_frame: int = MAX_FRAME, framing: Framing | None = None) -> None:
        """
        Args:
            max_frame: size in bytes of the largest message that is accepted.
            framing: the only one that is understood, whatever the first bytes are.
        """
        self.framing: Framing | None = None
        """The client's framing; None until enough bytes have come to decide it."""
        self._max_frame = max_frame
        self._buffer = bytearray()
        self._frames: _LineDecoder | _HeaderDecoder | None = None
        self._choose(framing)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The messages that these bytes complete."""
        self._buffer += data
        if self._frames is None:
            self._choose(_framing_of(self._buffer))
        while self._frames and (frame := self._frames.next(self._buffer)) is not None:
            yield frame

    def end(self) -> Iterator[Frame]:
        """The message that is left when no more bytes can come, if there is one.

        The last line needs no line end. Half a frame is refused.
        """
        self._choose(self.framing or Framing.LINES)
        if self._frames and (frame := self._frames.last(self._buffer)) is not None:
            yield frame
        self._buffer.clear()

    def _choose(self, framing: Framing | None) -> None:
        if self._frames is None and framing is not None:
            self.framing = framing
            self._frames = (_LineDecoder if framing is Framing.LINES else _HeaderDecoder)(
                self._max_frame
            )


def _framing_of(start: bytearray) -> Framing | None:
    """The framing of an input that begins like this; None if that cannot be decided yet.

    A header begins with a name and a colon. Anything else is a line.
    """
    start = start.lstrip()
    if _HEADER.match(start):
        return Framing.HEADERS
    undecided = not start or (start[:1].isalpha() and b"\n" not in start and len(start) < 256)
    return None if undecided else Framing.LINES


class _LineDecoder:
    """Reads one message per line. Blank lines are ignored."""

    def __init__(self, max_frame: int) -> None:
        self._max_frame = max_frame
        self._searched = 0
        """Number of bytes of the buffer that are known to hold no line end."""
        self._skipping = False
        """True while the rest of a line that was refused is being dropped."""

    def next(self, buffer: bytearray) -> Frame | None:
        while (end := buffer.find(b"\n", self._searched)) >= 0:
            line = bytes(buffer[:end]).strip() if end <= self._max_frame else None
            del buffer[: end + 1]
            self._searched = 0
            skipped, self._skipping = self._skipping, False
            if line is None and not skipped:
                return self._refusal()
            if line and not skipped:
                return _parse(line)
        return self._unfinished(buffer)

    def last(self, buffer: bytearray) -> Frame | None:
        line = bytes(buffer).strip()
        return _parse(line) if line and not self._skipping else None

    def _unfinished(self, buffer: bytearray) -> Frame | None:
        self._searched = len(buffer)
        if not self._skipping and len(buffer) <= self._max_frame:
            return None
        buffer.clear()
        self._searched = 0
        skipped, self._skipping = self._skipping, True
        return None if skipped else self._refusal()

    def _refusal(self) -> RequestError:
        return RequestError(RequestError.INVALID, f"a line of more than {self._max_frame} bytes")


class _HeaderDecoder:
    """Reads frames: `Content-Length: N`, perhaps other headers, a blank line, N bytes.

    After a frame with a wrong length, reading goes on at the next `Content-Length` line, so that
    the frames around it are not lost. JSON cannot contain such a line, because its strings have no
    raw line ends.
    """

    def __init__(self, max_frame: int) -> None:
        self._max_frame = max_frame
        self._is_lost = False
        """True if the next bytes may still belong to a frame that was refused."""
        self._skipped = False
        """True if some bytes of the refused frame have been dropped already."""
        self._begin()

    def _begin(self) -> None:
        """Expect a new frame."""
        self._started = self._in_body = False
        self._length = -1
        self._problem = "a frame without Content-Length"
        self._searched = 0

    def next(self, buffer: bytearray) -> Frame | None:
        if self._is_lost and not self._find_frame(buffer):
            return None
        while not self._in_body:
            end = buffer.find(b"\n")
            if end < 0:
                return self._refuse(_NOT_A_HEADER) if len(buffer) > _MAX_HEADER else None
            line = bytes(buffer[:end]).strip()
            del buffer[: end + 1]
            if not self._apply_header(line):
                return self._refuse(self._problem)
        return self._take_body(buffer)

    def last(self, buffer: bytearray) -> Frame | None:
        if self._started or (buffer.strip() and not self._is_lost):
            return RequestError(RequestError.PARSE, "the input ended in the middle of a frame")
        return None

    def _apply_header(self, line: bytes) -> bool:
        """Apply a header line without its line end. False if the frame must be refused."""
        if not line:
            self._in_body = self._started and self._length >= 0
            return self._in_body or not self._started
        self._started = True
        if not _HEADER.match(line):
            self._problem = _NOT_A_HEADER
            return False
        if length := _LENGTH.fullmatch(line):
            self._apply_length(length[1])
        return True

    def _apply_length(self, value: bytes) -> None:
        self._length = int(value) if value.isdigit() and len(value) < 20 else -1
        if self._length < 0:
            self._problem = "Content-Length is not a number of bytes"
        elif self._length > self._max_frame:
            self._problem = f"a frame of more than {self._max_frame} bytes"
            self._length = -1

    def _take_body(self, buffer: bytearray) -> Frame | None:
        if (cut := self._cut_short(buffer)) is not None:
            del buffer[:cut]
            self._begin()
            return RequestError(
                RequestError.PARSE, "the frame is shorter than its Content-Length says"
            )
        if len(buffer) < self._length:
            return None
        body = bytes(buffer[: self._length])
        del buffer[: self._length]
        self._begin()
        frame = _parse(body)
        if isinstance(frame, RequestError) and frame.code == RequestError.PARSE:
            begun = _begun_header(body)
            buffer[:0] = begun
            self._is_lost, self._skipped = True, bool(begun)
        return frame

    def _cut_short(self, buffer: bytearray) -> int | None:
        """Position of the next frame's header if it begins within this body, else None."""
        stop = self._length + _MAX_LENGTH_LINE
        while (end := buffer.find(b"\n", self._searched, stop)) >= 0:
            self._searched = end + 1
            start = max(0, end - _MAX_LENGTH_LINE)
            header = _LENGTH_LINE.search(buffer, start, end + 1)
            if header and header.start() < self._length:
                return header.start()
        self._searched = min(len(buffer), stop)
        return None

    def _refuse(self, problem: str) -> RequestError:
        self._begin()
        self._is_lost = True
        self._skipped = False
        return RequestError(RequestError.INVALID, problem)

    def _find_frame(self, buffer: bytearray) -> bool:
        """Drop bytes up to the beginning of a frame. False if none has been found yet."""
        del buffer[: len(buffer) - len(buffer.lstrip())]
        found = None if self._skipped else _HEADER.match(buffer)
        found = found or _ANY_LENGTH_LINE.search(buffer)
        if found:
            del buffer[: found.start()]
            self._is_lost = False
        elif len(buffer) > _MAX_LENGTH_LINE:
            del buffer[:-_MAX_LENGTH_LINE]
            self._skipped = True
        return found is not None


def _begun_header(body: bytes) -> bytes:
    """Return the last bytes of a body that may begin the next frame's `Content-Length` line.

    They are in the body if its own `Content-Length` was too large. Empty if there are none.
    """
    tail = body[-_MAX_LENGTH_LINE:]
    if begun := _BEGUN_LENGTH_LINE.search(tail):
        return tail[begun.start() :]
    name = b"content-length"
    size = next((n for n in range(len(name), 0, -1) if tail.lower().endswith(name[:n])), 0)
    return tail[len(tail) - size :]


def _parse(body: bytes) -> Frame:
    try:
        message = _decode_json(body)
    except RecursionError:
        return RequestError(RequestError.PARSE, "the message is nested too deeply")
    except ValueError as error:
        return RequestError(RequestError.PARSE, f"the message is not JSON in UTF-8: {error}")
    if isinstance(message, dict):
        return message
    if isinstance(message, list):
        return RequestError(
            RequestError.INVALID, "batches are not supported: send one request at a time"
        )
    return RequestError(RequestError.INVALID, "a request is a JSON object")


def _decode_json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        if b"\\ud" not in body.lower():
            raise
    # Half a surrogate pair, as JavaScript sends one: text that UTF-8 cannot hold becomes "?".
    return msgspec.json.decode(_in_utf8(json.loads(body)))


def _encode_json(message: Any) -> bytes:
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError:
        return _in_utf8(msgspec.to_builtins(message))


def _in_utf8(message: Any) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
