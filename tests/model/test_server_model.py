"""ServerModel against a scripted server: what is sent, what is yielded, what goes wrong."""

import asyncio
import json
import logging
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from oi_daemon.errors import (
    AuthError,
    ConnectionLostError,
    ContextError,
    ModelError,
    NoModelError,
    RateLimitError,
)
from oi_daemon.messages import (
    CodeChunk,
    CodeMessage,
    Executing,
    Message,
    MessageChunk,
    NoticeChunk,
    UserMessage,
)
from oi_daemon.messages.usage import Usage
from oi_daemon.model.models import Models
from tests.fakes.openai_server import (
    error,
    example,
    function_call,
    markdown,
    page,
    raw,
    text,
    tool_call,
)
from tests.model.asked import KEY, QUESTION, SPOKEN, Asked
from tests.model.example import BLOCK
from tests.patience import PATIENCE, until

USAGE = Usage(100, 20, 0.0042)


async def test_the_documented_turn(asked: Asked) -> None:
    asked.server.enqueue(*example())
    assert await asked.reply() == [*BLOCK, USAGE]
    said = ["The", " result", " is", " 1", ".", "416", "6", "..."]
    assert await asked.reply() == [*map(MessageChunk, said), USAGE]


async def test_the_same_with_a_legacy_function(asked: Asked) -> None:
    asked.server.enqueue(
        function_call(['{"language": "python", "code": "34', " /", " ", "24", '"}'])
    )
    assert await asked.reply() == [*BLOCK, USAGE]


async def test_the_same_with_a_fence(asked: Asked) -> None:
    asked.server.enqueue(markdown("```", "python", "\n", "34", " /", " ", "24", "\n", "```"))
    assert await asked.reply(tool_style="markdown") == [*BLOCK, USAGE]


# What is sent


async def test_the_request_holds_what_the_settings_say(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"))
    await asked.reply(model="gpt-3.5-turbo", temperature=0.0, max_tokens=77, system_message="Sys.")
    body = asked.body
    assert body["model"] == "gpt-3.5-turbo"
    assert body["temperature"] == 0
    assert body["max_tokens"] == 77
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert [tool["function"]["name"] for tool in body["tools"]] == ["execute"]
    system, question = body["messages"]
    assert system["content"].startswith("Sys.\n")
    assert question == {"role": "user", "content": "What's 34/24?"}
    assert asked.server.requests[-1].headers["authorization"] == f"Bearer {KEY}"


async def test_a_model_that_thinks_first_gets_its_own_parameters(asked: Asked) -> None:
    for model in ("o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5.1", "gpt-6", "openai/gpt-5-mini"):
        asked.server.enqueue(text("Hi"))
        await asked.reply(model=model, max_tokens=9)
        assert "temperature" not in asked.body
        assert "max_tokens" not in asked.body
        assert asked.body["max_completion_tokens"] == 9
    for model in ("gpt-4o", "gpt-4.1", "gpt-3.5-turbo", "gpt-oss", "qwen"):
        asked.server.enqueue(text("Hi"))
        await asked.reply(model=model, max_tokens=9)
        assert asked.body["max_tokens"] == 9
        assert "temperature" not in asked.body


@pytest.mark.parametrize(
    ("message", "code", "param", "gone"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model."
            " Use 'max_completion_tokens' instead.",
            "unsupported_parameter",
            "max_tokens",
            "max_tokens",
        ),
        (
            "Unsupported value: 'temperature' does not support 0 with this model.",
            "unsupported_value",
            "temperature",
            "temperature",
        ),
        ("Unrecognized request argument supplied: stream_options", None, None, "stream_options"),
    ],
)
async def test_a_parameter_that_is_refused_is_left_out_from_then_on(
    asked: Asked, message: str, code: str | None, param: str | None, gone: str
) -> None:
    asked.server.enqueue(error(400, message, code=code, param=param), text("Hi"), text("Hi"))
    await asked.reply(max_tokens=9, temperature=0.0)
    await asked.reply(max_tokens=9, temperature=0.0)
    assert [gone in body for body in asked.server.bodies] == [True, False, False]
    assert asked.body.get("max_tokens", asked.body.get("max_completion_tokens")) == 9


async def test_a_server_that_takes_no_tools_is_asked_in_markdown_from_then_on(
    asked: Asked,
) -> None:
    refusal = "registry.ollama.ai/library/gemma:2b does not support tools"
    asked.server.enqueue(error(400, refusal), markdown("```python\n1\n```"), text("1"))
    assert Executing("1", "python") in await asked.reply()
    await asked.reply([*QUESTION, CodeMessage("python", "1", "1")])
    assert ["tools" in body for body in asked.server.bodies] == [True, False, False]
    assert asked.body["messages"][-1] == {"role": "user", "content": "Output:\n1"}


async def test_what_was_learned_of_one_model_is_not_held_against_another(asked: Asked) -> None:
    asked.server.enqueue(error(400, "does not support tools", param="tools"), text("a"), text("b"))
    await asked.reply(model="gemma")
    await asked.reply(model="llama")
    assert "tools" in asked.body


async def test_tools_that_the_user_asks_for_are_not_given_up(asked: Asked) -> None:
    asked.server.enqueue(error(400, "does not support tools"))
    with pytest.raises(ModelError, match="does not support tools"):
        await asked.reply(tool_style="tools")


async def test_the_settings_of_newer_models_are_sent_where_they_are_set(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"), text("Hi"))
    await asked.reply()
    for name in ("reasoning_effort", "verbosity", "service_tier", "temperature"):
        assert name not in asked.body
    chosen: dict[str, Any] = {
        "reasoning_effort": "high",
        "verbosity": "low",
        "service_tier": "flex",
    }
    await asked.reply(
        **chosen, extra_body='{"top_k": 20, "user": "me"}', extra_headers='{"X-Team": "a"}'
    )
    assert asked.body.items() >= {**chosen, "top_k": 20, "user": "me"}.items()
    assert asked.server.requests[-1].headers["x-team"] == "a"


async def test_tools_that_are_refused_with_an_effort_are_sent_without_reasoning(
    asked: Asked,
) -> None:
    refusal = "Function tools with reasoning_effort are not supported: set it to none."
    asked.server.enqueue(error(400, refusal, param="reasoning_effort"), text("Hi"), text("Hi"))
    await asked.reply(model="gpt-6", reasoning_effort="high", api="chat")
    await asked.reply(model="gpt-6", api="chat")
    assert [body.get("reasoning_effort") for body in asked.server.bodies] == [
        *("high", "none", "none")
    ]
    assert "tools" in asked.body


async def test_a_deployment_of_azure_gets_its_version_and_its_key(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"))
    base = asked.server.url.replace("/v1", "/openai/deployments/mine")
    await asked.reply(api_base=f"{base}/chat/completions?api-version=2026-01-01")
    request = asked.server.requests[-1]
    assert request.path == "/openai/deployments/mine/chat/completions?api-version=2026-01-01"
    assert request.headers["api-key"] == KEY
    assert "authorization" not in request.headers


async def test_a_stream_that_the_account_may_not_have_is_asked_for_in_one_piece(
    asked: Asked,
) -> None:
    refusal = "Your organization must be verified to stream this model."
    whole = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    answer = page(json.dumps(whole)).but(content_type="application/json")
    asked.server.enqueue(error(400, refusal, param="stream"), answer)
    await asked.reply()
    assert asked.message == "Hi"
    assert asked.body["stream"] is False
    assert "stream_options" not in asked.body


# Errors


async def test_without_a_key_nothing_is_asked_and_the_ways_on_are_told(asked: Asked) -> None:
    with pytest.raises(AuthError) as caught:
        await asked.reply(api_base=None, api_key=None)
    for way in ("OPENAI_API_KEY", "api_key", "--local", "api_base"):
        assert way in str(caught.value)


async def test_another_server_needs_no_key(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"))
    await asked.reply(api_key=None)
    assert asked.message == "Hi"


async def test_a_key_that_is_refused(asked: Asked) -> None:
    asked.server.enqueue(error(401, f"Incorrect API key provided: {KEY}.", code="invalid_api_key"))
    with pytest.raises(AuthError) as caught:
        await asked.reply()
    assert "--local" in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(asked.server.requests) == 1


async def test_a_key_that_can_not_be_sent(asked: Asked) -> None:
    with pytest.raises(AuthError) as caught:
        await asked.reply(api_key="sk-\N{SNOWMAN}secret")
    assert "secret" not in str(caught.value)


async def test_a_rate_limit_is_waited_for_and_told(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    asked.server.enqueue(
        error(429, "Slow down.", headers={"Retry-After": "0"}), error(503, "Busy."), text("Hi")
    )
    caplog.set_level(logging.INFO)
    await asked.reply()
    assert asked.message == "Hi"
    told = [record.message for record in caplog.records if "Trying again" in record.message]
    assert told == [
        "Rate limited (HTTP 429: Slow down). Trying again in 0 s.",
        "The server failed (HTTP 503: Busy). Trying again in 0 s.",
    ]


async def test_a_rate_limit_that_does_not_end(asked: Asked) -> None:
    asked.server.enqueue(*[error(429, "Slow down.")] * 4)
    with pytest.raises(RateLimitError, match="Slow down"):
        await asked.reply()
    assert len(asked.server.requests) == 4


async def test_a_quota_that_is_spent_is_not_asked_again(asked: Asked) -> None:
    asked.server.enqueue(error(429, "You exceeded your quota.", code="insufficient_quota"))
    with pytest.raises(RateLimitError, match="billing"):
        await asked.reply()
    assert len(asked.server.requests) == 1


async def test_a_server_that_fails_again_and_again(asked: Asked) -> None:
    asked.server.enqueue(*[error(500, "Oops.")] * 4)
    with pytest.raises(ModelError, match=r"HTTP 500.*Oops"):
        await asked.reply()


async def test_a_model_that_is_not_there(asked: Asked) -> None:
    asked.server.models = ["gpt-9", "gpt-9-mini"]
    message = "The model `gpt-4` does not exist or you do not have access to it."
    asked.server.enqueue(error(404, message, code="model_not_found"))
    with pytest.raises(NoModelError) as caught:
        await asked.reply()
    for word in ("gpt-4", "gpt-9, gpt-9-mini", "interpreter --model NAME", "setting model"):
        assert word in str(caught.value)


async def test_a_wrong_path(asked: Asked) -> None:
    asked.server.enqueue(page(status=404))
    with pytest.raises(ModelError, match="api_base"):
        await asked.reply()


async def test_nobody_listens(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ConnectionLostError, match="api_base"):
        await asked.reply(api_base="http://127.0.0.1:9/v1")
    assert caplog.text.count("Trying again") == 3


@pytest.mark.parametrize("url", ["nonsense", "localhost:8080/v1", "http://", "http://x:y/"])
async def test_a_setting_that_is_no_url(asked: Asked, url: str) -> None:
    with pytest.raises(ModelError, match="api_base is not the URL"):
        await asked.reply(api_base=url)


async def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    asked.server.enqueue(text("Hi"))
    await asked.reply()
    assert asked.message == "Hi"


async def test_a_server_that_says_nothing(asked: Asked) -> None:
    """It is not asked again: the person has waited long enough."""
    models = Models(**SPOKEN, retry_delays=(0,), read_timeout=0.1)
    asked.server.enqueue(text("never").but(hold_after=0))
    with pytest.raises(ConnectionLostError, match="in time"):
        await Asked(asked.server, models).reply()
    await until(lambda: bool(asked.server.requests))
    assert len(asked.server.requests) == 1
    await models.close()


@pytest.mark.parametrize("garbage", [page(), raw(b"data: {oops\n\n"), page("{}")])
async def test_what_is_no_model_server(asked: Asked, garbage: Any) -> None:
    asked.server.enqueue(garbage)
    with pytest.raises(ModelError, match="not an OpenAI-compatible server"):
        await asked.reply()


async def test_a_drop_before_any_word_is_asked_again(asked: Asked) -> None:
    asked.server.enqueue(text("lost").but(drop_after=0), text("Hi"))
    await asked.reply()
    assert asked.message == "Hi"


async def test_a_drop_after_a_word_is_not_asked_again(asked: Asked) -> None:
    asked.server.enqueue(text("Hel", "lo").but(drop_after=1), text("Hello"))
    with pytest.raises(ConnectionLostError, match="broke off"):
        await asked.reply()
    assert asked.message == "Hel"
    assert len(asked.server.requests) == 1
    assert isinstance(asked.parts[-1], Usage)


async def test_code_that_was_dropped_is_not_run(asked: Asked) -> None:
    asked.server.enqueue(tool_call({"language": "python", "code": "1 + 1"}).but(drop_after=6))
    with pytest.raises(ConnectionLostError):
        await asked.reply()
    assert not any(isinstance(part, Executing) for part in asked.parts)
    assert CodeChunk in map(type, asked.parts)


async def test_an_answer_that_ends_without_a_reason_is_said_to_be_cut_off(asked: Asked) -> None:
    asked.server.enqueue(text("Hel").but(finish_reason=None))
    with pytest.raises(ModelError, match="in the middle"):
        await asked.reply()
    assert asked.message == "Hel"


async def test_an_answer_that_reaches_max_tokens_says_so(asked: Asked) -> None:
    asked.server.enqueue(text("Hel").but(finish_reason="length"))
    with pytest.raises(ModelError, match="max_tokens"):
        await asked.reply()
    assert asked.parts == [MessageChunk("Hel"), USAGE]


async def test_an_error_in_the_stream(asked: Asked) -> None:
    event = b'data: {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}\n\n'
    asked.server.enqueue(raw(event), text("Hi"))
    await asked.reply()
    assert asked.message == "Hi"


async def test_an_answer_of_nothing(asked: Asked) -> None:
    """It is said, because a person would wait for the answer."""
    asked.server.enqueue(text(), text(" \n"))
    for _ in range(2):
        *_, usage, notice = await asked.reply()
        assert usage == USAGE
        assert isinstance(notice, NoticeChunk)
        assert "empty" in notice.message


@pytest.mark.parametrize("reason", ["abort", "max_tokens", "network_error", "weird"])
async def test_an_answer_that_ends_for_another_reason_is_cut(asked: Asked, reason: str) -> None:
    call = tool_call({"language": "python", "code": "1 + 1"}).but(finish_reason=reason)
    asked.server.enqueue(call)
    with pytest.raises(ModelError, match="not run"):
        await asked.reply()
    assert not any(isinstance(part, Executing) for part in asked.parts)


@pytest.mark.parametrize("reason", ["stop", "STOP", "end_turn", "stop_sequence", "eos"])
async def test_an_answer_that_the_model_has_ended_is_complete(asked: Asked, reason: str) -> None:
    asked.server.enqueue(
        tool_call({"language": "python", "code": "1 + 1"}).but(finish_reason=reason)
    )
    assert Executing("1 + 1", "python") in await asked.reply()


# Calls that cannot be read


async def test_a_call_that_cannot_be_read_goes_back_to_the_model(asked: Asked) -> None:
    asked.server.enqueue(
        tool_call(["rm -rf build"]), tool_call({"language": "python", "code": "1"})
    )
    parts = await asked.reply()
    assert [part for part in parts if isinstance(part, Executing)] == [Executing("1", "python")]
    call, error_message = asked.body["messages"][-2:]
    assert json.loads(call["tool_calls"][0]["function"]["arguments"])
    assert error_message["tool_call_id"] == call["tool_calls"][0]["id"]
    assert "not valid JSON" in error_message["content"]


async def test_in_markdown_and_with_functions_it_goes_back_as_well(asked: Asked) -> None:
    for style, role in (("functions", "function"), ("markdown", "user")):
        asked.server.enqueue(tool_call(["oops"]), text("Hi"))
        await asked.reply(tool_style=style)
        assert asked.body["messages"][-1]["role"] == role
        assert "not valid JSON" in asked.body["messages"][-1]["content"]


async def test_the_model_is_told_three_times_in_a_turn(asked: Asked) -> None:
    asked.server.enqueue(*[tool_call(["oops"])] * 9)
    with pytest.raises(ModelError, match="4 calls that could not be read"):
        await asked.reply()
    assert len(asked.server.requests) == 4


async def test_a_good_call_beside_a_bad_one_runs_and_the_next_request_tells(asked: Asked) -> None:
    good = tool_call({"language": "python", "code": "1"})
    asked.server.enqueue(good + tool_call(["oops"], index=1), text("Hi"))
    model = asked.models.model(asked.settings())
    parts = [part async for part in model.reply(QUESTION, lambda: None)]
    assert Executing("1", "python") in parts
    assert len(asked.server.requests) == 1
    messages = [*QUESTION, CodeMessage("python", "1", "1")]
    _ = [part async for part in model.reply(messages, lambda: None)]
    assert "not valid JSON" in asked.body["messages"][-1]["content"]


# The context window


LONG: list[Message] = [
    message
    for number in range(40)
    for message in (UserMessage(f"Question {number}. " + "word " * 200), CodeMessage("r", "1", "1"))
]


def _lengths(asked: Asked) -> list[int]:
    return [len(body["messages"]) for body in asked.server.bodies]


async def test_older_messages_go_and_the_question_stays(asked: Asked) -> None:
    """Where the model refuses to summarise them."""
    asked.server.enqueue(error(400, "No."), text("Hi"))
    await asked.reply([*LONG, *QUESTION], context_window=4000)
    sent = asked.body["messages"]
    assert sent[0]["role"] == "system"
    assert sent[-1] == {"role": "user", "content": "What's 34/24?"}
    assert 10 < len(sent) < 50


async def test_a_request_that_is_too_long_is_trimmed_by_what_the_server_says(asked: Asked) -> None:
    told = "This model's maximum context length is 4097 tokens, however you requested 9000 tokens."
    refusal = error(400, told, code="context_length_exceeded")
    asked.server.enqueue(refusal, text("Hi"), error(400, "No summary."), text("Hi"))
    await asked.reply([*LONG, *QUESTION], model="unknown")
    await asked.reply([*LONG, *QUESTION], model="unknown")
    first, second, _, third = _lengths(asked)
    assert second < first
    assert third == second


async def test_a_request_that_is_too_long_is_halved_where_nothing_is_said(asked: Asked) -> None:
    refusal = error(400, "Too many tokens in the prompt.")
    asked.server.enqueue(refusal, text("Hi"))
    await asked.reply([*LONG, *QUESTION], context_window=20_000)
    first, second = _lengths(asked)
    assert second < first * 0.7


async def test_a_request_that_never_fits(asked: Asked) -> None:
    refusal = error(400, "Too long.", code="context_length_exceeded")
    asked.server.enqueue(refusal, refusal)
    with pytest.raises(ContextError, match="context_window"):
        await asked.reply([*LONG, *QUESTION], context_window=20_000)
    assert len(asked.server.requests) == 2


# Closing


async def test_closing_the_reply_drops_the_connection_at_once(asked: Asked) -> None:
    asked.server.enqueue(text("Hi", "never").but(hold_after=1))
    model = asked.models.model(asked.settings())
    reply = model.reply(QUESTION, lambda: None)
    assert await anext(reply) == MessageChunk("Hi")
    await reply.aclose()
    async with asyncio.timeout(PATIENCE):
        await asked.server.disconnected.wait()


@pytest.mark.parametrize(
    "silent", [text("never").but(hold_after=0), text("x", "y").but(hold_after=1)]
)
async def test_cancelling_the_turn_drops_the_connection_at_once(asked: Asked, silent: Any) -> None:
    asked.server.enqueue(silent, text("Hi"))
    turn = asyncio.create_task(asked.reply())
    await asked.server.held.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    async with asyncio.timeout(PATIENCE):
        await asked.server.disconnected.wait()
    await asked.reply()
    assert asked.message == "Hi"


async def test_a_wait_before_another_try_is_announced_and_can_be_cancelled(asked: Asked) -> None:
    asked.server.enqueue(error(429, "Slow down.", headers={"Retry-After": "60"}))
    reply = asked.models.model(asked.settings()).reply(QUESTION, lambda: None)
    text = "Rate limited (HTTP 429: Slow down)."
    assert await anext(reply) == NoticeChunk("retry", text, 60)
    turn = asyncio.ensure_future(anext(reply))
    await asyncio.sleep(0)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn


async def test_the_answer_is_drained_while_its_consumer_waits(asked: Asked) -> None:
    """Approval may take minutes: the server is not to wait for it."""
    asked.server.enqueue(markdown("```python\n1\n```\n", *["text "] * 20_000, "end"))
    reply = asked.models.model(asked.settings(tool_style="markdown")).reply(QUESTION, lambda: None)
    async with aclosing(reply):
        while not isinstance(await anext(reply), Executing):
            pass
        async with asyncio.timeout(PATIENCE):
            await asked.server.sent.wait()


# Money and secrets


async def test_usage_that_the_server_does_not_tell_is_estimated(asked: Asked) -> None:
    asked.server.enqueue(text("word " * 100).but(usage=None))
    usage = (await asked.reply())[-1]
    assert isinstance(usage, Usage)
    assert usage.input_tokens > 100
    assert usage.output_tokens == 125


async def test_an_unknown_price_is_none(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"))
    assert (await asked.reply(model="nonsense"))[-1] == Usage(100, 20, None)


async def test_the_price_of_a_new_version_is_about_that_of_the_one_before(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"), text("Hi"))
    known, new = [(await asked.reply(model=name))[-1] for name in ("gpt-6-astra", "gpt-9-astra")]
    assert isinstance(known, Usage)
    assert new == replace(known, about=True)


async def test_a_model_on_this_machine_costs_nothing(asked: Asked) -> None:
    asked.server.enqueue(text("Hi"))
    assert (await asked.reply(local=True, model="gpt-4o-mini"))[-1] == Usage(100, 20, 0.0)


async def test_the_key_is_in_no_log_and_no_error(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked.server.enqueue(
        error(429, f"Key {KEY} is busy."), error(400, f"Bad key {KEY}, Bearer {KEY}")
    )
    with pytest.raises(ModelError) as caught:
        await asked.reply(debug_mode=True)
    everything = f"{caplog.text} {caught.value!r}"
    assert "request: tools, gpt-4" in everything
    assert KEY not in everything
