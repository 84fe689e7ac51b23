"""A tiny client of the wire, in either framing, over real stdio; strict about what it reads."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from oi_daemon.protocol.framing import Framing
from tests.measured import MEASURED
from tests.patience import PATIENCE

COMMAND = str(Path(sys.executable).with_name("oi-daemon"))
INSTALLED = (*MEASURED, COMMAND, "--stdio")
FAKE = (sys.executable, "-m", "tests.fakes.wire_daemon")


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.005)


class WireClient:
    """Starts a daemon and talks to it; keeps what comes until it is asked for."""

    def __init__(
        self,
        command: Sequence[str] = INSTALLED,
        framing: Framing = Framing.LINES,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.framing = framing
        self.notifications: list[dict[str, Any]] = []
        self._answers: list[dict[str, Any]] = []
        self._buffer = b""
        self._last_id = 0
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environ or {})},
        )
        assert self.process.stdin
        assert self.process.stdout
        self._input = self.process.stdin
        self._output = self.process.stdout

    def __enter__(self) -> "WireClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if MEASURED:
            self._end_by_itself()
        self.process.kill()
        self.process.wait()
        assert self.process.stderr
        stderr = b"" if self.process.stderr.closed else self.process.stderr.read()
        for pipe in (self._input, self._output, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        if error is not None and stderr:
            error.add_note(f"stderr of the daemon:\n{stderr.decode(errors='replace')}")

    def _end_by_itself(self) -> None:
        """Let the daemon end in its own way, so that it writes down what was measured."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._input.write(data)
        self._input.flush()

    def frame(self, message: Any) -> bytes:
        """The bytes of a message in this client's framing."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        if self.framing is Framing.LINES:
            return body + b"\n"
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

    def send(self, method: str, params: Any = None) -> int:
        """Send a request without waiting for its answer: its id."""
        self._last_id += 1
        self.write(self.frame(request(self._last_id, method, params)))
        return self._last_id

    def notify(self, method: str, params: Any = None) -> None:
        message = {"jsonrpc": "2.0", "method": method}
        self.write(self.frame(message if params is None else {**message, "params": params}))

    def call(self, method: str, params: Any = None) -> dict[str, Any]:
        """Send a request: its whole answer."""
        return self.answer(self.send(method, params))

    def result(self, method: str, params: Any = None) -> Any:
        answer = self.call(method, params)
        assert "result" in answer, answer
        return answer["result"]

    def answer(self, request_id: int | str | None) -> dict[str, Any]:
        """The answer to a request, whenever it comes or came."""
        while True:
            for answer in self._answers:
                if answer["id"] == request_id:
                    self._answers.remove(answer)
                    return answer
            self.read_one()

    def answered(self, request_id: int | str | None) -> dict[str, Any] | None:
        """The answer to a request if it has been read."""
        return next((answer for answer in self._answers if answer["id"] == request_id), None)

    def read_one(self) -> dict[str, Any]:
        """Read one message, and keep it."""
        message = self._decode(self._take_frame())
        assert message["jsonrpc"] == "2.0"
        if "method" in message:
            assert "id" not in message, "the daemon never asks"
            self.notifications.append(message)
        else:
            assert ("result" in message) != ("error" in message), message
            self._answers.append(message)
        return message

    @property
    def has_hung_up(self) -> bool:
        """Whether this program has closed its end."""
        return self._output.closed

    def close_input(self) -> None:
        self._input.close()

    def hang_up(self) -> None:
        """Close both pipes, as when this program dies."""
        self._input.close()
        self._output.close()

    def readable(self, seconds: float) -> bool:
        """Whether something can be read within so long."""
        return b"\n" in self._buffer or bool(select.select([self._output], [], [], seconds)[0])

    def drain(self) -> None:
        """Read what a daemon that was killed has left, the last frame perhaps torn."""
        with contextlib.suppress(EOFError):
            while True:
                self.read_one()

    def rest(self) -> list[dict[str, Any]]:
        """All messages that were not asked for yet, until the daemon closes its output."""
        unread = self._answers
        self._answers = []
        while self._buffer or self._more():
            unread.append(self.read_one())
        return unread

    def exit_code(self) -> int:
        """Wait for the daemon to end."""
        return self.process.wait(PATIENCE)

    def stderr(self) -> str:
        """Of a daemon that has ended."""
        assert self.process.stderr
        return self.process.stderr.read().decode()

    def _take_frame(self) -> bytes:
        if self.framing is Framing.LINES:
            return self._take_until(b"\n")
        header = self._take_until(b"\r\n\r\n")
        name, _, length = header.partition(b": ")
        assert name == b"Content-Length", header
        self._fill(int(length))
        body, self._buffer = self._buffer[: int(length)], self._buffer[int(length) :]
        return body

    def _take_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._need()
        taken, _, self._buffer = self._buffer.partition(end)
        return taken

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            self._need()

    def _need(self) -> None:
        if not self._more():
            raise EOFError(f"the daemon closed its output; left is {self._buffer[:200]!r}")

    def _more(self) -> bool:
        ready, _, _ = select.select([self._output], [], [], PATIENCE)
        assert ready, "the daemon is silent"
        data = os.read(self._output.fileno(), 1 << 20)
        self._buffer += data
        return bool(data)

    @staticmethod
    def _decode(body: bytes) -> dict[str, Any]:
        message = json.loads(body)
        assert isinstance(message, dict), message
        return message


def request(request_id: Any, method: str, params: Any = None) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": request_id, "method": method}
    return message if params is None else {**message, "params": params}
