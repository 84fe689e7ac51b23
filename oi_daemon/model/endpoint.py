"""The server and model that a request goes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_KEY = "local"
"""Local servers want some key and look at none. Ours is never told to whatever listens there."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a conversation's requests go, and how they are put."""

    api_base: str
    api_key: str = field(repr=False)
    model: str
    compact: bool = False
    """A small model: ask it by `oi_daemon.model.local.compact`."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    context_window: int | None = None
    """Tokens that fit, where we know better than by the model's name."""

    @property
    def secret(self) -> str | None:
        """The key, where it is one."""
        return None if self.api_key == NO_KEY else self.api_key
