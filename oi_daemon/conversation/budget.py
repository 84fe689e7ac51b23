"""What a session and a turn have cost, and the limit to it."""

import logging
from dataclasses import dataclass

from oi_daemon.messages.usage import Usage

logger = logging.getLogger(__name__)


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

    def refusal(self, at_most: float = 0.0) -> str | None:
        """Why the next request may not be sent, in words for the person; None while it may.

        Args:
            at_most: US dollars that it may cost, where that is known.
        """
        if self.max_budget is None:
            return None
        spent, limit = (
            f"The session has cost ${self.cost:.4f}",
            f"max_budget is {_dollars(self.max_budget)}",
        )
        if self.cost >= self.max_budget:
            return f"{spent}, and {limit}: no further request was sent. Raise max_budget to go on."
        if self.cost + at_most > self.max_budget:
            return (
                f"{spent}, the next request may cost ${at_most:.4f}, and {limit}: it was not sent."
                " Raise max_budget, or lower max_tokens, to go on."
            )
        return None


class Bill:
    """One turn's usage, counted into the session's budget as well."""

    def __init__(self, session: Budget, model: str) -> None:
        self._session = session
        self._model = model
        self._turn = Budget()

    def add(self, usage: Usage) -> None:
        if usage.cost is None and not self._turn.unpriced and self._session.max_budget is not None:
            logger.warning(_UNPRICED, self._model)
        self._session.add(usage)
        self._turn.add(usage)

    def refusal(self, at_most: float = 0.0) -> str | None:
        return self._session.refusal(at_most)

    @property
    def total(self) -> Usage:
        cost = None if self._turn.unpriced else self._turn.cost
        return Usage(self._turn.input_tokens, self._turn.output_tokens, cost)


def _dollars(amount: float) -> str:
    """Cents, and what is smaller where it is not nothing."""
    whole, _, rest = f"{amount:.6f}".rstrip("0").partition(".")
    return f"${whole}.{rest:0<2}"


_UNPRICED = "The price of %s is not known: what it costs does not count towards max_budget."
