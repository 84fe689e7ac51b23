"""One MCP server of a conversation: started at first need, and once more if it has died."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from oi_daemon import keys
from oi_daemon.errors import OIError
from oi_daemon.model.functions import ToolFunction
from oi_daemon.settings.mcp_servers import McpServer
from oi_daemon.tools.connection import McpConnection
from oi_daemon.tools.functions import MOST_TOOLS, functions_of
from oi_daemon.tools.http import HttpTransport
from oi_daemon.tools.shapes import CallResult, ToolPage
from oi_daemon.tools.stdio import StdioTransport
from oi_daemon.tools.transport import ServerGoneError

_MOST_PAGES = 50
"""Most pages of a list of tools that are read."""

_listings: dict[bytes, tuple[ToolFunction, ...]] = {}
"""The functions of servers that were started before, by their settings and folder: so a further
conversation need not start a server to know what it offers."""


class McpServerError(OIError):
    """A server cannot be used, or its tool has failed. The text is for a person and the model."""


class ToolServer:
    """A server as the settings describe it."""

    def __init__(self, name: str, settings: McpServer, cwd: str) -> None:
        """
        Args:
            cwd: the folder in which it starts, unless its settings name one.
        """
        self.name = name
        self._settings = settings
        self._cwd = cwd
        self._key = msgspec.json.encode([name, settings, cwd])
        self._connection: McpConnection | None = None
        self._starting = asyncio.Lock()
        """Held while the server starts, so that it starts once."""
        self._deaths = 0
        """How often the server has died since it last answered a call."""
        self._listed: McpConnection | None = None
        """The connection whose tools are in `_listings`."""
        keys.add_secrets(settings.env)
        keys.add_secrets(settings.headers)

    async def functions(self, *, fresh: bool = False) -> tuple[ToolFunction, ...]:
        """The server's tools as functions.

        Args:
            fresh: ask the server itself, even if what it offers is known from before.

        Raises:
            McpServerError: the server does not start, or does not list them.
        """
        known = _listings.get(self._key)
        has_changed = self._connection is not None and self._connection.tools_changed
        if known is not None and not has_changed and not (fresh and self._is_outdated):
            return known
        connection, _ = await self._connected()
        tools = await self._within("list its tools", self._tools(connection))
        self._listed = connection
        _listings[self._key] = functions_of(self.name, tools)
        return _listings[self._key]

    @property
    def _is_outdated(self) -> bool:
        connection = self._connection
        return connection is None or self._listed is not connection or connection.tools_changed

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> tuple[CallResult, str]:
        """Call a tool. Returns its result, and what a person must know besides, or nothing.

        Raises:
            McpServerError: the server does not start, or does not answer.
        """
        connection, notice = await self._connected()
        params = {"name": tool, "arguments": arguments}
        request = connection.request("tools/call", params, CallResult)
        result = await self._within(f"answer the call of {tool}", request)
        self._deaths = 0
        return result, notice

    async def close(self) -> None:
        """End the server. The next call starts it again."""
        connection, self._connection = self._connection, None
        self._deaths = 0
        if connection is not None:
            await connection.close()

    async def _tools(self, connection: McpConnection) -> list[Any]:
        """All tools that the server lists."""
        connection.tools_changed = False
        tools: list[Any] = []
        params: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await connection.request("tools/list", params, ToolPage)
            tools += page.tools
            if not page.next_cursor or len(tools) >= MOST_TOOLS:
                break
            params = {"cursor": page.next_cursor}
        return tools

    async def _connected(self) -> tuple[McpConnection, str]:
        """The connection to the running server, and the sentence that it was started again."""
        async with self._starting:
            notice = ""
            if self._connection is not None and self._connection.ended is not None:
                notice = self._restart(self._connection.ended)
                await self._connection.close()
                self._connection = None
            connection = self._connection or await self._within("start", self._start())
            self._connection = connection
            return connection, notice

    def _restart(self, reason: str) -> str:
        """Count a death. The sentence about it, which says that the server is started again.

        Raises:
            McpServerError: it was started again before, and has not answered since.
        """
        if self._deaths:
            raise McpServerError(
                f"The MCP server {self.name} {reason}. It was started again once before, so it is"
                " left alone now. Correct its settings, or reset the conversation to try again."
            )
        self._deaths += 1
        return f"The MCP server {self.name} {reason}. It was started again."

    async def _start(self) -> McpConnection:
        connection = McpConnection()
        transport = (
            await HttpTransport.start(self._settings, connection)
            if self._settings.url
            else await StdioTransport.start(self._settings, self._cwd, connection)
        )
        try:
            await connection.initialize(transport)
        except BaseException:
            await asyncio.shield(connection.close() if connection.ended else transport.close())
            raise
        return connection

    async def _within(self, what: str, work: Any) -> Any:
        """Wait for this, at most as long as the settings allow.

        Args:
            what: what the server has to do, in words that follow on "to".

        Raises:
            McpServerError: it fails, or takes too long.
        """
        seconds = self._settings.max_seconds
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            reason = f"took more than {seconds:g} s to {what}, and `max_seconds` allows no more"
            raise McpServerError(f"The MCP server {self.name} {reason}.") from None
        except McpServerError:
            raise
        except (OIError, ServerGoneError) as error:
            raise McpServerError(f"The MCP server {self.name} {error}.") from error
