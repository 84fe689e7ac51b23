"""What is known of hosted models by their names, offline: prices and context windows."""

from functools import cache

from oi_daemon.model.stream import WireUsage

_WRONG_WINDOWS = {"gpt-4-32k": 32_768}
"""Where the data is not right."""

OPENAI = "https://api.openai.com/v1"


def price(usage: WireUsage, model: str, api_base: str) -> float | None:
    """US dollars by the prices of the host, or of the model's maker for a host not known.

    None where the price is not known.
    """
    from genai_prices import Usage, calc_price

    cached = usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens
    for host in (api_base, None):
        try:
            counted = Usage(
                input_tokens=usage.prompt_tokens or 0,
                output_tokens=usage.completion_tokens or 0,
                cache_read_tokens=cached or 0,
            )
            return float(calc_price(counted, model, provider_api_url=host).total_price)
        except (LookupError, ValueError):  # a host or model not known; counts that can't be
            continue
    return None


@cache
def context_window(model: str) -> int | None:
    """Tokens; None for a model that is not known."""
    from genai_prices.data_snapshot import get_snapshot

    if model in _WRONG_WINDOWS:
        return _WRONG_WINDOWS[model]
    try:
        _, info = get_snapshot().find_provider_model(model, None, None, None)
    except LookupError:
        return None
    return info.context_window
