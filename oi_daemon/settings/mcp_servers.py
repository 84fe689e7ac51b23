"""The setting `mcp`: the MCP servers whose tools the model and its Python code may call."""

import json
import keyword
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from oi_daemon.errors import InvalidError
from oi_daemon.settings.explanations import NO_NUL, explained, place_of

EXAMPLE = {
    "files": {
        "command": "npx",
        "args": ["-y", "@modelcontextprotocol/server-filesystem", "."],
    }
}
"""A server as the settings file shows it."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_Text = Annotated[str, Meta(min_length=1, pattern=NO_NUL)]
_AnyText = Annotated[str, Meta(pattern=NO_NUL)]


class McpServer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server: a program to start, or the address of one that runs."""

    command: _Text | None = None
    """The program, found by PATH. It speaks MCP over its standard input and output."""
    args: tuple[_AnyText, ...] = ()
    env: dict[str, _AnyText] = {}
    """Its environment variables, beside PATH, HOME and the like. They may be keys."""
    cwd: _Text | None = None
    """The folder in which it starts. None: the one in which code runs."""
    url: _Text | None = None
    """The address of a server that speaks streamable HTTP."""
    headers: dict[str, str] = {}
    """HTTP headers of each request. They may be keys."""
    max_seconds: Annotated[float, Meta(gt=0)] = 60.0
    """Seconds that a start or a call may take."""
    outside_sandbox: bool = False
    """Whether code in a sandbox may use it too. The server itself is never in the sandbox."""


def is_header(name: str, value: Any) -> bool:
    """Whether HTTP can send this header."""
    return (
        _HEADER_NAME.fullmatch(name) is not None
        and isinstance(value, str)
        and value.isascii()
        and value.isprintable()
    )


def mcp_servers(text: str | None) -> dict[str, McpServer]:
    """The servers by their names.

    Args:
        text: the setting, a JSON object; None for no servers.

    Raises:
        InvalidError: a server's name or a value does not fit. The text says which.
    """
    servers: dict[str, Any] = json.loads(text) if text else {}
    return {name: _server(name, value) for name, value in servers.items()}


def shown_servers(text: str) -> str:
    """The setting as it may be shown: without what may hold a key."""
    shown = json.loads(text)
    for server in shown.values():
        for hidden in ("env", "headers"):
            if hidden in server:
                server[hidden] = dict.fromkeys(server[hidden], "...")
        if "url" in server:
            parts = urlsplit(server["url"])
            server["url"] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return json.dumps(shown)


def _server(name: str, value: Any) -> McpServer:
    where = f"settings.mcp.{name}"
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InvalidError(
            f"{where}: a server's name has up to 32 letters, digits and underscores, as a name in"
            " Python"
        )
    try:
        server = msgspec.convert(value, McpServer)
    except msgspec.ValidationError as error:
        place = place_of(error)
        raise InvalidError(f"{where}{place and f'.{place}'}: {explained(error)}") from None
    if (server.command is None) == (server.url is None):
        raise InvalidError(f"{where}: expected either `command` or `url`")
    if server.url is not None:
        _check_url(where, server.url)
    for header, content in server.headers.items():
        if not is_header(header, content):
            raise InvalidError(f"{where}.headers: expected names and texts that HTTP can send")
    if any(not variable or "=" in variable or "\0" in variable for variable in server.env):
        raise InvalidError(f"{where}.env: expected names of environment variables")
    return server


def _check_url(where: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
    except ValueError:
        is_usable = False
    if not is_usable:
        raise InvalidError(f"{where}.url: expected an address that begins with http:// or https://")
