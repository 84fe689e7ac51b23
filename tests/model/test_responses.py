"""The backend for `/responses`, against a server whose every byte is made by the SDK's types."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from oi_daemon.errors import ConnectionLostError, ModelError
from oi_daemon.messages import (
    AssistantMessage,
    Chunk,
    CodeChunk,
    CodeMessage,
    Display,
    EndOfExecution,
    Executing,
    LanguageChunk,
    Message,
    MessageChunk,
    Output,
    ThinkingChunk,
    UserMessage,
    dump,
    fold,
    load,
)
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model.backend import RequestContent
from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.environment import Environment
from oi_daemon.model.responses import ResponsesBackend
from oi_daemon.settings import Settings
from tests.fakes.openai_server import error, raw, text
from tests.fakes.responses import (
    check_request,
    custom_call,
    events,
    function_call,
    message,
    reasoning,
    refusal,
    response,
    whole,
)
from tests.growth import grows_linearly
from tests.model.asked import QUESTION, Asked
from tests.model.test_pictures import picture


@pytest.fixture
async def responses(asked: Asked) -> AsyncIterator[Asked]:
    """A model that is asked by `/responses`. Every request is checked by the SDK's types."""
    asked.changes = {"api": "responses", "model": "gpt-5"}
    yield asked
    for request in asked.server.requests:
        if request.path == "/v1/responses" and request.body:
            check_request(request.body)


def said(asked: Asked) -> list[Any]:
    """The parts of the latest reply without its usage."""
    return [part for part in asked.parts if not isinstance(part, Usage | Quote)]


async def ran(asked: Asked, shown: dict[str, Any] | None = None) -> list[Message]:
    """The conversation after a reply whose blocks wrote "2", as it is after a restart."""
    chunks: list[Chunk] = []
    for part in await asked.reply():
        if not isinstance(part, Usage | Quote):
            chunks.append(part)
        if isinstance(part, Executing):
            display = [Display(shown)] if shown else []
            chunks += [Output("2\n"), *display, EndOfExecution()]
    stored = [dump(each, for_file=True) for each in [*QUESTION, *fold(chunks)]]
    return load(stored)


def sent(asked: Asked) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = asked.body["input"]
    return items


async def test_what_is_asked(responses: Asked) -> None:
    responses.server.enqueue(response(message("Hi")))
    await responses.reply(max_tokens=500, system_message="Mine.")
    body = dict(responses.body)
    assert body.pop("instructions").startswith("Mine.\n\nRun code by calling the tool")
    assert len(body.pop("prompt_cache_key")) == 32
    (tool,) = body.pop("tools")
    assert tool["type"] == "custom"
    assert tool["name"] == "python"
    assert body == {
        "model": "gpt-5",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What's 34/24?"}],
            }
        ],
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"summary": "auto"},
        "max_output_tokens": 500,
        "truncation": "disabled",
        "parallel_tool_calls": True,
    }
    assert responses.server.requests[-1].path == "/v1/responses"


async def test_a_temperature_is_sent_only_where_it_was_set(responses: Asked) -> None:
    responses.server.enqueue(response(message("Hi")))
    await responses.reply(temperature=0.5)
    assert responses.body["temperature"] == 0.5


async def test_the_key_of_the_cache_is_the_conversations(responses: Asked) -> None:
    responses.server.enqueue(*[response(message("Hi"))] * 3)
    await responses.reply()
    await responses.reply([*QUESTION, AssistantMessage("Hi"), UserMessage("And now?")])
    await responses.reply([UserMessage("Something else")])
    first, second, other = (body["prompt_cache_key"] for body in responses.server.bodies)
    assert first == second != other
    assert "34" not in first


