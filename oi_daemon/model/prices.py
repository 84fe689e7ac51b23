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


def price(counts: TokenCounts, model: str, api_base: str) -> float | None:
    """Return US dollars by the host's prices, or by the model maker's for an unknown host.

    None if the price is not known.
    """
    from genai_prices import Usage, calc_price

    for host in (api_base, None):
        try:
            usage = Usage(
                input_tokens=counts.input_tokens,
                output_tokens=counts.output_tokens,
                cache_read_tokens=counts.cached_tokens,
            )
            return float(calc_price(usage, model, provider_api_url=host).total_price)
        except (LookupError, ValueError):  # an unknown host or model; impossible counts
            continue
    return None
