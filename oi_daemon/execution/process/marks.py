"""Marks in a worker's output: `RS nonce KIND number US`.

A mark is written at the place in the output where something happened. So text, active lines,
displays and the end of a block arrive through one pipe in their true order. The nonce is a random
word that the program does not know, so its own output cannot be taken for a mark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a mark stands for."""

    LINE = "L"
    """Line `number` of the block is active; 0: the block has begun, at an unknown line."""
    MESSAGE = "D"
    """This is the place of the control message `number`, which was sent over the control socket."""
    EXIT = "X"
    """The exit status of the block that ends next is `number`."""
    END = "E"
    """Block `number` has ended."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that was read."""

    kind: Kind
    number: int
    """Number of the line, the control message or the block, as `Kind` describes."""


_START = b"\x1e"
_DIGITS = 12
"""Most digits of a mark's number."""


class Marks:
    """Splits output into text and marks. A mark may arrive in pieces; text is never held back."""

    def __init__(self, nonce: str) -> None:
        self._opening = _START + nonce.encode()
        kinds = "".join(Kind).encode()
        self._mark = re.compile(b"%s([%s])([0-9]{1,%d})\x1f" % (self._opening, kinds, _DIGITS))
        self._piece = re.compile(b"%s([%s]([0-9]{1,%d})?)?" % (self._opening, kinds, _DIGITS))
        self._longest = len(self._opening) + 1 + _DIGITS
        self._kept = b""
        """The end of the latest bytes, if it may be the beginning of a mark."""

    def feed(self, data: bytes) -> Iterator[bytes | Mark]:
        """The text and the marks in the next bytes of output."""
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
        """The bytes that are still held back; at the end of the output they are text."""
        kept, self._kept = self._kept, b""
        return kept

    def _keep_piece(self, data: bytes) -> bytes:
        """Hold back the end of `data` if it may be the beginning of a mark; returns the rest."""
        start = data.rfind(_START, max(0, len(data) - self._longest))
        if start < 0:
            return data
        piece = data[start:]
        if self._opening.startswith(piece) or self._piece.fullmatch(piece):
            self._kept = piece
            return data[:start]
        return data
