"""Serves one ACP client at two descriptors, from its first byte to its end."""

import asyncio
import logging
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

from oi_daemon.server.acp.adapter import AcpAdapter
from oi_daemon.server.descriptors import read, watch_output
from oi_daemon.server.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from oi_daemon.server.methods import Methods

logger = logging.getLogger(__name__)

_CLOSE_WITHIN = 2.0
"""Seconds that ending what runs may take at the end."""
_LAST_WITHIN = 0.3
"""Seconds that making the last answers may take after that, and again their delivery."""


async def serve_acp(make: "Callable[[AcpAdapter], Methods]", stdin: int, stdout: int) -> int:
    """Serve the client until it ends or is gone, or a signal comes. Returns the exit code."""
    with ExitStack() as watches:
        client = AcpClient(make, stdin, stdout, watches)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, client.finish, 128 + number)
            watches.callback(loop.remove_signal_handler, number)
        return await client.run()


class AcpClient:
    """One client.

    At the end of the input, what waits for a person is declined, and what was accepted is finished
    and answered. If nobody reads the output any more, everything ends at once.
    """

    def __init__(
        self,
        make: "Callable[[AcpAdapter], Methods]",
        stdin: int,
        stdout: int,
        watches: ExitStack,
    ) -> None:
        """
        Args:
            make: makes what serves the client, and sends its chunks to the adapter.
            watches: closed when the client is served no longer.
        """
        self._stdin = stdin
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The exit code. The client is served no longer as soon as it is set."""
        self._outbox = Outbox(stdout, self._gone)
        self._adapter = AcpAdapter(self._outbox, make)
        watch_output(stdout, self._gone, watches)

    async def run(self) -> int:
        """Serve the client; returns the exit code."""
        reading = asyncio.create_task(self._read())
        code = await self._exit
        reading.cancel()
        try:
            await asyncio.wait_for(self._adapter.close(), _CLOSE_WITHIN)
            if self.unanswered:
                await asyncio.wait(self.unanswered, timeout=_LAST_WITHIN)
            await asyncio.wait_for(self._outbox.below(0), _LAST_WITHIN)
        except TimeoutError:
            logger.warning("the end of a client took too long")
        finally:
            self._outbox.close()  # its descriptor may soon be another client's
        return code

    @property
    def unanswered(self) -> set[asyncio.Task[None]]:
        """The requests that run on although the client is gone."""
        return self._adapter.peer.unanswered

    def finish(self, code: int) -> None:
        """End with this exit code, unless the end has come already."""
        if not self._exit.done():
            self._exit.set_result(code)

    def _gone(self) -> None:
        self.finish(1)

    async def _read(self) -> None:
        try:
            await self._adapter.peer.run(read(self._stdin))
            await self._adapter.end_of_input()
        except Exception:
            logger.exception("reading failed")
            self.finish(1)
        else:
            self.finish(0)