async def test_words_then_code_of_a_custom_tool(responses: Asked) -> None:
    responses.server.enqueue(
        response(message("I ", "add."), custom_call("python", "1 +", ' "a"\n', "{}"))
    )
    await responses.reply()
    assert said(responses) == [
        MessageChunk("I "),
        MessageChunk("add."),
        LanguageChunk("python"),
        CodeChunk("1 +"),
        CodeChunk(' "a"\n'),
        CodeChunk("{}"),
        Executing('1 + "a"\n{}', "python"),
    ]


async def test_reasoning_is_thinking_and_goes_back_before_its_call(responses: Asked) -> None:
    responses.server.enqueue(
        response(
            reasoning(["Let ", "me."], "Now.", id="rs_7", encrypted="secret"),
            custom_call("python", "1 + 1", call_id="call_9"),
        ),
        response(message("2")),
    )
    messages = await ran(responses)
    thinking = [part.text for part in responses.parts if isinstance(part, ThinkingChunk)]
    assert thinking == ["Let ", "me.", "\n\nNow."]
    assert messages[1:] == [CodeMessage("python", "1 + 1", "2", provider=_provider(messages))]
    await responses.reply(messages)
    assert sent(responses)[1:] == [
        {
            "type": "reasoning",
            "id": "rs_7",
            "summary": [
                {"type": "summary_text", "text": "Let me."},
                {"type": "summary_text", "text": "Now."},
            ],
            "encrypted_content": "secret",
        },
        {"type": "custom_tool_call", "call_id": "call_9", "name": "python", "input": "1 + 1"},
        {"type": "custom_tool_call_output", "call_id": "call_9", "output": "2"},
    ]


def _provider(messages: list[Message]) -> Any:
    return next(each.provider for each in messages if isinstance(each, CodeMessage))


async def test_two_calls_of_one_answer_run_in_order_and_go_back_together(responses: Asked) -> None:
    responses.server.enqueue(
        response(
            reasoning("One.", id="rs_1"),
            custom_call("python", "1", call_id="call_1"),
            reasoning("Two.", id="rs_2"),
            custom_call("python", "2", call_id="call_2"),
            message("Both."),
        ),
        response(message("Done")),
    )
    messages = await ran(responses)
    assert [dump(each).get("code") or dump(each)["message"] for each in messages[1:]] == [
        "1",
        "2",
        "Both.",
    ]
    executing = [part for part in said(responses) if not isinstance(part, ThinkingChunk)]
    assert executing == [
        LanguageChunk("python"),
        CodeChunk("1"),
        Executing("1", "python"),
        LanguageChunk("python"),
        CodeChunk("2"),
        Executing("2", "python"),
        MessageChunk("Both."),
    ]
    await responses.reply(messages)
    kinds = [(item["type"], item.get("call_id") or item.get("id")) for item in sent(responses)]
    assert kinds[1:6] == [
        ("reasoning", "rs_1"),
        ("custom_tool_call", "call_1"),
        ("reasoning", "rs_2"),
        ("custom_tool_call", "call_2"),
        ("custom_tool_call_output", "call_1"),
    ]
    assert sent(responses)[-1]["content"][0]["text"] == "Both."


async def test_reasoning_goes_to_no_other_model(responses: Asked) -> None:
    responses.server.enqueue(
        response(reasoning("Hm."), custom_call("python", "1", call_id="call_1")),
        response(message("Hi")),
    )
    messages = await ran(responses)
    await responses.reply(messages, model="gpt-5-mini")
    assert [item["type"] for item in sent(responses)] == [
        "message",
        "custom_tool_call",
        "custom_tool_call_output",
    ]
    assert sent(responses)[1]["call_id"] != "call_1"


async def test_pictures_are_part_of_the_output(responses: Asked) -> None:
    shown = picture()
    responses.server.enqueue(response(custom_call("python", "plot()")), response(message("Nice")))
    messages = await ran(responses, shown)
    await responses.reply(messages)
    words, seen = sent(responses)[-1]["output"]
    assert words["type"] == "input_text"
    assert words["text"].startswith("2\n<Figure>\n[picture: image/png")
    assert seen == {
        "type": "input_image",
        "image_url": f"data:image/png;base64,{shown['image/png']}",
        "detail": "auto",
    }


