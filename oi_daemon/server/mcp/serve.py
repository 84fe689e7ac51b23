"""Serves one host at two descriptors, from its first byte to its end."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from oi_daemon.server.descriptors import read, watch_output
from oi_daemon.server.mcp.adapter import McpAdapter, McpMethods
from oi_daemon.server.mcp.block_chunks import BlockChunks
from oi_daemon.server.outbox import Outbox
from oi_daemon.server.peer import Peer

logger = logging.getLogger(__name__)

_CLOSE_WITHIN = 2.0
"""Seconds that ending what runs may take at the end."""
_LAST_WITHIN = 0.3
"""Seconds that making the last answers may take after that, and again their delivery."""


async def serve_mcp(make: Callable[[BlockChunks], McpMethods], stdin: int, stdout: int) -> int:
    """Serve the host until it ends or is gone, or a signal comes. Returns the exit code."""
    with ExitStack() as watches:
        host = McpHost(make, stdin, stdout, watches)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, host.finish, 128 + number)
            watches.callback(loop.remove_signal_handler, number)
        return await host.run()


class McpHost:
    """One host.

    At the end of the input, what waits for a person is declined, and what was accepted is finished
    and answered. If nobody reads the output any more, everything ends at once. Where other clients
    may come, what runs goes on in both cases.
    """

    def __init__(
        self,
        make: Callable[[BlockChunks], McpMethods],
        stdin: int,
        stdout: int,
        watches: ExitStack,
    ) -> None:
        """
        Args:
            make: makes what serves the host, and sends its chunks to the calls.
            watches: closed when the host is served no longer.
        """
        self._stdin = stdin
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The exit code. The host is served no longer as soon as it is set."""
        self._outbox = Outbox(stdout, self._gone)
        feed = BlockChunks()
        self._methods = make(feed)
        self._adapter = McpAdapter(self._methods, feed)
        self._peer = self._adapter.peer = Peer(
            self._adapter, self._outbox, cancel="notifications/cancelled", answers_cancelled=False
        )
        watch_output(stdout, self._gone, watches)

    async def run(self) -> int:
        """Serve the host; returns the exit code."""
        await self._methods.start(None, None)
        reading = asyncio.create_task(self._read())
        code = await self._exit
        reading.cancel()
        await asyncio.wait([reading])  # then no answer to a question comes any more
        try:
            await asyncio.wait_for(self._adapter.close(), _CLOSE_WITHIN)
            if self.unanswered:
                await asyncio.wait(self.unanswered, timeout=_LAST_WITHIN)
            await asyncio.wait_for(self._outbox.below(0), _LAST_WITHIN)
        except TimeoutError:
            logger.warning("the end of a host took too long")
        self._outbox.close()
        return code

    @property
    def unanswered(self) -> set[asyncio.Task[Any]]:
        """The calls that run on although the host is gone."""
        return self._adapter.unanswered

    def finish(self, code: int) -> None:
        """End with this exit code, unless the end has come already."""
        if not self._exit.done():
            self._exit.set_result(code)

    def _gone(self) -> None:
        self.finish(1)

    async def _read(self) -> None:
        """Handle all messages. At the end of the input, what runs is finished and answered."""
        try:
            await self._peer.run(read(self._stdin))
            await self._adapter.end_of_input()
        except Exception:
            logger.exception("reading failed")
            self.finish(1)
        else:
            self.finish(0)
