"""Finds the server to ask, and announces that a model on this machine is loaded first."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from oi_daemon.messages import NoticeChunk
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.local.embedded import OnLoad


class Location:
    """A search for the server that the settings name. It may take until a model is loaded."""

    def __init__(self, finding: asyncio.Task[Endpoint], loading: asyncio.Future[str]) -> None:
        """
        Args:
            finding: the task that looks for the server, and returns it when it can answer.
            loading: gets the name of the model, if one has to be loaded before that.
        """
        self._finding = finding
        self._loading = loading

    async def notice(self) -> NoticeChunk | None:
        """Wait until it is known whether a model is loaded; return the notice that says so."""
        tasks: set[asyncio.Future[object]] = {self._finding, self._loading}  # type: ignore[arg-type]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not self._loading.done():
            return None
        return NoticeChunk("loading", f"Loading the model {self._loading.result()}.")

    async def endpoint(self) -> Endpoint:
        """Wait for the endpoint, and return it.

        Raises:
            ModelError: see `ServerAccess.endpoint`.
        """
        return await self._finding


@asynccontextmanager
async def locating(
    find: Callable[[OnLoad], Coroutine[None, None, Endpoint]],
) -> AsyncIterator[Location]:
    """Search for the server to ask. Leaving the context ends the search.

    Args:
        find: searches. It calls what it gets before a model on this machine is loaded.
    """
    loading: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    finding = asyncio.create_task(find(loading.set_result))
    try:
        yield Location(finding, loading)
    finally:
        loading.cancel()
        finding.cancel()
        await asyncio.gather(finding, return_exceptions=True)