async def test_the_phase_of_a_message_goes_back(responses: Asked) -> None:
    responses.server.enqueue(
        response(message("I look.", phase="commentary"), custom_call("python", "1")),
        response(message("2", phase="final_answer")),
        response(message("Yes.")),
    )
    messages = await ran(responses)
    await responses.reply(messages)
    assert sent(responses)[1]["phase"] == "commentary"
    await responses.reply([*messages, AssistantMessage("2"), UserMessage("Sure?")])
    phases = [item.get("phase") for item in sent(responses) if item.get("role") == "assistant"]
    assert phases == ["commentary", "final_answer"]


async def test_custom_tools_that_are_refused_become_a_function(responses: Asked) -> None:
    refused = error(400, "Invalid value: 'custom'.", param="tools[0].type", code="invalid_value")
    arguments = ['{"language": "python", ', '"code": "1', ' + 1"}']
    responses.server.enqueue(refused, response(function_call(*arguments)), response(message("2")))
    messages = await ran(responses)
    (tool,) = responses.body["tools"]
    assert tool["name"] == "execute"
    assert tool["strict"] is True
    assert tool["parameters"]["additionalProperties"] is False
    assert "Run code by calling `execute`" in responses.body["instructions"]
    assert Executing("1 + 1", "python") in said(responses)
    await responses.reply(messages)
    assert len(responses.server.requests) == 3
    call, answer = sent(responses)[1:]
    assert call["type"] == "function_call"
    assert call["call_id"] == answer["call_id"] == "call_a"
    assert answer["type"] == "function_call_output"


async def test_functions_that_are_refused_too_become_fences(responses: Asked) -> None:
    refused = error(400, "This model does not support tools.", param="tools")
    responses.server.enqueue(
        refused, refused, response(message("```python\n1\n```")), response(message("1"))
    )
    messages = await ran(responses)
    assert "tools" not in responses.body
    assert Executing("1", "python") in said(responses)
    await responses.reply(messages)
    roles = [item["role"] for item in sent(responses)]
    assert roles == ["user", "assistant", "user"]


async def test_a_fence_in_words_is_not_run(responses: Asked) -> None:
    responses.server.enqueue(response(message("Do:\n```python\nrm()\n```\n")))
    await responses.reply()
    assert not any(isinstance(part, Executing) for part in said(responses))
    assert "rm()" in responses.message


async def test_a_refusal_is_what_the_model_says(responses: Asked) -> None:
    responses.server.enqueue(response(refusal("I can't ", "do that.")))
    await responses.reply()
    assert responses.message == "I can't do that."


@pytest.mark.parametrize(
    ("reason", "why"), [("max_output_tokens", "max_tokens"), ("content_filter", "content filter")]
)
async def test_an_incomplete_response_runs_nothing(responses: Asked, reason: str, why: str) -> None:
    calls = custom_call("python", "1"), custom_call("python", "rm -", call_id="b")
    responses.server.enqueue(response(*calls, status="incomplete", reason=reason))
    with pytest.raises(ModelError, match=why):
        await responses.reply()
    assert CodeChunk("1") in said(responses)
    assert not any(isinstance(part, Executing) for part in said(responses))


async def test_a_failed_response_is_tried_again_where_nothing_was_written(
    responses: Asked,
) -> None:
    failed = {"code": "server_error", "message": "Sorry."}
    responses.server.enqueue(
        response(reasoning("Hm."), status="failed", error=failed), response(message("Hi"))
    )
    await responses.reply()
    assert responses.message == "Hi"
    assert len(responses.server.requests) == 2


async def test_a_failed_response_is_told_where_something_was_written(responses: Asked) -> None:
    failed = {"code": "server_error", "message": "Sorry."}
    call = custom_call("python", "rm()")
    responses.server.enqueue(response(call, status="failed", error=failed))
    with pytest.raises(ModelError, match="Sorry"):
        await responses.reply()
    assert not any(isinstance(part, Executing) for part in said(responses))
    assert len(responses.server.requests) == 1


