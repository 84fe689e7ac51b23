"""Marks in a worker's output: `RS nonce KIND number US`.

A mark stands where in the output something happened, so that text, active lines, displays and the
end of a block come in their true order through one pipe. The nonce keeps a program's own text from
passing for a mark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    LINE = "L"
    """Line `number` of the block is active; 0: it has begun, at a line that is not known."""
    NOTICE = "D"
    """Notice `number` from the control socket belongs here."""
    END = "E"
    """Block `number` has ended."""


@dataclass(frozen=True, slots=True)
class Mark:
    kind: Kind
    number: int


_START = b"\x1e"
_DIGITS = 12


class Marks:
    """Push parser: bytes in, text and marks out. A mark may arrive in pieces, text never waits."""

    def __init__(self, nonce: str) -> None:
        self._opening = _START + nonce.encode()
        kinds = "".join(Kind).encode()
        self._mark = re.compile(b"%s([%s])([0-9]{1,%d})\x1f" % (self._opening, kinds, _DIGITS))
        self._piece = re.compile(b"%s([%s]([0-9]{1,%d})?)?" % (self._opening, kinds, _DIGITS))
        self._longest = len(self._opening) + 1 + _DIGITS
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[bytes | Mark]:
        data, self._kept = self._kept + data, b""
        if _START not in data:
            yield data
            return
        data = self._keep_piece(data)
        end = 0
        for found in self._mark.finditer(data):
            if found.start() > end:
                yield data[end : found.start()]
            yield Mark(Kind(found[1].decode()), int(found[2]))
            end = found.end()
        if end < len(data):
            yield data[end:]

    def flush(self) -> bytes:
        """What was kept as the beginning of a mark, and is none."""
        kept, self._kept = self._kept, b""
        return kept

    def _keep_piece(self, data: bytes) -> bytes:
        """Keep what may be the beginning of a mark at the end of `data`; returns the rest."""
        start = data.rfind(_START, max(0, len(data) - self._longest))
        if start < 0:
            return data
        piece = data[start:]
        if self._opening.startswith(piece) or self._piece.fullmatch(piece):
            self._kept = piece
            return data[:start]
        return data
