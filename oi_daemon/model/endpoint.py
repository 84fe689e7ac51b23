"""The server and the model that a request goes to."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_KEY = "local"
"""Sent as the key where the user has set none, because clients must send one.

Local servers ignore it; the user's key is never sent to a server found on a usual port.
"""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server's URL and key, the model to use there, and what is special about its requests."""

    api_base: str
    api_key: str = field(repr=False)
    model: str
    compact: bool = False
    """Whether the model is small, so that it needs the short prompt of `local.compact`."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that every request to this server must carry."""
    context_window: int | None = None
    """Tokens of the context window, if we started the server ourselves; else None."""

    @property
    def secret(self) -> str | None:
        """The key, or None where it is only the placeholder `NO_KEY`."""
        return None if self.api_key == NO_KEY else self.api_key


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
