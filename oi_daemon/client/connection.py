"""A blocking connection to a daemon, over its stdin and stdout: one's own, or the shared one.

One JSON object a line. There is no thread: the caller that waits for a frame reads it. A signal at
any moment neither loses nor tears a frame, because the call in C that moves the bytes also counts
or stores them.
"""

import os
import select
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from oi_daemon import keys
from oi_daemon.errors import (
    ConnectionLostError,
    InvalidError,
    NoDaemonError,
    NoModelError,
    OIError,
    error_for,
)
from oi_daemon.protocol.framing import MAX_FRAME, Framing, encode
from oi_daemon.protocol.methods import (
    CLOSE,
    SETTINGS_SET,
    ChunkParams,
    ConversationParams,
    Method,
    P,
    R,
    SettingsSetParams,
)
from oi_daemon.shared.host import ABSENT

_READ_SIZE = 1 << 16
"""Bytes that are read at once, at most."""
_GRACE = 2.0
"""Seconds that the daemon has to end by itself when the connection is closed; then it is killed."""
_DOORS_GRACE = 0.2
"""The same for the process that leads to the shared daemon, which is not hurt by that."""
_TOO_LARGE = (
    "This has {} MB, and at most {} can be sent at once. Where these are messages, leave out the"
    " `displays` of some."
)


class _ErrorData(msgspec.Struct, frozen=True):
    """What else is known of an error: its kind, and the models that the server has."""

    kind: str = ""
    models: Sequence[str] = ()


class _ErrorAnswer(msgspec.Struct, frozen=True):
    """The `error` of an answer."""

    message: str
    data: _ErrorData = _ErrorData()


class _Incoming(msgspec.Struct, frozen=True):
    """A frame from the daemon: a notification of a chunk, or the answer to a request."""

    id: int | None = None
    """The request that is answered; None for a notification."""
    params: ChunkParams | None = None
    """The notification's params."""
    result: msgspec.Raw = msgspec.Raw(b"null")
    """The result, not decoded yet: its type is that of the request's method."""
    error: _ErrorAnswer | None = None

    def result_of(self, kind: type[R]) -> R:
        """The answer's result, as this type.

        Raises:
            OIError: the answer is an error; the class is the one for its kind.
        """
        if self.error is not None:
            raise _exception(self.error)
        return msgspec.json.decode(self.result, type=kind)


_decode = msgspec.json.Decoder(_Incoming).decode


class Connection:
    """Starts a daemon, which ends when this object or the program does.

    Or reaches the daemon that all clients share, and starts it if there is none. Then an end only
    leaves it: what runs there runs on, and what waits for a person waits for another client.
    """

    def __init__(
        self,
        conversation: str,
        settings: Mapping[str, object],
        stderr: int | None = None,
        *,
        is_shared: bool = False,
        host: str | None = None,
    ) -> None:
        """
        Args:
            settings: settings that the conversation begins with, on top of the configured ones.
            stderr: descriptor that the daemon uses as its stderr; None: this program's.
            is_shared: use the shared daemon.
            host: the place of that daemon, if it is not here. See `oi_daemon.shared.host`.
        """
        keys.conceal()
        self.is_shared = is_shared or host is not None
        self.host = host
        self.has_answered = False
        """Whether anything has come from the daemon."""
        self.closes: set[str] = set()
        """The conversations that end with this connection, unless that is lost. A private daemon
        takes all with it anyway."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oi_daemon", "--stdio", *_options(is_shared, host)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # so that the terminal's Ctrl-C does not reach the daemon
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin = self._process.stdin.fileno()
        self._stdout = self._process.stdout.fileno()
        self._pid = os.getpid()
        self._ids = 0
        """Id of the latest request."""
        self._pieces: list[bytes] = []
        """Bytes that have been read and do not hold a whole line yet."""
        self._lines: deque[bytes] = deque()
        """Whole lines that have been read and not decoded yet."""
        self._chunks: deque[ChunkParams] = deque()
        """Notifications that nobody has taken yet."""
        self._answers: dict[int, _Incoming] = {}
        """Answers that nobody has taken yet, by the id of their request."""
        self._writing = threading.Lock()
        """Held while a frame is written."""
        self._posted: deque[bytes] = deque()
        """Notifications that are to be written as soon as no frame is under way."""
        self._finalizer = weakref.finalize(
            self, _end, self._process, self._pid, _grace(is_shared, host), self.closes
        )
        os.register_at_fork(after_in_child=partial(_close_in_child, weakref.ref(self)))
        self._first_request = self.new_id()
        """Id of the request that sends the settings. Nobody waits for its answer; if that is an
        error, the call that reads it raises it."""
        first = SettingsSetParams(conversation=conversation, settings=dict(settings))
        if settings or not self.is_shared:  # it would begin the conversation
            self.send(self._first_request, SETTINGS_SET.name, first)

    @property
    def is_alive(self) -> bool:
        """Whether requests can be sent: not after a close or a fork, nor when the daemon died."""
        if not self._finalizer.alive or self.is_forked or self._process.poll() is not None:
            return False
        return not (self.is_shared and _has_hung_up(self._stdout))

    @property
    def is_forked(self) -> bool:
        """Whether this process is a child of the one that started the daemon."""
        return self._pid != os.getpid()

    def new_id(self) -> int:
        """An id for a request, known before the request is sent."""
        self._ids += 1
        return self._ids

    def send(self, request: int, method: str, params: msgspec.Struct) -> None:
        """Send a request under this id.

        Raises:
            ConnectionLostError: the daemon is gone.
            InvalidError: the request is larger than the daemon accepts.
        """
        if not self.is_alive:
            raise self._lost()
        frame = {"jsonrpc": "2.0", "id": request, "method": method, "params": params}
        data = encode(frame, Framing.LINES)
        if len(data) > MAX_FRAME:
            raise InvalidError(_TOO_LARGE.format(len(data) >> 20, MAX_FRAME >> 20))
        with self._writing:
            self._write(memoryview(data))
        self._write_posted()

    def post(self, method: str, params: msgspec.Struct) -> None:
        """Send a notification, which has no answer, without ever waiting for another thread.

        Any thread may call it at any time, and so may the handler of a signal. If a frame is being
        written, the notification follows on it. It is dropped if the daemon is gone.
        """
        frame = {"jsonrpc": "2.0", "method": method, "params": params}
        self._posted.append(encode(frame, Framing.LINES))
        self._write_posted()

    def _write_posted(self) -> None:
        """Write the notifications that wait, unless a frame is under way: its end does that."""
        while self._posted and self.is_alive and self._writing.acquire(blocking=False):
            try:
                self._write(memoryview(self._posted.popleft()))
            except (IndexError, ConnectionLostError):  # all are written; the daemon is gone
                return
            finally:
                self._writing.release()

    def _write(self, data: memoryview) -> None:
        """Write a frame.

        Raises:
            ConnectionLostError: the daemon is gone.
        """
        written: list[int] = []
        try:
            while (done := sum(written)) < len(data):
                written.extend(map(os.write, (self._stdin,), (data[done:],)))
        except OSError as error:
            raise self._lost() from error
        finally:
            if 0 < sum(written) < len(data):
                self.close()  # half a frame is out, and the daemon would add the next one to it

    def next_chunk(self, request: int | None = None) -> ChunkParams | None:
        """Wait for the next notification; None once the request is answered and none is left.

        Without a request, wait for a notification as long as it takes.

        Raises:
            ConnectionLostError: the daemon is gone.
        """
        while not self._chunks:
            if request in self._answers:
                return None
            self._receive()
        return self._chunks.popleft()

    def result(self, request: int, kind: type[R]) -> R:
        """Wait for the result of a request, which is of this type.

        Notifications that come before are kept for `next_chunk`.

        Raises:
            OIError: the daemon is gone, or the answer is an error.
        """
        while request not in self._answers:
            self._receive()
        return self._answers.pop(request).result_of(kind)

    def request(self, method: Method[P, R], params: P) -> R:
        """Send a request and wait for its answer.

        Raises:
            OIError: the daemon is gone, or the answer is an error.
        """
        request = self.new_id()
        self.send(request, method.name, params)
        return self.result(request, method.result)

    def discard(self) -> None:
        """Drop all notifications and answers that have come, because nobody waits for them."""
        self._chunks.clear()
        self._answers.clear()

    def close(self) -> None:
        """End the daemon and all that it runs; of the shared one, only leave it."""
        self._finalizer()

    def _receive(self) -> None:
        """Wait for a frame and store it.

        The line is removed last, so that a signal in between cannot lose it.
        """
        while not self._lines:
            self._read()
        frame = _decode(self._lines[0])
        self.has_answered = True
        if frame.params is not None:
            self._chunks.append(frame.params)
        elif frame.id == self._first_request:
            frame.result_of(SETTINGS_SET.result)
        elif frame.id is not None:
            self._answers[frame.id] = frame
        self._lines.popleft()

    def _read(self) -> None:
        """Read until there is at least one whole line."""
        while not self._pieces or b"\n" not in self._pieces[-1]:
            try:
                self._pieces.extend(map(os.read, (self._stdout,), (_READ_SIZE,)))
            except OSError as error:
                raise self._lost() from error
            if not self._pieces[-1]:
                raise self._lost()
        *lines, rest = b"".join(self._pieces).split(b"\n")
        self._lines, self._pieces = deque(lines), [rest]

    def _lost(self) -> ConnectionLostError:
        """Close the connection; returns the error to raise."""
        self.closes.clear()
        self.close()
        if self.host is not None:
            return _lost_host(self.host, self._process.returncode, was_there=self.has_answered)
        return ConnectionLostError(
            "The daemon has ended unexpectedly. The conversation is kept:"
            " the next call starts the daemon again."
        )


def _lost_host(host: str, status: int | None, *, was_there: bool) -> ConnectionLostError:
    """The error after a connection to another place has ended.

    Args:
        status: exit status of what led there.
        was_there: there has been a connection.
    """
    if status == ABSENT:
        return NoDaemonError(
            f"There is no oi-daemon at {host}. `interpreter --host {host}` offers to install it; or"
            " install it there by hand, so that it is in the PATH of a command over ssh."
        )
    attempt = "" if ":" in host else f" To see why, try: ssh {host} true"
    if not was_there:
        return ConnectionLostError(f"{host} cannot be reached.{attempt}")
    return ConnectionLostError(
        f"The connection to {host} was lost. What runs there runs on, and the next call connects"
        f" again.{attempt}"
    )


def _options(is_shared: bool, host: str | None) -> list[str]:
    """The options that choose a daemon."""
    return ["--host", host] if host is not None else ["--shared"] if is_shared else []


def _grace(is_shared: bool, host: str | None) -> float:
    """Seconds that what leads to a daemon has to end by itself."""
    return _DOORS_GRACE if is_shared and host is None else _GRACE


def _exception(error: _ErrorAnswer) -> OIError:
    """The exception for an error that came over the wire."""
    exception = error_for(error.data.kind)(error.message)
    if isinstance(exception, NoModelError):
        exception.models = error.data.models
    return exception


def _has_hung_up(pipe: int) -> bool:
    """Whether nobody is left who writes to this pipe.

    Of the shared daemon this is known at once; the process that leads to it ends a bit later.
    """
    hung = select.poll()
    hung.register(pipe, 0)
    return bool(hung.poll(0))


def _close_in_child(connection: "weakref.ref[Connection]") -> None:
    """Close the pipes in a forked child, so that the daemon sees when the parent ends."""
    inherited = connection()
    if inherited is not None:
        _close_pipes(inherited._process)


def _say_goodbye(process: subprocess.Popen[bytes], closes: Iterable[str]) -> None:
    """End these conversations, as far as the pipe takes that at once."""
    if process.stdin is None or process.stdin.closed:
        return
    for conversation in closes:
        params = ConversationParams(conversation=conversation)
        frame = encode({"jsonrpc": "2.0", "method": CLOSE.name, "params": params}, Framing.LINES)
        with suppress(OSError):
            os.set_blocking(process.stdin.fileno(), False)
            os.write(process.stdin.fileno(), frame)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _end(process: subprocess.Popen[bytes], owner: int, grace: float, closes: Iterable[str]) -> None:
    """Close the daemon's input, upon which it ends what it runs and itself; kill it if it is slow.

    Args:
        owner: id of the process that started the daemon; in any other, nothing is done.
        grace: seconds that it has to end by itself.
        closes: conversations that end with the connection.
    """
    if os.getpid() != owner:
        return
    _say_goodbye(process, closes)
    _close_pipes(process)
    try:
        process.wait(grace)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
