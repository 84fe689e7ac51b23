"""The line to the daemon: notices beside the output.

Code comes in, displays and requests for input go out over `control`; lines of input come in over
`answers`, so that a thread can wait for one while the main thread runs code.
"""

from __future__ import annotations

import os
import select
from _thread import RLock


class Channel:
    def __init__(self, control: int, answers: int) -> None:
        self.control = control
        self._answers = answers
        self._requests = b""
        self._lines = b""
        self._sent = 0
        self._lock = RLock()
        self._asking = RLock()
        for fd in (control, answers):
            os.set_inheritable(fd, False)

    def receive(self) -> tuple[int, str] | None:
        """The next block: its number and its code. None when the daemon is gone."""
        try:
            return self._receive()
        except OSError:  # the user's code has closed it
            return None

    def _receive(self) -> tuple[int, str] | None:
        while b"\n" not in self._requests:
            data = os.read(self.control, 1 << 16)
            if not data:
                return None
            self._requests += data
        head, _, body = self._requests.partition(b"\n")
        number, size = map(int, head.split())
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
        return number, body[:size].decode("utf-8", "surrogatepass")

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
