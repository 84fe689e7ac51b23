"""Serves one ACP client over stdio, with conversations of its own."""

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
"""Seconds that the delivery of the last messages may take."""


async def serve_acp(make: "Callable[[AcpAdapter], Methods]", stdin: int, stdout: int) -> int:
    """Serve the client at these descriptors until it ends or is gone. Returns the exit code.

    At the end of the input, what was accepted is finished and answered, and what waits for a
    person is declined. If nobody reads the output any more, everything ends at once.
    """
    loop = asyncio.get_running_loop()
    exit: asyncio.Future[int] = loop.create_future()

    def finish(code: int) -> None:
        if not exit.done():
            exit.set_result(code)

    with ExitStack() as watches:
        outbox = Outbox(stdout, lambda: finish(1))
        watch_output(stdout, lambda: finish(1), watches)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, finish, 128 + number)
            watches.callback(loop.remove_signal_handler, number)
        adapter = AcpAdapter(outbox, make)
        reading = asyncio.create_task(_read(adapter, stdin))
        reading.add_done_callback(lambda task: finish(_code(task)))
        code = await exit
        reading.cancel()
        try:
            await asyncio.wait_for(adapter.close(), _CLOSE_WITHIN)
            await asyncio.wait_for(outbox.below(0), _LAST_WITHIN)
        except TimeoutError:
            logger.warning("the end took too long")
        return code


async def _read(adapter: AcpAdapter, stdin: int) -> None:
    await adapter.peer.run(read(stdin))
    await adapter.end_of_input()


def _code(reading: "asyncio.Task[None]") -> int:
    """Return the exit code for the end of the input."""
    if reading.cancelled():
        return 1
    if error := reading.exception():
        logger.error("reading failed", exc_info=error)
        return 1
    return 0
