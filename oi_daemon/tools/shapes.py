"""The messages of the Model Context Protocol that a client reads. Unknown fields are ignored."""

from typing import Any

import msgspec

VERSION = "2025-11-25"
"""The revision of the protocol that is asked for."""
VERSIONS = (VERSION, "2025-06-18", "2025-03-26", "2024-11-05")
"""The revisions that are understood."""


class ServerInfo(msgspec.Struct, frozen=True):
    """Who the server is."""

    name: str = ""
    version: str = ""
    title: str | None = None


class InitializeResult(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to `initialize`."""

    protocol_version: str
    capabilities: dict[str, Any] = {}
    server_info: ServerInfo = ServerInfo()


class ListedTool(msgspec.Struct, frozen=True, rename="camel"):
    """One tool in the answer to `tools/list`."""

    name: str
    title: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] = {}


class ToolPage(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to `tools/list`."""

    tools: list[ListedTool]
    next_cursor: str | None = None


class ResourceContents(msgspec.Struct, frozen=True, rename="camel"):
    """A resource that a result embeds."""

    uri: str = ""
    mime_type: str | None = None
    text: str | None = None
    blob: str | None = None


class ContentBlock(msgspec.Struct, frozen=True, rename="camel"):
    """A piece of a result: of the type `text`, `image`, `audio`, `resource` or `resource_link`."""

    type: str
    text: str = ""
    data: str = ""
    mime_type: str | None = None
    resource: ResourceContents | None = None
    uri: str = ""
    name: str = ""


class CallResult(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to `tools/call`."""

    content: list[ContentBlock] = []
    structured_content: Any = None
    is_error: bool = False
