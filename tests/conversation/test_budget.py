"""What a session may cost, in words for the person."""

import pytest

from oi_daemon.conversation.budget import Budget, Verdict
from oi_daemon.messages.usage import Quote, Usage


@pytest.mark.parametrize(
    ("limit", "spent", "at_most", "words"),
    [
        (None, 100.0, 100.0, None),
        (0.01, 0.0099, 0.0001, None),
        (0.01, 0.0126, 0.0, "cost $0.0126, and max_budget is $0.01: no further request"),
        (0.01, 0.01, 0.0, "no further request was sent. Raise max_budget"),
        (0.0, 0.0, 0.0, "max_budget is $0.00"),
        (
            0.005,
            0.0042,
            0.01,
            "max_budget is $0.005. The next request may cost $0.0100: it was not sent",
        ),
        (20.0, 21.5, 0.0, "cost $21.5000, and max_budget is $20.00"),
    ],
)
def test_a_request_is_refused_once_it_may_go_over(
    limit: float | None, spent: float, at_most: float, words: str | None
) -> None:
    budget = Budget(limit)
    budget.add(Usage(1, 1, spent))
    refusal = budget.verdict(Quote("m", 0.0, at_most)).refusal
    assert refusal is None if words is None else words in (refusal or "")


def test_an_input_that_goes_over_is_refused_with_what_it_costs() -> None:
    refusal = Budget(0.01).verdict(Quote("m", 0.02, 0.08)).refusal
    assert refusal is not None
    assert "costs about $0.0200 ($0.0800 at most, with its output)" in refusal


def test_a_model_without_a_price_needs_a_yes_once() -> None:
    budget = Budget(0.01)
    quote = Quote("m", None)
    assert "price of m is not known" in (budget.verdict(quote).question or "")
    budget.accept("m")
    assert budget.verdict(quote) == Verdict()
    assert budget.verdict(Quote("other", None)).question is not None


def test_without_max_budget_every_request_may_be_sent() -> None:
    assert Budget().verdict(Quote("m", None)) == Verdict()


def test_a_request_without_a_price_is_counted_and_costs_nothing_known() -> None:
    budget = Budget()
    budget.add(Usage(100, 20, None))
    assert (budget.input_tokens, budget.output_tokens) == (100, 20)
    assert (budget.cost, budget.unpriced) == (0.0, 1)
