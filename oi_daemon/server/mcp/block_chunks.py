"""The chunks of all sessions, each passed to the call that waits for them."""

import asyncio

from oi_daemon.errors import BusyError
from oi_daemon.protocol.methods import ChunkParams


class BlockChunks:
    """Takes the place of an outbox: see `oi_daemon.server.outbox.Outbox`."""

    pending_bytes = 0
    pending_requests = 0

    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Queue[ChunkParams | None]] = {}
        """The chunks of the block that runs in each session, until its call takes them."""

    def begin(self, session: str) -> asyncio.Queue[ChunkParams | None]:
        """Keep a session's chunks from now on, in the queue that is returned. None may end it.

        Raises:
            BusyError: a call of this host runs in the session.
        """
        if session in self._queues:
            raise BusyError("A call runs in this session already: wait for it, or interrupt it.")
        queue: asyncio.Queue[ChunkParams | None] = asyncio.Queue()
        self._queues[session] = queue
        return queue

    def end(self, session: str) -> None:
        """Drop a session's chunks from now on."""
        self._queues.pop(session, None)

    def chunk(self, params: ChunkParams) -> None:
        """Take a chunk. Those of a session in which no call waits are dropped."""
        if (queue := self._queues.get(params.conversation)) is not None:
            queue.put_nowait(params)

    async def drain(self) -> None:
        """Wait for nothing: a block's shown output is bounded."""
