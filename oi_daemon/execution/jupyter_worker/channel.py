"""The lines to the daemon: text and marks go out by the standard output, notices beside it."""

import json
import os
import sys
from dataclasses import dataclass

_READ = 1 << 16


@dataclass(frozen=True, slots=True)
class BlockRequest:
    number: int
    code: str


class DaemonChannel:
    def __init__(self, control: int, answers: int, nonce: str) -> None:
        self.control = control
        self.answers = answers
        self._nonce = nonce
        self._requests = b""
        self._lines = b""
        self._sent = 0
        for descriptor in (control, answers):
            os.set_inheritable(descriptor, False)

    def write(self, text: str | bytes) -> None:
        data = memoryview(text.encode("utf-8", "replace") if isinstance(text, str) else text)
        while data:
            data = data[os.write(1, data) :]

    def mark(self, kind: str, number: int) -> None:
        self.write(f"\x1e{self._nonce}{kind}{number}\x1f")

    def notify(self, **notice: object) -> int:
        """Send a notice, whose mark says where in the output it belongs; gives its number."""
        self._sent += 1
        data = memoryview(json.dumps({**notice, "number": self._sent}).encode() + b"\n")
        while data:
            data = data[os.write(self.control, data) :]
        self.mark("D", self._sent)
        return self._sent

    def blocks(self) -> list[BlockRequest]:
        """Those that have come, after control has become readable."""
        self._requests += _read(self.control)
        blocks = []
        while (found := self._request()) is not None:
            blocks.append(found)
        return blocks

    def _request(self) -> BlockRequest | None:
        head, newline, body = self._requests.partition(b"\n")
        if not newline:
            return None
        number, size = map(int, head.split())
        if len(body) < size:
            return None
        self._requests = body[size:]
        return BlockRequest(number, body[:size].decode())

    def lines(self) -> list[tuple[int, str | None]]:
        """Answers that have come, each with its notice's number; None is end of file."""
        *lines, self._lines = (self._lines + _read(self.answers)).split(b"\n")
        return [_answer(line) for line in lines]


def _answer(line: bytes) -> tuple[int, str | None]:
    number, _, text = line.partition(b" ")
    value = bytes.fromhex(text.decode()).decode("utf-8", "replace").removesuffix("\n")
    return int(number), value if text else None


def _read(descriptor: int) -> bytes:
    """What there is; the daemon's end is the end of this process."""
    data = os.read(descriptor, _READ)
    if not data:
        sys.exit()
    return data
