"""The server and the model that a request goes to."""

import ipaddress
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

from oi_daemon.settings import Settings, json_object

NO_KEY = "local"
"""Sent as the key where the user has set none, because clients must send one.

Local servers ignore it; the user's key is never sent to a server found on a usual port.
"""


class ModelAsker(Protocol):
    """Asks a model in another way than by HTTP."""

    def stream(
        self, payload: Mapping[str, Any], read_timeout: float
    ) -> AsyncGenerator[bytes, None]:
        """Ask, and yield the events of the chat completion that answers."""
        ...


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server's URL and key, the model to use there, and what is special about its requests."""

    api_base: str
    api_key: str = field(repr=False)
    model: str
    is_small: bool = False
    """Whether the model is small, so that it needs the short prompt of `local.compact`."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that every request to this server must carry."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameters of each request's URL, such as Azure's `api-version`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """HTTP headers of each request that the user has set; they may hold keys."""
    key_header: str | None = None
    """Name of the header that holds the key, where it is not `Authorization`."""
    context_window: int | None = None
    """Tokens of the context window, if we started the server ourselves, or a client tells them."""
    relay: ModelAsker | None = field(default=None, repr=False, compare=False)
    """Asks the client that offers the model; None for a server."""
    takes_tools: bool = True
    """False for a client's model that cannot call tools."""
    takes_pictures: bool | None = None
    """Whether a client's model can see pictures; None for a server, where the name tells it."""

    @property
    def secret(self) -> str | None:
        """The key, or None where it is only the placeholder `NO_KEY`."""
        return None if self.api_key == NO_KEY else self.api_key


class ServerURL(NamedTuple):
    """The parts of the setting `api_base` that a request needs."""

    base: str
    """The URL to which the path of an API is added."""
    query: dict[str, str]
    key_header: str | None
    """Name of the header that holds the key, where it is not `Authorization`."""


def server_url(api_base: str) -> ServerURL:
    """Return the parts of a base URL; one that leads to an API is cut to its base.

    Azure's URLs carry the version of the API, and its servers take the key in a header of their
    own.
    """
    head, _, query = api_base.strip().partition("?")
    base = head.rstrip("/")
    for path in ("/chat/completions", "/responses"):
        base = base.removesuffix(path)
    azure = "/openai/deployments/" in base or "api-version=" in query
    return ServerURL(base, dict(parse_qsl(query)), "api-key" if azure else None)


def configured_endpoint(settings: Settings, api_base: str, model: str) -> Endpoint:
    """Return the endpoint of a server that the settings name, with all that they say about it."""
    url = server_url(api_base)
    return Endpoint(
        api_base=url.base,
        api_key=(settings.api_key or NO_KEY).strip(),
        model=model,
        query=url.query,
        key_header=url.key_header,
        headers=json_object(settings.extra_headers),
    )


def is_this_machine(host: str) -> bool:
    """Return whether a host's name or address always means this machine."""
    name = host.lower().rstrip(".").strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified
