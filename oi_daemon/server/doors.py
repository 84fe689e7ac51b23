"""What serves the client behind a door of the shared daemon, by what the client speaks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Protocol

from oi_daemon import keys
from oi_daemon.execution.languages.registry import language_names
from oi_daemon.server.daemon import Daemon
from oi_daemon.server.feed import Sink
from oi_daemon.server.methods import Methods
from oi_daemon.server.outbox import Outbox
from oi_daemon.server.session import ClientSession
from oi_daemon.shared.host import FAR


class Guest:
    """A client behind a door: what it sent, and the connection that is open while it is there."""

    def __init__(self, kind: str, pid: int, folder: str, options: tuple[str, ...]) -> None:
        self.kind = kind
        """What the client speaks."""
        self.pid = pid
        """Id of the door's process."""
        self.folder = folder
        """The folder in which the client was started."""
        self.options = options
        """Further words of the door."""
        self.environ = keys.Environ({})
        """The client's environment."""
        self.stdin = self.stdout = -1
        """The client's own pipes."""
        self.gone = asyncio.Event()
        """Set when the door has ended."""


Door = Callable[[Guest, Daemon], Awaitable[int]]
"""Serves a client of one kind, and returns its exit code."""


class DoorClient(Protocol):
    """A client as it is served, whatever it speaks."""

    @property
    def unanswered(self) -> Iterable[asyncio.Task[Any]]: ...
    async def run(self) -> int: ...
    def finish(self, code: int) -> None: ...


async def serve_stdio(guest: Guest, daemon: Daemon) -> int:
    """Serve a client that speaks the protocol of `oi-daemon --stdio`; returns the exit code."""

    def make(outbox: Outbox) -> Methods:
        return _methods(guest, daemon, outbox, outbox.close)

    with ExitStack() as watches:
        names = partial(language_names, guest.environ)
        is_far = FAR in guest.environ.whole
        session = ClientSession(make, names, guest.stdin, guest.stdout, watches, is_far=is_far)
        return await _serve_client(session, guest, daemon)


async def serve_acp(guest: Guest, daemon: Daemon) -> int:
    """Serve a client that speaks the Agent Client Protocol; returns the exit code."""
    from oi_daemon.server.acp.serve import AcpClient

    def make(adapter: Sink) -> Methods:
        return _methods(guest, daemon, adapter, lambda: client.finish(1))

    with ExitStack() as watches:
        client = AcpClient(make, guest.stdin, guest.stdout, watches)
        return await _serve_client(client, guest, daemon)


async def serve_mcp(guest: Guest, daemon: Daemon) -> int:
    """Serve a host of the Model Context Protocol; returns the exit code."""
    from oi_daemon.server.mcp.serve import McpHost

    def make(feed: Sink) -> Methods:
        return _methods(guest, daemon, feed, lambda: host.finish(1))

    with ExitStack() as watches:
        host = McpHost(make, guest.stdin, guest.stdout, watches)
        return await _serve_client(host, guest, daemon)


def _methods(guest: Guest, daemon: Daemon, sink: Sink, on_cut: Callable[[], None]) -> Methods:
    """What serves the requests of a client behind a door."""
    return Methods(
        sink,
        daemon,
        environ=guest.environ,
        folder=guest.folder,
        debug="debug" in guest.options,
        on_cut=on_cut,
    )


async def _serve_client(client: DoorClient, guest: Guest, daemon: Daemon) -> int:
    """Serve the client until it ends or its door is gone. What it has begun may run on."""
    leaving = asyncio.create_task(_finish_when(guest.gone, client))
    try:
        return await client.run()
    finally:
        leaving.cancel()
        daemon.keep(client.unanswered)


async def _finish_when(gone: asyncio.Event, client: DoorClient) -> None:
    await gone.wait()
    client.finish(1)


DOORS: Mapping[str, Door] = {"stdio": serve_stdio, "acp": serve_acp, "mcp": serve_mcp}
"""What serves each kind of client."""
