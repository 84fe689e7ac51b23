"""What a session and a turn have cost, and the limit to it."""

from dataclasses import dataclass, field

from oi_daemon.messages.usage import Quote, Usage


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may be sent, with the words for the person."""

    refusal: str | None = None
    """Why the request may not be sent; None if it may."""
    question: str | None = None
    """What a person must agree to before the request is sent."""
    notice: str | None = None
    """What a person should know although the request may be sent."""


@dataclass(slots=True)
class Budget:
    """Counts what a session costs. It outlives a reset of the conversation."""

    max_budget: float | None = None
    """Most US dollars that the session may cost; None for no limit."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    """US dollars of all requests whose price is known."""
    unpriced: int = 0
    """Number of requests whose price is not known."""
    about: bool = False
    """True once a request was counted by the price of its model's predecessor."""
    _accepted: set[str] = field(default_factory=set)
    """Models without a known price that the person has agreed to use in spite of `max_budget`."""
    _warned: bool = False
    """True once a notice said that `max_budget` cannot limit the output without `max_tokens`."""

    def add(self, usage: Usage) -> None:
        """Count a request."""
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        self.about = self.about or usage.about
        if usage.cost is None:
            self.unpriced += 1
        else:
            self.cost += usage.cost

    def left(self) -> float | None:
        """US dollars that the session may still cost; None without a limit.

        A person may set a limit while a turn runs.
        """
        return None if self.max_budget is None else self.max_budget - self.cost

    def verdict(self, quote: Quote | None = None) -> Verdict:
        """Whether the next request may be sent.

        Args:
            quote: what the request costs. None if that is not known yet: then only what the
                session has cost so far counts.
        """
        if self.max_budget is None:
            return Verdict()
        if self.cost >= self.max_budget:
            return Verdict(refusal=_SPENT.format(self._so_far()))
        if quote is None:
            return Verdict()
        if quote.input_cost is None:
            return self._without_price(quote.model)
        if self.cost + quote.input_cost > self.max_budget:
            words = f"${quote.input_cost:.4f}"
            if quote.most is not None:
                words += f" (${quote.most:.4f} at most, with its output)"
            return Verdict(refusal=_INPUT_TOO_DEAR.format(self._so_far(), words))
        if quote.most is None:
            return self._without_limit(quote.input_cost)
        if self.cost + quote.most > self.max_budget:
            return Verdict(refusal=_MAY_BE_TOO_DEAR.format(self._so_far(), quote.most))
        return Verdict()

    def accept(self, model: str) -> None:
        """The person agrees to use this model although its price is not known."""
        self._accepted.add(model)

    def _without_price(self, model: str) -> Verdict:
        if model in self._accepted:
            return Verdict()
        return Verdict(question=_UNPRICED_QUESTION.format(model), refusal=_UNPRICED.format(model))

    def _without_limit(self, input_cost: float) -> Verdict:
        if self._warned:
            return Verdict()
        self._warned = True
        return Verdict(notice=_NO_LIMIT.format(self._so_far(), input_cost))

    def _so_far(self) -> str:
        assert self.max_budget is not None
        limit = _dollars(self.max_budget)
        return f"The session has cost ${self.cost:.4f}, and max_budget is {limit}"


class Bill:
    """What one turn uses. It is counted into the session's budget as well."""

    def __init__(self, session: Budget) -> None:
        self._session = session
        self._turn = Budget()

    def add(self, usage: Usage) -> None:
        """Count a request of this turn."""
        self._session.add(usage)
        self._turn.add(usage)

    def left(self) -> float | None:
        """See `Budget.left`."""
        return self._session.left()

    def verdict(self, quote: Quote | None = None) -> Verdict:
        """See `Budget.verdict`."""
        return self._session.verdict(quote)

    def accept(self, model: str) -> None:
        """See `Budget.accept`."""
        self._session.accept(model)

    @property
    def total(self) -> Usage:
        """What the turn has used so far."""
        cost = None if self._turn.unpriced else self._turn.cost
        return Usage(self._turn.input_tokens, self._turn.output_tokens, cost, self._turn.about)


def _dollars(amount: float) -> str:
    """An amount with two decimals, or with up to six if it needs them."""
    whole, _, rest = f"{amount:.6f}".rstrip("0").partition(".")
    return f"${whole}.{rest:0<2}"


_SPENT = "{}: no further request was sent. Raise max_budget to go on."
_INPUT_TOO_DEAR = (
    "{}. The input of the next request alone costs about {}: it was not sent."
    " Raise max_budget, or begin a new conversation, to go on."
)
_MAY_BE_TOO_DEAR = (
    "{}. The next request may cost ${:.4f}: it was not sent."
    " Raise max_budget, or lower max_tokens, to go on."
)
_NO_LIMIT = (
    "{}. The input of this request costs about ${:.4f}; its output has no limit, so the session may"
    " cost more than max_budget. Set max_tokens to limit it."
)
_UNPRICED_QUESTION = (
    "The price of {} is not known, so max_budget cannot limit what it costs."
    " Send requests to it anyway? (y)es, (n)o: "
)
_UNPRICED = (
    "The price of {} is not known, so max_budget cannot limit what it costs: no request was sent."
    " Choose another model, or unset max_budget, to go on."
)
