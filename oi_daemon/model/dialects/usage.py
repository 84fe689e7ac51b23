"""The tokens that a server has counted. Servers agree neither on the names nor on the types."""

import math
from collections.abc import Mapping
from typing import Any

from oi_daemon.model.prices import TokenCounts


def token_counts(usage: Any) -> TokenCounts | None:
    """Return what the server counted; None if this is no usage."""
    if not isinstance(usage, Mapping):
        return None
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, Mapping) else {}
    written = usage.get("completion_tokens_details", usage.get("output_tokens_details"))
    written = written if isinstance(written, Mapping) else {}
    cost = _number(usage.get("cost"))
    tier = usage.get("service_tier")
    return TokenCounts(
        input_tokens=_first(usage.get("prompt_tokens"), usage.get("input_tokens")),
        output_tokens=_first(usage.get("completion_tokens"), usage.get("output_tokens")),
        cached_tokens=_first(
            details.get("cached_tokens"),
            usage.get("prompt_cache_hit_tokens"),
            usage.get("cache_read_input_tokens"),
        ),
        cache_write_tokens=_first(
            details.get("cache_write_tokens"), usage.get("cache_creation_input_tokens")
        ),
        reasoning_tokens=_first(written.get("reasoning_tokens")),
        service_tier=tier if isinstance(tier, str) else None,
        cost=cost,
    )


def _first(*values: Any) -> int:
    """Return the first of these that is a number, as a count; else 0."""
    return next((int(number) for value in values if (number := _number(value)) is not None), 0)


def _number(value: Any) -> float | None:
    """Return the value if it is a number that can be counted; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and value >= 0 else None
