"""What a session may cost, in words for the person."""

import pytest

from oi_daemon.conversation.budget import Budget
from oi_daemon.messages.usage import Usage


@pytest.mark.parametrize(
    ("limit", "spent", "at_most", "words"),
    [
        (None, 100.0, 100.0, None),
        (0.01, 0.0099, 0.0001, None),
        (0.01, 0.0126, 0.0, "cost $0.0126, and max_budget is $0.01: no further request"),
        (0.01, 0.01, 0.0, "no further request was sent. Raise max_budget"),
        (0.0, 0.0, 0.0, "max_budget is $0.00"),
        (0.005, 0.0042, 0.01, "the next request may cost $0.0100, and max_budget is $0.005"),
        (20.0, 21.5, 0.0, "cost $21.5000, and max_budget is $20.00"),
    ],
)
def test_a_request_is_refused_once_it_may_go_over(
    limit: float | None, spent: float, at_most: float, words: str | None
) -> None:
    budget = Budget(limit)
    budget.add(Usage(1, 1, spent))
    refusal = budget.refusal(at_most)
    assert refusal is None if words is None else words in (refusal or "")


def test_a_request_without_a_price_is_counted_and_costs_nothing_known() -> None:
    budget = Budget()
    budget.add(Usage(100, 20, None))
    assert (budget.input_tokens, budget.output_tokens) == (100, 20)
    assert (budget.cost, budget.unpriced) == (0.0, 1)