async def test_a_prompt_that_is_refused_is_not_tried_again(responses: Asked) -> None:
    failed = {"code": "invalid_prompt", "message": "Not this."}
    responses.server.enqueue(response(status="failed", error=failed))
    with pytest.raises(ModelError, match="Not this"):
        await responses.reply()
    assert len(responses.server.requests) == 1


async def test_an_error_event_ends_the_reply(responses: Asked) -> None:
    event = b'data: {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down."}\n\n'
    responses.server.enqueue(raw(event).but(finish_reason=None), response(message("Hi")))
    await responses.reply()
    assert responses.message == "Hi"
    assert len(responses.server.requests) == 2


@pytest.mark.parametrize("way", ["drop", "end"])
async def test_a_connection_that_is_lost_before_a_word_is_tried_again(
    responses: Asked, way: str
) -> None:
    stream = events(reasoning("Hm."), custom_call("python", "1"))[:5]
    lost = raw(*stream).but(finish_reason=None, drop_after=5 if way == "drop" else None)
    responses.server.enqueue(lost, response(message("Hi")))
    await responses.reply()
    assert responses.message == "Hi"


@pytest.mark.parametrize("way", ["drop", "end"])
async def test_a_connection_that_is_lost_in_the_middle_runs_nothing(
    responses: Asked, way: str
) -> None:
    stream = events(custom_call("python", "1", "2"))[:-1]
    count = len(stream)
    lost = raw(*stream).but(finish_reason=None, drop_after=count if way == "drop" else None)
    responses.server.enqueue(lost)
    with pytest.raises(ConnectionLostError):
        await responses.reply()
    assert CodeChunk("2") in said(responses)
    assert not any(isinstance(part, Executing) for part in said(responses))


async def test_usage_as_the_server_counted_it(responses: Asked) -> None:
    responses.server.enqueue(response(message("Hi")))
    usage = (await responses.reply())[-1]
    assert isinstance(usage, Usage)
    assert (usage.input_tokens, usage.output_tokens) == (100, 20)
    assert usage.cost is not None


async def test_a_call_of_another_tool_goes_back_to_the_model(responses: Asked) -> None:
    responses.server.enqueue(
        response(custom_call("browser", "open")), response(custom_call("python", "1"))
    )
    await responses.reply()
    call, answer = sent(responses)[-2:]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "browser", "open")
    assert answer["call_id"] == call["call_id"]
    assert "no such tool" in answer["output"]
    assert "execute" not in answer["output"]
    assert Executing("1", "python") in said(responses)


async def test_the_whole_code_counts_where_the_pieces_differ(responses: Asked) -> None:
    stream = b"".join(events(custom_call("python", "1 + 1")))
    changed = stream.replace(b'"delta":"1 + 1"', b'"delta":"1 + "')
    other = stream.replace(b'"delta":"1 + 1"', b'"delta":"2"')
    for sent_bytes in (changed, other):
        responses.server.enqueue(raw(sent_bytes).but(finish_reason=None))
        await responses.reply()
        assert Executing("1 + 1", "python") in said(responses)


@pytest.mark.parametrize("only", [b"output_item.done", b"response.completed"])
async def test_a_server_that_streams_nothing_but_whole_items(responses: Asked, only: bytes) -> None:
    stream = [
        event
        for event in events(reasoning("Hm."), message("Hi."), custom_call("python", "1 + 1"))
        if only in event or b"response.completed" in event
    ]
    responses.server.enqueue(raw(*stream).but(finish_reason=None), response(message("2")))
    messages = await ran(responses)
    assert Executing("1 + 1", "python") in said(responses)
    assert responses.message == "Hi."
    await responses.reply(messages)
    assert "reasoning" in [item["type"] for item in sent(responses)]


