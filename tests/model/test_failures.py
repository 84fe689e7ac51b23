"""What servers say when they refuse, and what is made of it."""

import email.utils
import time

import httpx2
import openai
import pytest

from oi_daemon.model.explanations import explain
from oi_daemon.model.failures import Failure, failure


def refused(status: int, text: str, **more: str) -> Failure:
    return Failure(status=status, text=text, **more)  # type: ignore[arg-type]


def answered(status: int, body: object, headers: dict[str, str] | None = None) -> Failure:
    """The failure that such an answer becomes."""
    response = httpx2.Response(
        status, headers=headers, request=httpx2.Request("POST", "http://127.0.0.1/v1")
    )
    failed = failure(openai.APIStatusError("Error code", response=response, body=body))
    assert failed is not None
    return failed


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "registry.ollama.ai/library/gemma:2b does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice to be set'),
        (404, "No endpoints found that support tool use."),
        (500, "tools param requires --jinja flag"),
        (400, "Function tools with reasoning_effort are not supported for gpt-5.6"),
        (422, "Extra inputs are not permitted: body.tools"),
    ],
)
def test_refusals_of_tools(status: int, text: str) -> None:
    assert refused(status, text).rejects_calls


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, "Internal error in function main"),
        (429, "Too many tool calls"),
        (404, "The model `tools` does not exist"),
        (401, "This key may not use tools"),
    ],
)
def test_other_refusals_that_speak_of_tools(status: int, text: str) -> None:
    assert not refused(status, text).rejects_calls


@pytest.mark.parametrize(
    ("text", "window"),
    [
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted"
            " in 9000 tokens (8900 in the messages, 100 in the functions). Please reduce the"
            " length of the messages or functions.",
            8192,
        ),
        ("request (9001 tokens) exceeds the available context size (4,096 tokens)", 4096),
        ("Requested tokens exceed context window of 2048", 2048),
        ("prompt is too long: 200001 tokens > 199999 maximum", None),
    ],
)
def test_refusals_of_long_requests(text: str, window: int | None) -> None:
    failed = refused(400, text)
    assert failed.overflows
    assert failed.stated_window == window


@pytest.mark.parametrize(
    "text",
    [
        "The model `gpt-9` does not exist or you do not have access to it.",
        'model "llama9" not found, try pulling it first',
        "Invalid model name passed in",
        "gpt-9 is not a valid model ID",
    ],
)
def test_refusals_of_unknown_models(text: str) -> None:
    assert refused(404, text).lacks_model


@pytest.mark.parametrize(
    ("failed", "rejected"),
    [
        (refused(400, "No.", code="unsupported_value", param="temperature"), "temperature"),
        (
            refused(400, "'max_tokens' is not supported. Use 'max_completion_tokens' instead."),
            "max_tokens",
        ),
        (refused(400, "Unknown name: stream_options.include_usage"), "stream_options"),
        (refused(400, "Unsupported content", param="messages[0]"), None),
        (refused(422, "`temperature` is deprecated for this model."), "temperature"),
        (refused(400, "invalid temperature: only 1 is allowed"), "temperature"),
        (refused(400, "Your organization must be verified to stream this model."), "stream"),
        (refused(400, "No.", param="stream"), "stream"),
        (refused(400, "reasoning_effort: no such effort"), "reasoning_effort"),
        (refused(401, "Unsupported.", param="temperature"), None),
        (refused(400, "max_tokens is too large: 99999", param="max_tokens"), None),
    ],
)
def test_a_parameter_that_the_server_does_not_know(failed: Failure, rejected: str | None) -> None:
    assert failed.rejected_parameter == rejected


@pytest.mark.parametrize(
    ("status", "temporary"),
    [(400, False), (401, False), (404, False), (408, True), (429, True), (500, True), (503, True)],
)
def test_what_is_worth_another_try(status: int, *, temporary: bool) -> None:
    assert refused(status, "No.").is_temporary is temporary


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "86400"}, 86_400),
        ({"retry-after": "soon"}, None),
        ({"retry-after": email.utils.formatdate(time.time() - 100, usegmt=True)}, 0),
    ],
)
def test_how_long_the_server_wants_us_to_wait(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert answered(429, None, headers).retry_after == seconds


@pytest.mark.parametrize("body", [None, [], "no", {"detail": "No."}, {"message": "No."}])
def test_bodies_of_other_shapes(body: object) -> None:
    assert answered(400, body).text


def test_the_networks_own_words_are_told() -> None:
    request = httpx2.Request("POST", "http://127.0.0.1/v1")
    error = openai.APIConnectionError(request=request)
    error.__cause__ = httpx2.ConnectError("[Errno -2] Name or service not known")
    failed = failure(error)
    assert failed is not None
    told = str(explain(failed, model="m", api_base="http://x/v1", models=[]))
    assert "Name or service not known" in told


def test_a_fault_of_our_own_is_no_failure() -> None:
    assert failure(KeyError("oops")) is None


def test_a_long_list_of_models_is_cut() -> None:
    failed = refused(404, "model not found", code="model_not_found")
    told = str(
        explain(failed, model="m", api_base="http://x/v1", models=[f"m{n}" for n in range(50)])
    )
    assert "m11, ..." in told
    assert "m12" not in told
