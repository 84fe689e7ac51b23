"""A host of the Model Context Protocol: the MCP library's own client, and what a test asks it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types
from mcp import Client, StdioServerParameters

from oi_daemon.server.mcp import shapes
from tests.patience import PATIENCE
from tests.wire_client import COMMAND

MODES = ("legacy", "auto")
"""With a handshake, and in the revision without one."""
RUN = {"decision": "run"}

_RELAY = """\
import os, subprocess, sys, threading
served = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def copy(source, target):
    while data := os.read(source, 65536):
        os.write(target, data)
threading.Thread(target=copy, args=(served.stdout.fileno(), 1), daemon=True).start()
copy(0, served.stdin.fileno())
"""
"""A host in a process of its own, so that it can be killed."""


def killable(*words: str) -> tuple[str, ...]:
    """A command that starts `oi-daemon --mcp` with these words as its child, and passes on all."""
    return (sys.executable, "-c", _RELAY, COMMAND, "--mcp", *words)


class Person:
    """Answers the questions that a host shows, each with the next answer."""

    def __init__(self, *answers: dict[str, Any] | str) -> None:
        self._answers = [*answers]
        self.asked: list[Any] = []

    async def __call__(self, context: Any, params: Any) -> mcp_types.ElicitResult:
        self.asked.append(params)
        answer = self._answers.pop(0)
        if isinstance(answer, str):
            return mcp_types.ElicitResult(action=answer)  # type: ignore[arg-type]
        return mcp_types.ElicitResult(action="accept", content=answer)


class Silent:
    """Is asked, and never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.taken_back = asyncio.Event()

    async def __call__(self, context: Any, params: Any) -> mcp_types.ElicitResult:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.taken_back.set()
        raise AssertionError


@asynccontextmanager
async def host(
    mode: str = "legacy",
    person: Any = None,
    *,
    shared: bool = False,
    **environ: str,
) -> AsyncIterator[Client]:
    """A host with the daemon. Without a person it cannot ask."""
    words = ["--mcp"] if shared else ["--mcp", "--private"]
    server = StdioServerParameters(command=COMMAND, args=words, env={**os.environ, **environ})
    async with (
        asyncio.timeout(PATIENCE),
        Client(server, mode=mode, elicitation_callback=person) as client,
    ):
        yield client


async def run(client: Client, code: str, language: str = "python", **more: Any) -> Any:
    return await client.call_tool("run_code", {"language": language, "code": code, **more})


def text(result: Any) -> str:
    return "".join(each.text for each in result.content if each.type == "text")


def envelope(can_ask: bool = False) -> dict[str, Any]:
    """The `_meta` of a request without a handshake."""
    capabilities: dict[str, Any] = {"elicitation": {}} if can_ask else {}
    return {shapes.VERSION_KEY: shapes.MODERN, shapes.CAPABILITIES_KEY: capabilities}


def call(code: str, *, can_ask: bool = False, **more: str) -> dict[str, Any]:
    """The params of a call of `run_code` without a handshake."""
    arguments = {"language": "python", "code": code, **more}
    return {"name": "run_code", "arguments": arguments, "_meta": envelope(can_ask)}
