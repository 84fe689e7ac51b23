"""A server that is started here, and speaks over its standard input and output."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable

from oi_daemon.errors import OIError
from oi_daemon.execution.process.guard import COOKIE, guard, kill
from oi_daemon.logs import redact
from oi_daemon.messages.text import without_controls
from oi_daemon.settings.mcp_servers import McpServer
from oi_daemon.tools.transport import MAX_MESSAGE, MessageReceiver

logger = logging.getLogger(__name__)

_PLAIN = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR")
"""Variables of our own environment that a server gets."""
_READ = 1 << 18
_STDERR_KEPT = 2000
"""Bytes of the end of a server's standard error that are kept, for the error that it ended."""
_LEAVE_WITHIN = 0.3
"""Seconds that a server has to end after its input was closed; then it is killed."""


class StdioTransport:
    """One process of a server. The guards end it if the daemon dies. See `Transport`."""

    def __init__(self, process: asyncio.subprocess.Process, cookie: str, receiver: MessageReceiver):
        self._process = process
        self._cookie = cookie
        self._receiver = receiver
        self._stderr = b""
        """The end of what it has written to its standard error."""
        self._tasks = {
            asyncio.create_task(self._read()),
            asyncio.create_task(self._read_stderr()),
        }

    @classmethod
    async def start(
        cls, server: McpServer, cwd: str, receiver: MessageReceiver
    ) -> "StdioTransport":
        """Start the server's process.

        Args:
            cwd: the folder in which it starts, unless the server's settings name one.

        Raises:
            OIError: it cannot be started; the text is the end of a sentence.
        """
        assert server.command is not None
        cookie = f"{guard().cookie}.{secrets.token_hex(4)}"
        plain = {name: os.environ[name] for name in _PLAIN if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                server.command,
                *server.args,
                cwd=server.cwd or cwd,
                env={**plain, **server.env, COOKIE: cookie},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise OIError(f"does not start: {error.strerror or error}") from error
        guard().add(process.pid)
        return cls(process, cookie, receiver)

    def send(self, message: bytes, failed: Callable[[str], None]) -> None:
        """See `Transport`. A message that is not taken is noticed by the end of the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(message + b"\n")

    def on_initialized(self, version: str) -> None:
        """See `Transport`."""

    async def close(self) -> None:
        """See `Transport`."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _LEAVE_WITHIN)
        except TimeoutError:
            pass
        self._kill()
        _, pending = await asyncio.wait(self._tasks, timeout=_LEAVE_WITHIN)
        for task in pending:  # somebody else holds its pipes open
            task.cancel()

    def _kill(self) -> None:
        """Kill what is left of it and of what it has started."""
        kill(self._process.pid, self._cookie)
        guard().remove(self._process.pid)

    async def _read(self) -> None:
        """Report each line that it writes, then its end."""
        assert self._process.stdout is not None
        line = bytearray()
        is_skipping = False
        while data := await self._process.stdout.read(_READ):
            *ends, rest = data.split(b"\n")
            for end in ends:
                if not is_skipping:
                    line += end
                    if line.strip():
                        self._receiver.on_message(bytes(line))
                is_skipping = False
                line.clear()
            line += b"" if is_skipping else rest
            if len(line) > MAX_MESSAGE:
                is_skipping = True
                line.clear()
                self._receiver.on_oversized()
        status = await self._process.wait()
        self._kill()
        self._receiver.on_end(self._ending(status))

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(_READ):
            self._stderr = (self._stderr + data)[-_STDERR_KEPT:]
            logger.debug("MCP server: %s", redact(data.decode("utf-8", "replace").rstrip()))

    def _ending(self, status: int) -> str:
        """How it has ended, with the last line that it has written to its standard error."""
        how = f"ended with exit code {status}" if status >= 0 else f"was killed (signal {-status})"
        text = without_controls(redact(self._stderr.decode("utf-8", "replace")))
        lines = [line for line in text.splitlines() if line.strip()]
        return f"{how}: {lines[-1].strip()[:300]}" if lines else how