async def test_an_organisation_that_may_not_stream_is_answered_whole(responses: Asked) -> None:
    refused = error(
        400,
        "Your organization must be verified to stream this model.",
        param="stream",
        code="unsupported_value",
    )
    answer = whole(reasoning("Hm."), message("I add."), custom_call("python", "1 + 1"))
    responses.server.enqueue(refused, answer)
    await responses.reply()
    assert responses.body["stream"] is False
    assert "stream_options" not in responses.body
    assert responses.message == "I add."
    assert Executing("1 + 1", "python") in said(responses)


@pytest.mark.parametrize(
    ("param", "left_out"),
    [
        ("reasoning.summary", {"reasoning"}),
        ("include", {"include"}),
        ("prompt_cache_key", {"prompt_cache_key"}),
        ("truncation", {"truncation"}),
    ],
)
async def test_a_parameter_that_is_refused_is_left_out(
    responses: Asked, param: str, left_out: set[str]
) -> None:
    refused = error(400, f"Unsupported parameter: '{param}'.", param=param)
    responses.server.enqueue(refused, response(message("Hi")), response(message("Hi")))
    await responses.reply()
    before, after = responses.server.bodies
    assert before.keys() - after.keys() == left_out
    await responses.reply()
    assert len(responses.server.requests) == 3


async def test_reasoning_that_cannot_be_decrypted_is_left_out(responses: Asked) -> None:
    refused = error(
        400,
        "The encrypted content for item rs_1 could not be verified.",
        code="invalid_encrypted_content",
    )
    responses.server.enqueue(
        response(reasoning("Hm."), custom_call("python", "1")), refused, response(message("1"))
    )
    await responses.reply(await ran(responses))
    assert "reasoning" not in [item["type"] for item in sent(responses)]


@pytest.mark.parametrize(
    "refusal_",
    [
        error(404, "This model is only supported in v1/responses and not in v1/chat/completions."),
        error(400, "Not here.", code="unsupported_api_for_model"),
        error(404, "This is not a chat model."),
        error(
            400,
            "Function tools with reasoning_effort are not supported for gpt-5.4 in"
            " /v1/chat/completions. Please use /v1/responses instead.",
            param="reasoning_effort",
        ),
    ],
)
async def test_a_model_for_responses_only_is_found_out(responses: Asked, refusal_: Any) -> None:
    responses.server.enqueue(refusal_, response(message("Hi")), response(message("Hi")))
    await responses.reply(api="auto")
    await responses.reply(api="auto")
    assert responses.message == "Hi"
    paths = [request.path for request in responses.server.requests]
    assert paths == ["/v1/chat/completions", "/v1/responses", "/v1/responses"]


@pytest.mark.parametrize("lacking", [error(404, "Not Found"), text("What?")])
async def test_a_server_without_responses_is_asked_by_chat_completions_again(
    responses: Asked, lacking: Any
) -> None:
    """And then a model that takes no tools with an effort is asked not to reason."""
    wants = error(400, "No tools with reasoning_effort; use /v1/responses.")
    responses.server.enqueue(wants, lacking, wants, text("Hi"))
    await responses.reply(api="auto")
    assert responses.message == "Hi"
    paths = [request.path.removeprefix("/v1/") for request in responses.server.requests]
    assert paths == ["chat/completions", "responses", "chat/completions", "chat/completions"]
    assert responses.body["reasoning_effort"] == "none"


async def test_a_server_that_refuses_both_apis_is_asked_twice_and_once_more(
    responses: Asked,
) -> None:
    wants = error(404, "This is not a chat model.")
    responses.server.enqueue(*[wants, error(404, "Not Found")] * 3)
    with pytest.raises(ModelError, match="not a chat model"):
        await responses.reply(api="auto")
    assert len(responses.server.requests) == 3


