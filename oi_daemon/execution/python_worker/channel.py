"""The line to the daemon: notices beside the output.

Code comes in, displays and requests for input go out over `control`; lines of input come in over
`answers`, so that a thread can wait for one while the main thread runs code.
"""

from __future__ import annotations

import os
import select
from _thread import RLock

_MOMENT = 50
"""Milliseconds without a block, after which there is time for something else."""


class Channel:
    def __init__(self, control: int, answers: int, nonce: str) -> None:
        self.control = control
        self._answers = answers
        self._nonce = nonce
        self._requests = b""
        self._lines = b""
        self._sent = 0
        self._lock = RLock()
        self._asking = RLock()
        for fd in (control, answers):
            os.set_inheritable(fd, False)

    @property
    def descriptors(self) -> set[int]:
        return {self.control, self._answers}

    def receive(self) -> tuple[int, int, str] | None:
        """The next block: its number, the megabytes up to which it is worth a copy, and its code.

        None when the daemon is gone.
        """
        try:
            return self._receive()
        except OSError:  # the user's code has closed it
            return None

    def _receive(self) -> tuple[int, int, str] | None:
        if not self._receive_until(b"\n"):
            return None
        head, _, body = self._requests.partition(b"\n")
        number, megabytes, size = map(int, head.split())
        parts = [body]
        missing = size - len(body)
        while missing > 0:
            data = os.read(self.control, min(missing, 1 << 20))
            if not data:
                return None
            parts.append(data)
            missing -= len(data)
        body = b"".join(parts)
        self._requests = body[size:]
        return number, megabytes, body[:size].decode("utf-8", "surrogatepass")

    def _receive_until(self, end: bytes) -> bool:
        """Read on until this has come; False when the daemon is gone."""
        while end not in self._requests:
            data = os.read(self.control, 1 << 16)
            if not data:
                return False
            self._requests += data
        return True

    def quiet(self) -> bool:
        """Whether no block comes for a moment."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        return not self._requests and not poll.poll(_MOMENT)

    def succeed(self) -> None:
        """Go on in the place of a process that has died.

        What was sent to that one is forgotten; the daemon says where that ends.
        """
        self.tell("runner", os.getpid())
        word = f"\x1e{self._nonce}{os.getpid()}\n".encode()
        if self._receive_until(word):
            self._requests = self._requests.partition(word)[2]

    def recover(self) -> None:
        """Another process has died here: perhaps in the middle of a notice, or of a question."""
        os.write(self.control, b"\n")
        self._sent += 1 << 20

    def hung_up(self) -> bool:
        """Whether the daemon is gone."""
        poll = select.poll()
        poll.register(self.control, 0)
        return bool(poll.poll(0))

    def send(self, **notice: object) -> int:
        """Send a notice; the mark that says where in the output it belongs carries its number."""
        import json

        with self._lock:
            self._sent += 1
            text = json.dumps(dict(notice, number=self._sent), ensure_ascii=False, default=str)
            data = memoryview(text.encode("utf-8", "replace") + b"\n")
            while data:
                data = data[os.write(self.control, data) :]
            return self._sent

    def tell(self, word: str, process: int, number: int = 0) -> None:
        """A notice without a mark, of a process of ours."""
        notice = f'{{"{word}": {process}, "number": {number}}}\n'
        with self._lock:
            os.write(self.control, notice.encode())

    def close(self) -> None:
        """For a forked child: what it would say is not the daemon's business."""
        os.close(self.control)
        os.close(self._answers)

    def answer(self, number: int) -> bytes | None:
        """Wait for the line that answers a request; None is end of file."""
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        while True:
            while b"\n" not in self._lines:
                poll.poll()
                data = os.read(self._answers, 1 << 16)
                if not data:
                    return None
                self._lines += data
            head, _, self._lines = self._lines.partition(b"\n")
            asked, _, line = head.partition(b" ")
            if int(asked) == number:
                return bytes.fromhex(line.decode()) if line else None
