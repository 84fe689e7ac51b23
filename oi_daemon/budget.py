"""Usage, prices and the session's budget."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request used. `cost` is in US dollars, None where the price is not known."""

    input_tokens: int
    output_tokens: int
    cost: float | None


@dataclass(slots=True)
class Budget:
    """Counts a session's spending; it outlives a reset of the conversation."""

    max_budget: float | None = None
    """Most US dollars that the session may cost; None: no limit."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    """US dollars of all requests whose price is known."""
    unpriced: int = 0
    """Requests whose price is not known."""

    def add(self, usage: Usage) -> None:
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        if usage.cost is None:
            self.unpriced += 1
        else:
            self.cost += usage.cost

    def refusal(self) -> str | None:
        """Why no further request may be sent, in words for the person; None while it may."""
        if self.max_budget is None or self.cost < self.max_budget:
            return None
        return (
            f"The session has cost ${self.cost:.4f}, and max_budget is ${self.max_budget:.2f}:"
            " no further request was sent. Raise max_budget to go on."
        )