def test_time_grows_linearly_with_the_code() -> None:
    """20,000 tokens of code, read as they come from a socket."""

    def read(count: int) -> None:
        content = RequestContent(
            settings=Settings(),
            endpoint=Endpoint(api_base="https://a.example/v1", api_key="k", model="gpt-5"),
            capabilities=Capabilities(),
            style="tools",
            system="",
            messages=QUESTION,
            pictures=[],
            languages=["python"],
            environment=Environment(cwd="/"),
        )
        reader = ResponsesBackend().reader(content, {"python"}.__contains__)
        stream = streams[count]
        parts: list[Any] = []
        for at in range(0, len(stream), 1 << 16):
            for some in reader.feed(stream[at : at + (1 << 16)]):
                parts += some
        parts += reader.finish()
        assert parts[-1] == Executing("1, " * count, "python")

    streams = {
        count: b"".join(events(custom_call("python", *["1, "] * count)))
        for count in (5_000, 20_000)
    }
    assert grows_linearly(read)


async def test_the_setting_decides(responses: Asked) -> None:
    responses.server.enqueue(error(404, "Use v1/responses"))
    with pytest.raises(ModelError, match="v1/responses"):
        await responses.reply(api="chat")
    responses.server.enqueue(text("Hi"))
    await responses.reply(api="chat")
    assert responses.server.requests[-1].path == "/v1/chat/completions"


async def test_thinking_in_the_text_is_thinking(responses: Asked) -> None:
    for pieces in (["<think>Hm</think>\n\n", "Hi"], [*"<think>Hm</think>Hi"]):
        responses.server.enqueue(response(message(*pieces)))
        await responses.reply()
        thought = "".join(p.text for p in responses.parts if isinstance(p, ThinkingChunk))
        assert (thought, responses.message) == ("Hm", "Hi")


async def test_thinking_with_an_end_tag_only_is_learned(responses: Asked) -> None:
    responses.server.enqueue(*[response(message("Hm", "</think>", "Hi"))] * 2)
    await responses.reply()
    await responses.reply()
    assert responses.message == "Hi"


async def test_code_in_thinking_does_not_run(responses: Asked) -> None:
    text = "<think>\n```python\nrm()\n```\n</think>\n```python\n1 + 1\n```"
    responses.server.enqueue(response(message(text)))
    await responses.reply(tool_style="markdown")
    assert [p.code for p in responses.parts if isinstance(p, Executing)] == ["1 + 1"]


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "python", "arguments": {"code": "1 + 1"}}</tool_call>',
        '```json\n{"name": "execute", "arguments": {"language": "python", "code": "1 + 1"}}\n```',
        '{"name": "execute", "arguments": {"language": "python", "code": "1 + 1"}}',
    ],
)
async def test_a_call_that_is_written_as_text_is_a_call(responses: Asked, text: str) -> None:
    responses.server.enqueue(response(message(*text)))
    await responses.reply()
    assert Executing("1 + 1", "python") in said(responses)
    assert responses.message == ""


async def test_a_written_call_of_another_tool_goes_back_to_the_model(responses: Asked) -> None:
    call = '<tool_call>{"name": "browse", "arguments": {"url": "x"}}</tool_call>'
    responses.server.enqueue(response(message(call)), response(custom_call("python", "1")))
    await responses.reply()
    assert "no such tool" in str(sent(responses)[-1])


async def test_a_fence_in_the_words_of_a_model_with_tools_is_only_shown(responses: Asked) -> None:
    fence = "```python\n1 + 1\n```"
    responses.server.enqueue(response(message(*fence)))
    await responses.reply()
    assert responses.message == fence
    assert not any(isinstance(part, Executing) for part in said(responses))


async def test_a_picture_of_the_person_stands_with_their_words(responses: Asked) -> None:
    responses.server.enqueue(response(message("A line.")))
    await responses.reply([UserMessage("What?", (picture(),))])
    user = sent(responses)[-1]
    assert [part["type"] for part in user["content"]] == ["input_text", "input_image"]
