"""A blocking connection to a daemon of one's own, over its stdin and stdout.

One JSON object a line. No thread: frames are read by whoever waits for them, and a signal at any
moment neither loses nor tears one.
"""

import os
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from oi_daemon.errors import ConnectionLostError, error_for

_PIECE = 1 << 16
_GRACE = 2.0


class Connection:
    """Starts a daemon; it ends when this object, or the program, does."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """
        Args:
            settings: those that the daemon is to begin with, on top of the configured ones.

        Raises:
            InvalidError: they do not fit.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oi_daemon", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is for us to pass on
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin = self._process.stdin.fileno()
        self._stdout = self._process.stdout.fileno()
        self._pid = os.getpid()
        self._ids = 0
        self._pieces: list[bytes] = []
        self._lines: deque[bytes] = deque()
        self._backlog: deque[dict[str, Any]] = deque()
        self._finalizer = weakref.finalize(self, _end, self._process, self._pid)
        options = {"settings": settings}
        self.request(
            "initialize",
            {"processId": self._pid, "capabilities": {}, "initializationOptions": options},
        )

    @property
    def alive(self) -> bool:
        """Whether requests can be sent: not after a close or a fork, nor when the daemon died."""
        return self._finalizer.alive and self._pid == os.getpid() and self._process.poll() is None

    def send(self, method: str, params: Mapping[str, Any]) -> int:
        """Send a request and give its id.

        Raises:
            ConnectionLostError: the daemon is gone.
        """
        self._ids += 1
        request = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
        data = memoryview(msgspec.json.encode(request) + b"\n")
        try:
            while data:
                data = data[os.write(self._stdin, data) :]
        except OSError as error:
            raise self._lost() from error
        except BaseException:
            self.close()  # half a frame is out: what follows could not be told apart from it
            raise
        return self._ids

    def next(self) -> dict[str, Any]:
        """The next frame, a notification or an answer.

        Raises:
            ConnectionLostError: the daemon is gone.
        """
        return self._backlog.popleft() if self._backlog else self._read()

    def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Send a request and wait for its answer; what else comes is kept for `next`.

        Raises:
            OIError: the request was answered by an error; of the class for its kind.
        """
        request = self.send(method, params)
        while (frame := self._read()).get("id") != request:
            self._backlog.append(frame)
        return result_of(frame)

    def close(self) -> None:
        """End the daemon and all that it runs."""
        self._finalizer()

    def _read(self) -> dict[str, Any]:
        while not self._lines:
            self._receive()
        frame: dict[str, Any] = msgspec.json.decode(self._lines[0])
        self._lines.popleft()
        return frame

    def _receive(self) -> None:
        """Take what has come. What is read is kept by the same call, in C: no signal between."""
        try:
            self._pieces.extend(map(os.read, (self._stdout,), (_PIECE,)))
        except OSError as error:
            raise self._lost() from error
        if not self._pieces[-1]:
            raise self._lost()
        if b"\n" in self._pieces[-1]:
            *lines, rest = b"".join(self._pieces).split(b"\n")
            self._lines, self._pieces = deque(lines), [rest]

    def _lost(self) -> ConnectionLostError:
        self.close()
        return ConnectionLostError(
            "The daemon has ended unexpectedly. The conversation is kept:"
            " the next call starts the daemon again."
        )


def result_of(frame: Mapping[str, Any]) -> Any:
    """The result in an answer.

    Raises:
        OIError: it is an error; of the class for its kind.
    """
    error = frame.get("error")
    if error is None:
        return frame["result"]
    kind = (error.get("data") or {}).get("kind", "")
    raise error_for(kind)(error["message"])


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Close the daemon's input and give it a moment; it ends what it runs by itself."""
    if os.getpid() != owner:
        return
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
