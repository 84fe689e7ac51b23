"""Which API a model is asked by first."""

import pytest

from oi_daemon.model.apis import first_api, runs_in_background
from oi_daemon.model.endpoint import Endpoint

OPENAI = "https://api.openai.com/v1"
AZURE = "https://mine.openai.azure.com/openai/v1"


def endpoint(model: str, api_base: str = OPENAI) -> Endpoint:
    return Endpoint(api_base=api_base, api_key="k", model=model)


@pytest.mark.parametrize(
    "model",
    [
        *("gpt-5", "gpt-5.4-mini", "gpt-6.2-astra", "o3", "o1-pro", "gpt-5.3-codex"),
        *("codex-mini-latest", "o4-mini-deep-research", "gpt-daybreak-1"),
    ],
)
def test_models_that_think_are_asked_by_responses(model: str) -> None:
    assert first_api(endpoint(model)) == "responses"
    assert first_api(endpoint(model, AZURE)) == "responses"
    assert first_api(endpoint(model, "https://eu.api.openai.com/v1")) == "responses"


@pytest.mark.parametrize("model", ["gpt-4", "gpt-4.1", "gpt-4o", "gpt-5-chat-latest"])
def test_other_models_are_asked_by_chat_completions(model: str) -> None:
    assert first_api(endpoint(model)) == "chat"


@pytest.mark.parametrize(
    "api_base",
    [
        "https://openrouter.ai/api/v1",
        "http://127.0.0.1:8080/v1",
        "https://api.openai.com.evil/v1",
        "https://mine.openai.azure.com/openai/deployments/gpt-5",
    ],
)
def test_other_servers_are_asked_by_chat_completions(api_base: str) -> None:
    assert first_api(endpoint("gpt-5", api_base)) == "chat"


def test_pro_models_run_in_the_background() -> None:
    assert runs_in_background(endpoint("gpt-5.5-pro"))
    assert runs_in_background(endpoint("o3-deep-research"))
    assert not runs_in_background(endpoint("gpt-5.5"))
    assert not runs_in_background(endpoint("gpt-5.5-pro", "https://other.example/v1"))
