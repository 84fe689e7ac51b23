"""How many tokens fit: the first source that knows decides, and a server's statement limits it."""

import pytest

from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.context_window import context_window, room_for_input, window_by_name
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.settings import Settings


def window(
    model: str = "nonsense",
    *,
    ours: int | None = None,
    stated: int | None = None,
    **settings: object,
) -> int:
    endpoint = Endpoint(api_base="http://x/v1", api_key="k", model=model, context_window=ours)
    capabilities = Capabilities(context_window=stated)
    return context_window(Settings(**settings), endpoint, capabilities)  # type: ignore[arg-type]


def test_the_setting_comes_before_all_others() -> None:
    assert window("gpt-4", ours=100, context_window=16_000) == 16_000


def test_a_server_of_our_own_comes_before_the_model_s_name() -> None:
    assert window("gpt-4", ours=4096) == 4096


def test_the_model_s_name_comes_before_the_defaults() -> None:
    assert window("gpt-4") == 8192
    assert window("gpt-4-32k", local=True) == 32_768


def test_an_unknown_model_has_the_default_of_its_place() -> None:
    assert window() == 128_000
    assert window(local=True) == 8192


def test_a_smaller_window_that_the_server_stated_holds_over_all_others() -> None:
    assert window("gpt-4", stated=4097) == 4097
    assert window(context_window=16_000, stated=4097) == 4097
    assert window(context_window=1000, stated=4097) == 1000


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gpt-4", 8192), ("gpt-4-32k", 32_768), ("gpt-3.5-turbo-16k", 16_385), ("nonsense", None)],
)
def test_windows_known_by_name(model: str, tokens: int | None) -> None:
    assert window_by_name(model) == tokens


@pytest.mark.parametrize(
    ("tokens", "max_tokens", "room"),
    [(8192, None, 6144), (128_000, None, 123_904), (8192, 1000, 7192), (4096, 100_000, 2048)],
)
def test_there_is_room_for_the_answer(tokens: int, max_tokens: int | None, room: int) -> None:
    assert room_for_input(tokens, max_tokens) == room
