"""Prices, known offline."""

import pytest

from oi_daemon.model.prices import OPENAI, TokenCounts, predecessor, price

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


def test_what_the_server_says_that_it_cost_counts() -> None:
    assert price(TokenCounts(1000, 100, cost=0.5), "nonsense", OPENAI) == 0.5


def test_tokens_that_are_written_to_the_cache_cost_more() -> None:
    host = "https://api.anthropic.com"
    plain = price(USAGE, "claude-sonnet-4-5", host)
    writing = price(TokenCounts(1000, 100, cache_write_tokens=1000), "claude-sonnet-4-5", host)
    assert plain is not None
    assert writing is not None
    assert writing > plain


@pytest.mark.parametrize(
    ("model", "tier", "factor"),
    [
        ("gpt-5.2", "flex", 0.5),
        ("gpt-5.2", "priority", 2.0),
        ("gpt-5.5", "priority", 2.5),
        ("gpt-5.2", "default", 1.0),
        ("claude-sonnet-4-5", "priority", 1.0),
    ],
)
def test_a_service_tier_changes_openais_prices(model: str, tier: str, factor: float) -> None:
    normal = price(USAGE, model, OPENAI)
    assert normal is not None
    tiered = price(TokenCounts(1000, 100, service_tier=tier), model, OPENAI)
    assert tiered == pytest.approx(factor * normal)


@pytest.mark.parametrize(
    ("model", "earlier"),
    [
        ("gpt-6.9-sol", "gpt-6.1-sol"),
        ("openai/gpt-7-astra-2027-01-01", "gpt-6-astra"),
        ("claude-opus-6", "claude-opus-5-5"),
        ("gpt-1", None),
        ("my-model:7b", None),
        ("qwen3", None),
    ],
)
def test_a_new_version_follows_the_newest_known_one(model: str, earlier: str | None) -> None:
    assert predecessor(model) == earlier
