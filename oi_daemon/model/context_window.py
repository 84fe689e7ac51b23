"""Finds how many tokens fit into a model's context window.

The first that is known counts: the setting, a server that we started ourselves, what the server's
list of models tells, the model's name. A server that refuses a request and states a smaller window
is believed over all of them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.settings import Settings

UNKNOWN_HOSTED_WINDOW = 128_000
"""Tokens assumed for a hosted model whose name is not known."""
UNKNOWN_LOCAL_WINDOW = 8_192
"""Tokens assumed for a model on this machine, because local servers start with about this."""
EMBEDDED_WINDOW = 8_192
"""Tokens of the context window of a model file that we start."""
LARGEST_ANSWER = 4_096
"""Most tokens that are kept free for the answer where `max_tokens` is not set."""
SMALLEST_WINDOW = 256
"""Tokens that are used at least, whatever a server states."""

_FIELDS = ("loaded_context_length", "max_model_len", "context_length", "context_window", "n_ctx")
"""Fields of a model in a server's list that tell its window: of LM Studio, vLLM, OpenRouter, ..."""
_PARTS = ("meta", "top_provider")
"""Fields of a model whose values may hold one of `_FIELDS`: of llama.cpp, OpenRouter."""
_WRONG_IN_TABLE = {"gpt-4-32k": 32_768}
"""Windows that the table of `genai_prices` has wrong."""


def context_window(settings: Settings, endpoint: Endpoint, capabilities: Capabilities) -> int:
    """Return the tokens of the context window of the endpoint's model."""
    assumed = (
        settings.context_window
        or endpoint.context_window
        or capabilities.listed_window
        or window_by_name(endpoint.model)
        or (UNKNOWN_LOCAL_WINDOW if settings.local else UNKNOWN_HOSTED_WINDOW)
    )
    return min(assumed, capabilities.context_window or assumed)


def room_for_input(window: int, max_tokens: int | None) -> int:
    """Return the tokens that a request may have, so that its answer fits into the window too."""
    answer = min(max_tokens or min(window // 4, LARGEST_ANSWER), window // 2)
    return window - answer


@cache
def window_by_name(model: str) -> int | None:
    """Return the tokens of a hosted model's window; None if its name is not known."""
    from genai_prices.data_snapshot import get_snapshot

    if model in _WRONG_IN_TABLE:
        return _WRONG_IN_TABLE[model]
    try:
        _, info = get_snapshot().find_provider_model(model, None, None, None)
    except LookupError:
        return None
    return info.context_window


def stated_window(listed: Mapping[str, Any]) -> int:
    """Return the window that a model in a server's list tells; 0 if it tells none.

    If it tells several, the smallest counts.
    """
    parts = (listed, *(listed.get(name) for name in _PARTS))
    told = [part.get(field) for part in parts if isinstance(part, Mapping) for field in _FIELDS]
    return min((n for n in told if isinstance(n, int) and n >= SMALLEST_WINDOW), default=0)
