"""A blocking connection to a daemon of one's own, over its stdin and stdout.

One JSON object a line. No thread: frames are read by whoever waits for them. A signal at any moment
neither loses nor tears one: bytes are counted, or kept, by the call in C that moved them.
"""

import os
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from oi_daemon.errors import ConnectionLostError, InvalidError, NoModelError, error_for
from oi_daemon.protocol.framing import MAX_FRAME

_PIECE = 1 << 16
_GRACE = 2.0
_TOO_LARGE = (
    "This has {} MB, and at most {} can be sent at once. Where these are messages, leave out the"
    " `displays` of some."
)


class Connection:
    """Starts a daemon; it ends when this object, or the program, does."""

    def __init__(
        self, conversation: str, settings: Mapping[str, Any], stderr: int | None = None
    ) -> None:
        """
        Args:
            settings: those that the conversation is to begin with, on top of the configured ones.
            stderr: descriptor that the daemon gets as its own; None: ours.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oi_daemon", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
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
        self._chunks: deque[dict[str, Any]] = deque()
        self._answers: dict[int, dict[str, Any]] = {}
        self._finalizer = weakref.finalize(self, _end, self._process, self._pid)
        os.register_at_fork(after_in_child=partial(_let_go, weakref.ref(self)))
        self._greeting = self.new_id()
        """Its answer is not waited for, but heeded when it comes."""
        first = {"conversation": conversation, "settings": settings}
        self.send(self._greeting, "oi/settings/set", first)

    @property
    def alive(self) -> bool:
        """Whether requests can be sent: not after a close or a fork, nor when the daemon died."""
        return self._finalizer.alive and not self.forked and self._process.poll() is None

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that the daemon belongs to."""
        return self._pid != os.getpid()

    def new_id(self) -> int:
        """An id for a request, known before it is sent."""
        self._ids += 1
        return self._ids

    def send(self, request: int, method: str, params: Mapping[str, Any]) -> None:
        """Send a request under this id.

        Raises:
            ConnectionLostError: the daemon is gone.
            InvalidError: it is larger than the daemon takes.
        """
        if not self.alive:
            raise self._lost()
        frame = {"jsonrpc": "2.0", "id": request, "method": method, "params": params}
        data = memoryview(msgspec.json.encode(frame) + b"\n")
        if len(data) > MAX_FRAME:
            raise InvalidError(_TOO_LARGE.format(len(data) >> 20, MAX_FRAME >> 20))
        written: list[int] = []
        try:
            while (done := sum(written)) < len(data):
                written.extend(map(os.write, (self._stdin,), (data[done:],)))
        except OSError as error:
            raise self._lost() from error
        finally:
            if 0 < sum(written) < len(data):
                self.close()  # half a frame is out: what follows could not be told apart from it

    def chunk(self, request: int) -> dict[str, Any] | None:
        """Params of the next notification; None once the request is answered, as all came before.

        Raises:
            ConnectionLostError: the daemon is gone.
        """
        while not self._chunks:
            if request in self._answers:
                return None
            self._receive()
        return self._chunks.popleft()

    def wait(self, request: int) -> None:
        """Wait until a request is answered; notifications are kept for `chunk`.

        Raises:
            ConnectionLostError: the daemon is gone.
        """
        while request not in self._answers:
            self._receive()

    def result(self, request: int) -> Any:
        """The answer to a request, waited for.

        Raises:
            OIError: the daemon is gone, or the answer is an error; of the class for its kind.
        """
        self.wait(request)
        return _result_of(self._answers.pop(request))

    def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Send a request and wait for its answer.

        Raises:
            OIError: the daemon is gone, or the request was answered by an error.
        """
        request = self.new_id()
        self.send(request, method, params)
        return self.result(request)

    def forget(self) -> None:
        """Drop what has come and was not taken: nobody waits for it any more."""
        self._chunks.clear()
        self._answers.clear()

    def close(self) -> None:
        """End the daemon and all that it runs."""
        self._finalizer()

    def _receive(self) -> None:
        """Take a frame. What was not taken to the end, as a signal came between, is taken again."""
        while not self._lines:
            self._read()
        frame: dict[str, Any] = msgspec.json.decode(self._lines[0])
        if "method" in frame:
            self._chunks.append(frame["params"])
        elif frame["id"] == self._greeting:
            _result_of(frame)
        else:
            self._answers[frame["id"]] = frame
        self._lines.popleft()

    def _read(self) -> None:
        """Read until there are whole lines."""
        while not self._pieces or b"\n" not in self._pieces[-1]:
            try:
                self._pieces.extend(map(os.read, (self._stdout,), (_PIECE,)))
            except OSError as error:
                raise self._lost() from error
            if not self._pieces[-1]:
                raise self._lost()
        *lines, rest = b"".join(self._pieces).split(b"\n")
        self._lines, self._pieces = deque(lines), [rest]

    def _lost(self) -> ConnectionLostError:
        self.close()
        return ConnectionLostError(
            "The daemon has ended unexpectedly. The conversation is kept:"
            " the next call starts the daemon again."
        )


def _result_of(frame: Mapping[str, Any]) -> Any:
    error = frame.get("error")
    if error is None:
        return frame["result"]
    data = error.get("data") or {}
    raised = error_for(data.get("kind", ""))(error["message"])
    if isinstance(raised, NoModelError):
        raised.models = data.get("models", ())
    raise raised


def _let_go(connection: "weakref.ref[Connection]") -> None:
    """In a forked child: while it lives the daemon must still see that its parent is gone."""
    parents = connection()
    if parents is not None:
        _close_pipes(parents._process)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Close the daemon's input and give it a moment; it ends what it runs by itself."""
    if os.getpid() != owner:
        return
    _close_pipes(process)
    try:
        process.wait(_GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
