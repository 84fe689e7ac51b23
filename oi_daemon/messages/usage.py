"""What a request to a model used, and what one may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request used. `cost` is in US dollars, None where the price is not known."""

    input_tokens: int
    output_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What the request that is about to be sent may cost at most, in US dollars."""

    cost: float
