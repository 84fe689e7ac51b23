"""All MCP servers of one conversation."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from oi_daemon.model.functions import ToolFunction
from oi_daemon.settings import Settings
from oi_daemon.settings.mcp_servers import McpServer, mcp_servers
from oi_daemon.tools.results import for_code
from oi_daemon.tools.server import McpServerError, ToolServer

_LISTED_WITHIN = 10.0
"""Seconds that a turn waits at most for servers that start; they go on starting after that."""


class Toolbox:
    """Implements `oi_daemon.execution.language.ToolCalls`."""

    def __init__(self) -> None:
        self._configured: tuple[str | None, str, bool] = (None, "", False)
        """The settings from which `_servers` are made: `mcp`, folder, whether there is a
        sandbox."""
        self._servers: dict[str, ToolServer] = {}
        self._closed_off: dict[str, str] = {}
        """Why a server of this name cannot be used, in a sentence."""
        self._interrupted = asyncio.Event()
        """Set if `functions` must not wait any longer."""
        self._listing: dict[str, asyncio.Task[tuple[ToolFunction, ...]]] = {}
        """The tasks that find out what the servers offer."""

    async def configure(self, settings: Settings, cwd: str) -> None:
        """Use these settings from now on. If they have changed, all servers end.

        Args:
            cwd: the folder in which code runs.
        """
        configured = (settings.mcp, cwd, settings.sandbox != "none")
        if configured == self._configured:
            return
        await self.close()
        self._configured = configured
        servers = mcp_servers(settings.mcp)
        self._closed_off = {
            name: _OUTSIDE.format(name)
            for name, server in servers.items()
            if settings.sandbox != "none" and not server.outside_sandbox
        }
        self._servers = {
            name: ToolServer(name, server, cwd)
            for name, server in servers.items()
            if name not in self._closed_off
        }

    async def functions(self) -> tuple[tuple[ToolFunction, ...], tuple[str, ...]]:
        """The functions of all servers, and a sentence about each server without known ones.

        Servers that were never started are started for that. An interrupt ends the waiting.
        """
        self._interrupted.clear()
        for name, server in self._servers.items():
            if name not in self._listing or self._listing[name].done():
                self._listing[name] = asyncio.create_task(server.functions())
                self._listing[name].add_done_callback(_take_note)
        if tasks := set(self._listing.values()):
            stop = asyncio.create_task(self._interrupted.wait())
            work = asyncio.create_task(asyncio.wait(tasks))
            try:
                await asyncio.wait(
                    {stop, work}, timeout=_LISTED_WITHIN, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                stop.cancel()
                work.cancel()
        found: list[ToolFunction] = []
        unavailable: list[str] = []
        for name, task in self._listing.items():
            if not task.done():
                unavailable.append(f"The MCP server {name} is still starting.")
            elif task.cancelled():
                unavailable.append(f"The MCP server {name} was ended.")
            elif (error := task.exception()) is not None:
                unavailable.append(str(error))
            else:
                found += task.result()
        return tuple(found), tuple(unavailable)

    def interrupt(self) -> None:
        """Let `functions` wait no longer."""
        self._interrupted.set()

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `ToolCalls.answer`."""
        try:
            if "servers" in request:
                return {"servers": await self._described()}
            if "functions" in request:
                functions = await self._server(request["functions"]).functions(fresh=True)
                return {"functions": [_described_function(each) for each in functions]}
            return await self._call(request)
        except McpServerError as error:
            return {"error": str(error)}

    async def close(self) -> None:
        """End all servers. The next call starts its server again."""
        for task in self._listing.values():
            task.cancel()
        self._listing = {}
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    async def _call(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        server = self._server(request.get("server"))
        result, notice = await server.call(str(request.get("call")), request.get("arguments") or {})
        answer = for_code(result)
        if result.is_error:
            answer["error"] = answer["text"] or "The tool has failed, and does not say why."
        return {**answer, "notice": notice}

    def _server(self, name: object) -> ToolServer:
        """The server of this name.

        Raises:
            McpServerError: there is none, or it cannot be used.
        """
        if isinstance(name, str) and name in self._servers:
            return self._servers[name]
        raise McpServerError(self._closed_off.get(str(name), f"There is no MCP server {name!r}."))

    async def _described(self) -> dict[str, str]:
        """A few words about each server, by its name. Starts none."""
        servers = mcp_servers(self._configured[0])
        return {
            name: self._closed_off.get(name) or _about(server) for name, server in servers.items()
        }


def _about(server: McpServer) -> str:
    """What a server is, without arguments and parts of the URL, which may hold keys."""
    return server.command or urlsplit(server.url or "").hostname or ""


def _described_function(function: ToolFunction) -> dict[str, Any]:
    return {
        "name": function.tool,
        "python": function.python,
        "description": function.description,
        "parameters": msgspec.to_builtins(function.parameters),
    }


def _take_note(task: "asyncio.Task[tuple[ToolFunction, ...]]") -> None:
    """Look at a task's error, so that one that nobody waits for any more is not reported."""
    if not task.cancelled():
        task.exception()


_OUTSIDE = (
    "The MCP server {0} is not in the sandbox, so code in the sandbox may not use it. Set"
    " outside_sandbox = true in [mcp.{0}] of the settings file to allow it."
)
