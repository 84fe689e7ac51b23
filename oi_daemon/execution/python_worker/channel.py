"""The two sockets to the daemon, beside the pipe for output.

Over `control`, the daemon sends blocks and the worker sends control messages (JSON, one a line):
displays, requests for input, the errors of blocks, and what its processes do. Over `answers`, the
daemon sends lines of input; this is a socket of its own so that another thread can wait for a line
while the main thread runs code.
"""

from __future__ import annotations

import os
import select
from _thread import RLock, allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .interrupts import Interrupts

_LOOK_AGAIN = 200
"""Milliseconds after which a thread that waits for an answer looks whether another one read it."""


class Channel:
    """Receives blocks and lines of input from the daemon, and sends control messages to it."""

    def __init__(self, control: int, answers: int, nonce: str) -> None:
        self.control = control
        self._answers = answers
        self._nonce = nonce
        self._requests = b""
        """Bytes read from `control` and not yet used."""
        self._lines = bytearray()
        """Bytes read from `answers` that do not make a whole line yet."""
        self._awaited: dict[int, bytes | None] = {}
        """The requests whose answers are awaited, by their numbers. Each value is the answer, or
        None until it comes. Other answers are dropped: nobody waits for them any more."""
        self._reading = allocate_lock()
        """Held by the thread that reads `answers`."""
        self._sent = 0
        """The number of the last message."""
        self.is_closed = False
        """Whether this is a fork that the user's code has made, without a connection."""
        self._lock = RLock()
        """Held while a message is written, so that two threads do not mix theirs."""
        self.lifeline = int(os.environ.pop("OI_DAEMON_LIFELINE", "-1"))
        """Descriptor of a pipe that ends with the daemon, or -1. The system kills this process
        then, as long as the pipe is open here."""
        for fd in (control, answers):
            os.set_inheritable(fd, False)

    @property
    def descriptors(self) -> set[int]:
        """The descriptors of both sockets, and of the lifeline."""
        return {self.control, self._answers, self.lifeline}

    def receive(self) -> tuple[int, int, str] | None:
        """Wait for the next block, and return its number, the memory limit for a standby, its code.

        The limit is in megabytes: a larger process gets no standby. Returns None when the daemon
        has ended.
        """
        try:
            return self._receive()
        except OSError:  # the user's code has closed the socket
            return None

    def _receive(self) -> tuple[int, int, str] | None:
        """As `receive`, but raises OSError if the socket is closed on this side."""
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
        """Read until `_requests` contains these bytes; return False if the daemon ends before."""
        while end not in self._requests:
            data = os.read(self.control, 1 << 16)
            if not data:
                return False
            self._requests += data
        return True

    @property
    def has_request(self) -> bool:
        """Whether some of the next block has been read already."""
        return bool(self._requests)

    def take_over(self) -> None:
        """Tell the daemon that this process runs the blocks now, after another one has died.

        Requests to the dead process may still be unread. The daemon writes a line with our process
        id after the last of them; everything up to that line is thrown away.
        """
        self.notify_process("resumed", os.getpid())
        line = f"\x1e{self._nonce}{os.getpid()}\n".encode()
        if self._receive_until(line):
            self._requests = self._requests.partition(line)[2]

    def recover(self) -> None:
        """Repair the connection after another process of this worker has died.

        It may have died in the middle of a message, so a line break ends that one. Its messages had
        numbers that this process does not know, so the next number is far above them.
        """
        os.write(self.control, b"\n")
        self._sent += 1 << 20

    def hung_up(self) -> bool:
        """Return True if the daemon has ended."""
        poll = select.poll()
        poll.register(self.control, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def send(self, **message: object) -> int:
        """Send a control message and return its number.

        The caller then writes a mark with this number, which says where in the output it belongs.
        """
        with self._lock:
            self._sent += 1
            text = _json_text(dict(message, number=self._sent))
            data = memoryview(text.encode("utf-8", "replace") + b"\n")
            while data:
                data = data[os.write(self.control, data) :]
            return self._sent

    def request(self, **message: object) -> int:
        """Send a control message that will be answered, and return its number.

        `wait_for_answer` must follow. The answer is awaited from before the message is sent,
        because another thread may read it at once.
        """
        with self._lock:
            self._awaited[self._sent + 1] = None
            return self.send(**message)

    def notify_process(self, event: str, process: int, number: int = 0) -> None:
        """Send a control message about one of this worker's processes, which needs no mark."""
        message = f'{{"{event}": {process}, "number": {number}}}\n'
        with self._lock:
            os.write(self.control, message.encode())

    def send_answer(self, number: int, answer: str) -> None:
        """Send the answer to a lookup of this number, which is JSON."""
        data = memoryview(f'{{"number":{number},"answer":{answer}}}\n'.encode("utf-8", "replace"))
        with self._lock:
            while data:
                data = data[os.write(self.control, data) :]

    def close(self) -> None:
        """Close both sockets, in a fork that the user's code has made."""
        self.is_closed = True
        os.close(self.control)
        os.close(self._answers)

    def wait_for_answer(self, number: int, interrupts: Interrupts) -> bytes | None:
        """Wait for the answer to the `request` with this number; return None at end of file.

        Several threads may wait. An interrupt is raised while this one does.
        """
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        try:
            while True:
                with self._reading:
                    ended = not self._read_answers(poll)
                    line = self._awaited[number]
                if line is not None or ended:
                    return bytes.fromhex(line.decode()) if line else None
                with interrupts:
                    poll.poll(_LOOK_AGAIN)
        finally:
            del self._awaited[number]

    def _read_answers(self, poll: select.poll) -> bool:
        """Read the answers that have come; return False at the end of file."""
        while poll.poll(0):
            data = os.read(self._answers, 1 << 20)
            if not data:
                return False
            self._lines += data
            if b"\n" in data:
                *lines, rest = self._lines.split(b"\n")
                self._lines = rest
                for line in lines:
                    head, _, answer = line.partition(b" ")
                    if head.isdigit() and int(head) in self._awaited:  # a process may have died
                        self._awaited[int(head)] = bytes(answer)  # in the middle of a line
        return True


def _json_text(value: object) -> str:
    """Return a value as JSON; what JSON does not know becomes text.

    The module `json` is not used: the user's folder may have one of that name, and every error
    would have to wait for its import.
    """
    try:
        from _json import encode_basestring
    except ImportError:  # PyPy has no such module
        from json.encoder import encode_basestring

    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, dict):
        parts = (f"{_json_text(str(name))}:{_json_text(part)}" for name, part in value.items())
        return f"{{{','.join(parts)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_json_text, value))}]"
    if isinstance(value, float) and value - value == 0:  # neither infinite nor NaN
        return float.__repr__(value)
    text: str = encode_basestring(str(value))
    return text
