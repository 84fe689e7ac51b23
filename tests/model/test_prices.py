"""Prices, known offline."""

import pytest

from oi_daemon.model.prices import OPENAI, TokenCounts, price

USAGE = TokenCounts(input_tokens=1000, output_tokens=100)


def test_a_price_by_what_the_server_says_was_used() -> None:
    assert price(USAGE, "gpt-4", OPENAI) == pytest.approx(0.036)


def test_the_maker_s_price_for_a_host_that_is_not_known() -> None:
    assert price(USAGE, "gpt-4", "http://127.0.0.1:8080/v1") == pytest.approx(0.036)


def test_cached_tokens_are_cheaper() -> None:
    cached = TokenCounts(1000, 100, cached_tokens=800)
    some, all_new = price(cached, "gpt-4o", OPENAI), price(USAGE, "gpt-4o", OPENAI)
    assert some is not None
    assert all_new is not None
    assert 0 < some < all_new


@pytest.mark.parametrize("odd", [TokenCounts(10, 1, 800), TokenCounts(-10, 1)])
def test_counts_that_can_not_be_have_no_price(odd: TokenCounts) -> None:
    assert price(odd, "gpt-4o", OPENAI) is None


@pytest.mark.parametrize("model", ["nonsense", "", "my-model:7b"])
def test_an_unknown_price_is_none_and_not_nothing(model: str) -> None:
    assert price(USAGE, model, OPENAI) is None
