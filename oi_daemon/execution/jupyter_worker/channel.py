"""The connection to the daemon.

Output and marks go to the standard output, control messages over `control`. Blocks come in over
`control`, and lines of input over `answers`.
"""

import json
import os
from dataclasses import dataclass

_READ = 1 << 16
"""Most bytes that are read at once."""


class DaemonEndedError(Exception):
    """The daemon has closed its end of a socket."""


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """A block to run."""

    number: int
    code: str


class DaemonChannel:
    """Receives blocks and lines of input from the daemon, and sends what they do to it."""

    def __init__(self, control: int, answers: int, nonce: str) -> None:
        self.control = control
        self.answers = answers
        self._nonce = nonce
        self._output = os.dup(1)
        """Descriptor of the output, also where the standard output leads elsewhere."""
        self._requests = b""
        """Bytes read from `control` and not yet used."""
        self._lines = b""
        """Bytes read from `answers` and not yet used."""
        self._sent = 0
        """The number of the last message."""
        for descriptor in (control, answers):
            os.set_inheritable(descriptor, False)

    def write(self, text: str | bytes) -> None:
        """Write output."""
        data = memoryview(text.encode("utf-8", "replace") if isinstance(text, str) else text)
        while data:
            data = data[os.write(self._output, data) :]

    def mark(self, kind: str, number: int) -> None:
        """Write a mark: L (the block has begun), D (a message belongs here) or E (it has ended)."""
        self.write(f"\x1e{self._nonce}{kind}{number}\x1f")

    def notify(self, **message: object) -> int:
        """Send a control message and mark where in the output it belongs; return its number."""
        self._sent += 1
        data = memoryview(json.dumps({**message, "number": self._sent}).encode() + b"\n")
        while data:
            data = data[os.write(self.control, data) :]
        self.mark("D", self._sent)
        return self._sent

    def blocks(self) -> list[BlockRequest]:
        """Read from `control`, which must be readable; return the blocks that are complete."""
        self._requests += _read(self.control)
        blocks = []
        while (found := self._request()) is not None:
            blocks.append(found)
        return blocks

    def _request(self) -> BlockRequest | None:
        """Take a complete block from the bytes that were read; return None if there is none."""
        head, newline, body = self._requests.partition(b"\n")
        if not newline:
            return None
        number, size = map(int, head.split())
        if len(body) < size:
            return None
        self._requests = body[size:]
        return BlockRequest(number, body[:size].decode())

    def lines(self) -> list[tuple[int, str | None]]:
        """Read from `answers`, which must be readable; return lines with their requests' numbers.

        A line that is None is end of file.
        """
        *lines, self._lines = (self._lines + _read(self.answers)).split(b"\n")
        return [_answer(line) for line in lines]


def _answer(line: bytes) -> tuple[int, str | None]:
    """Parse an answer: a request's number, and a line in hexadecimal or nothing."""
    number, _, text = line.partition(b" ")
    value = bytes.fromhex(text.decode()).decode("utf-8", "replace").removesuffix("\n")
    return int(number), value if text else None


def _read(descriptor: int) -> bytes:
    """Return bytes that have arrived.

    Raises:
        DaemonEndedError: the daemon has ended.
    """
    data = os.read(descriptor, _READ)
    if not data:
        raise DaemonEndedError
    return data
