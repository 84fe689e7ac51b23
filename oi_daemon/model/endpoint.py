"""The server and the model that a request goes to."""

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
