"""Serves one host over two descriptors."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

from oi_daemon.server.descriptors import read, watch_output
from oi_daemon.server.mcp.adapter import McpAdapter
from oi_daemon.server.mcp.block_chunks import BlockChunks
from oi_daemon.server.mcp.calls import CalledMethods
from oi_daemon.server.outbox import Outbox
from oi_daemon.server.peer import Peer

logger = logging.getLogger(__name__)

_CLOSE_WITHIN = 2.0
"""Seconds that ending what runs may take."""


class McpMethods(CalledMethods, Protocol):
    """The wire's methods, with their beginning and end."""

    async def start(self, settings: dict[str, Any] | None, folder: str | None) -> None: ...
    async def close(self) -> None: ...


async def serve_mcp(make: Callable[[BlockChunks], McpMethods], stdin: int, stdout: int) -> int:
    """Serve the host at these descriptors until it ends or is gone. Returns the exit code."""
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[int] = loop.create_future()

    def finish(code: int) -> None:
        if not gone.done():
            gone.set_result(code)

    feed = BlockChunks()
    methods = make(feed)
    outbox = Outbox(stdout, lambda: finish(1))
    adapter = McpAdapter(methods, feed)
    peer = adapter.peer = Peer(
        adapter, outbox, cancel="notifications/cancelled", answers_cancelled=False
    )
    with ExitStack() as watches:
        watch_output(stdout, lambda: finish(1), watches)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, finish, 128 + number)
            watches.callback(loop.remove_signal_handler, number)
        await methods.start(None, None)
        reading = asyncio.create_task(_read(peer, stdin, finish))
        code = await gone
        reading.cancel()
        try:
            async with asyncio.timeout(_CLOSE_WITHIN):
                await peer.close()
                await adapter.close()
                await methods.close()
        except Exception:
            logger.exception("closing failed")
    return code


async def _read(peer: Peer, stdin: int, finish: Callable[[int], None]) -> None:
    """Handle all messages. At the end of the input, what runs is finished and answered."""
    try:
        await peer.run(read(stdin))
        await peer.finish()
        finish(0)
    except Exception:
        logger.exception("reading failed")
        finish(1)
