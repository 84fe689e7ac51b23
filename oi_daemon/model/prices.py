"""What hosted models cost, known offline by their names."""

import re
from dataclasses import dataclass
from functools import cache

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
    """US dollars of the request as the server itself tells them; None if it does not."""


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
            total = float(calc_price(usage, model, provider_api_url=host).total_price)
            return total * _factor(counts.service_tier, model)
        except (LookupError, ValueError):  # an unknown host or model; impossible counts
            continue
    return None


@cache
def predecessor(model: str) -> str | None:
    """Return the newest known model of which this one is a later version; None if there is none.

    `gpt-6.2-sol` follows `gpt-6-sol`, say: its price is about that of its predecessor.
    """
    from genai_prices.data_snapshot import get_snapshot

    asked = _versioned(model)
    if asked is None:
        return None
    family, version = asked
    earlier = [
        (known[1], info.id)
        for provider in get_snapshot().providers
        if provider.id in _MAKERS
        for info in provider.models
        if (known := _versioned(info.id)) and known[0] == family and known[1] < version
    ]
    return max(earlier)[1] if earlier else None


def _versioned(model: str) -> tuple[tuple[str, str], tuple[int, ...]] | None:
    """Return the name's family, as what stands before and after its version, and the version."""
    found = _VERSIONED.fullmatch(model.lower().rpartition("/")[2])
    if found is None:
        return None
    version = tuple(int(number) for number in re.findall(r"\d+", found[2]))
    return (found[1], found[3] or ""), version


def _factor(tier: str | None, model: str) -> float:
    """Return the factor by which one of OpenAI's service tiers changes the price of a model."""
    name = model.lower().rpartition("/")[2]
    if not name.startswith(("gpt-", "o1", "o3", "o4")):
        return 1.0
    if tier == "priority" and name.startswith("gpt-5.5"):
        return 2.5
    return {"flex": 0.5, "priority": 2.0}.get(tier or "", 1.0)


_MAKERS = frozenset({"openai", "anthropic", "google", "x-ai", "deepseek", "moonshotai", "mistral"})
"""Providers that sell models of their own."""
_VERSIONED = re.compile(
    r"(gpt|claude-[a-z]+|gemini|grok|deepseek-v|kimi-k)-?(\d{1,2}(?:[.-]\d{1,2})?)"
    r"((?:-[a-z]+)*)(?:-\d{4}-\d{2}-\d{2}|-\d{8})?"
)
"""Matches a model's name that has a version: its beginning, the version, its end, perhaps a
date."""
