"""What a request to a model used, and what one may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request, or several, used."""

    input_tokens: int
    output_tokens: int
    cost: float | None
    """US dollars; None if the price is not known."""
    about: bool = False
    """Whether the cost is by the price of an earlier version, because the model's is not known."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What the request that is about to be sent costs, in US dollars."""

    model: str
    input_cost: float | None
    """What the request's input costs, about; None if the model's price is not known."""
    most: float | None = None
    """What the request costs at most, with its output; None if the output has no limit."""
