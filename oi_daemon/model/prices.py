"""What hosted models cost, known offline by their names."""

from dataclasses import dataclass

OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of one request and its answer."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    """Input tokens that the server read from its cache, which are cheaper."""
    cache_write_tokens: int = 0
    """Input tokens that the server wrote to its cache, which some charge more for."""
    reasoning_tokens: int = 0
    """Output tokens that the model has thought with."""
    service_tier: str | None = None
    """The tier at which the server has answered, such as `flex`; None if it does not say."""
    cost: float | None = None
    """US dollars as the server itself tells them; None if it does not."""


def price(counts: TokenCounts, model: str, api_base: str) -> float | None:
    """Return US dollars: as the server told them, or by the host's prices, or the model maker's.

    None if the price is not known.
    """
    if counts.cost is not None:
        return counts.cost
    from genai_prices import Usage, calc_price

    for host in (api_base, None):
        try:
            usage = Usage(
                input_tokens=counts.input_tokens,
                output_tokens=counts.output_tokens,
                cache_read_tokens=counts.cached_tokens,
                cache_write_tokens=counts.cache_write_tokens,
            )
            return float(calc_price(usage, model, provider_api_url=host).total_price)
        except (LookupError, ValueError):  # an unknown host or model; impossible counts
            continue
    return None
