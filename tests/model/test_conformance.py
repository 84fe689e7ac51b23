"""Every way in which servers are known to differ: each turn comes out right.

A turn asks what 34/24 is. The server answers with code, in a form of its own, and then in words.
The code runs exactly once, the answer is the model's, what was cut off never runs, and nothing is
silent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from oi_daemon.conversation.budget import Budget
from oi_daemon.conversation.turn import Turn
from oi_daemon.errors import ModelError
from oi_daemon.messages import AssistantMessage, NoticeChunk, ThinkingChunk
from tests.fakes.openai_server import Reply, error, function_call, raw, text, tool_call
from tests.fakes.turns import ASKED, AutoRun, Client, EchoExecution
from tests.model.asked import KEY, Asked

CODE = "34 / 24"
ARGUMENTS = {"language": "python", "code": CODE}
JSON = json.dumps(ARGUMENTS)
WRITTEN = json.dumps({"name": "execute", "arguments": ARGUMENTS})
ANSWER = "It is 1.4166."
CALL = tool_call(ARGUMENTS)
FENCE = f"```python\n{CODE}\n```"
MARKDOWN = {"tool_style": "markdown"}

Bodies = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Deviation:
    """What a server does, and what comes of the turn."""

    name: str
    replies: Sequence[Reply]
    settings: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    """Added to the server's base URL."""
    ran: Sequence[str] = (CODE,)
    said: str = ANSWER
    fails: str = ""
    """A part of the error with which the turn ends; empty if it ends well."""
    notice: str = ""
    """A part of a notice."""
    thought: str = ""
    check: Callable[[Bodies], object] = bool
    """Whether the requests are as they have to be."""


def answers(name: str, *first: Reply, **rest: Any) -> Deviation:
    """The server answers so, and then in words."""
    return Deviation(name, [*first, text(ANSWER)], **rest)


def cut(name: str, reply: Reply, **rest: Any) -> Deviation:
    """The server cuts its answer off: nothing runs, and the person is told."""
    return Deviation(name, [reply], **{"ran": (), "said": "", "fails": "not run", **rest})


def refused(name: str, status: int, message: str, *, param: str | None = None, **rest: Any) -> Any:
    """The server refuses the first request, and takes the next one."""
    return answers(name, error(status, message, param=param), CALL, **rest)


def delta(**fields: Any) -> Reply:
    """One delta with these fields."""
    return Reply(deltas=(fields,))


def whole(*, status: int = 200, **message: Any) -> Reply:
    """An answer in one piece in place of a stream."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 9}}
    return Reply(status=status, body=json.dumps(body, indent=1).encode())


def called(**fields: Any) -> dict[str, Any]:
    """A call of `execute`, whole, with these fields changed."""
    return {"id": "call_1", "function": {"name": "execute", "arguments": JSON}, **fields}


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def without(name: str) -> Callable[[Bodies], object]:
    """The first request has this parameter, and no later one."""
    return lambda bodies: [name in body for body in bodies] == [True, False, False]


def streamed(call: dict[str, Any]) -> Reply:
    return delta(tool_calls=[call]).but(finish_reason="tool_calls")


def back(name: str, value: Any) -> Callable[[Bodies], object]:
    """The latest request has this field in the message that holds the call."""
    return lambda bodies: bodies[-1]["messages"][2].get(name) == value


def signed(bodies: Bodies) -> object:
    return bodies[-1]["messages"][2]["tool_calls"][0].get("extra_content") == SIGNATURE


def with_id(call_id: str) -> Callable[[Bodies], object]:
    return lambda bodies: (
        bodies[-1]["messages"][2]["tool_calls"][0]["id"] == call_id
        and bodies[-1]["messages"][3]["tool_call_id"] == call_id
    )


SIGNATURE = {"google": {"thought_signature": "c2lnbmVk"}}

ENDINGS = [
    *(
        answers(f"finish reason {reason}", CALL.but(finish_reason=reason))
        for reason in ("stop", "tool_calls", "function_call", "end_turn", "stop_sequence", "eos")
    ),
    answers("finish reason in capitals", CALL.but(finish_reason="STOP")),
    answers(
        "no finish reason, but [DONE]", (CALL + raw(b"data: [DONE]\n\n")).but(finish_reason=None)
    ),
    *(
        cut(f"cut off: {reason}", CALL.but(finish_reason=reason))
        for reason in (
            *("length", "max_tokens", "MAX_TOKENS", "content_filter", "abort", "error"),
            *("insufficient_system_resource", "network_error", "malformed_function_call", "odd"),
        )
    ),
    cut("cut off: no end", CALL.but(finish_reason=None)),
    cut("cut off: the connection drops in the call", CALL.but(drop_after=4), fails="broke off"),
    cut("cut off in a fence", text(FENCE[:-4]).but(finish_reason="length"), settings=MARKDOWN),
    cut(
        "cut off in a written call",
        text(f"<tool_call>{WRITTEN}").but(finish_reason="length"),
        said=f"<tool_call>{WRITTEN}",
    ),
    cut("cut off while it thinks", delta(reasoning="Hm").but(finish_reason="length"), thought="Hm"),
]

CALLS = [
    answers(
        "arguments as an object",
        streamed(called(function={"name": "execute", "arguments": ARGUMENTS})),
    ),
    answers("arguments in one delta", streamed(called(index=0))),
    answers("arguments by the character", tool_call(list(JSON))),
    answers("no index", streamed(called())),
    answers("index null", streamed(called(index=None))),
    answers("no id", streamed(called(id=None))),
    answers("an index that begins at 1", tool_call(ARGUMENTS, index=1)),
    answers(
        "the name in every delta",
        streamed(called(function={"name": "execute", "arguments": JSON[:9]}))
        + streamed(called(function={"name": "execute", "arguments": JSON[9:]})),
    ),
    answers(
        "the name after the id",
        streamed(called(index=0, function={"arguments": ""})) + streamed(called(index=0, id=None)),
    ),
    answers(
        "raw newlines in the code",
        tool_call(['{"language": "python", "code": "1\n2"}']),
        ran=["1\n2"],
    ),
    answers("arguments in a fence", tool_call([f"```json\n{JSON}\n```"])),
    answers("a call by the language's name", tool_call([CODE], name="python")),
    answers("a legacy function call", function_call(ARGUMENTS)),
    answers("content null beside the call", delta(content=None, tool_calls=[called()])),
    answers("content empty beside the call", delta(content="", tool_calls=[called()])),
    answers("two calls", CALL + tool_call({**ARGUMENTS, "code": "2"}, index=1), ran=[CODE, "2"]),
    answers(
        "two calls of one index",
        CALL + tool_call({**ARGUMENTS, "code": "2"}, index=0),
        ran=[CODE, "2"],
    ),
    answers("broken arguments", tool_call([JSON[:-4]]), CALL, notice="could not be read"),
    answers("plain code as arguments", tool_call([CODE]), CALL, notice="could not be read"),
    answers(
        "an object of something else", tool_call({"cmd": "ls"}), CALL, notice="could not be read"
    ),
    answers(
        "an unknown tool",
        tool_call({"query": "34/24"}, name="browse"),
        CALL,
        notice="does not exist",
        check=lambda bodies: "no such tool as browse" in str(bodies[1]["messages"][-1]),
    ),
    answers(
        "an unknown tool with our arguments",
        tool_call(ARGUMENTS, name="sh_exec"),
        CALL,
        notice="exist",
    ),
    Deviation(
        "broken arguments without end",
        [tool_call(["{oops"])] * 9,
        ran=(),
        said="",
        fails="4 calls",
        check=lambda bodies: len(bodies) == 4,
    ),
]

TEXTS = [
    answers("a call in tags", text(f"<tool_call>\n{WRITTEN}\n</tool_call>")),
    answers("a call in tags, by the character", text(*f"<tool_call>{WRITTEN}</tool_call>")),
    answers("a call in a fence of JSON", text(f"```json\n{WRITTEN}\n```")),
    answers("a call as the whole answer", text(WRITTEN)),
    answers(
        "a call in tags that is broken", text("<tool_call>{oops</tool_call>"), CALL, notice="read"
    ),
    Deviation("a fence where there are tools", [text(FENCE)], ran=(), said=FENCE),
    answers("a fence in Markdown", text(FENCE), settings=MARKDOWN),
    Deviation("content as a list", [CALL, delta(content=[{"type": "text", "text": ANSWER}])]),
    Deviation("a refusal", [delta(refusal="I will not.")], ran=(), said="I will not."),
    Deviation("an empty answer", [text()], ran=(), said="", notice="empty"),
    Deviation("an empty answer after the code", [CALL, text("")], said="", notice="empty"),
    Deviation(
        "an answer that only thinks",
        [delta(reasoning="Hm")],
        ran=(),
        said="",
        notice="empty",
        thought="Hm",
    ),
]

THINKING = [
    answers("reasoning_content", delta(reasoning_content="Hm") + CALL, thought="Hm"),
    answers("reasoning", delta(reasoning="Hm") + CALL, thought="Hm"),
    answers(
        "reasoning_details",
        delta(reasoning_details=[{"type": "reasoning.text", "text": "Hm"}]) + CALL,
        thought="Hm",
    ),
    answers(
        "thinking as a part of the content",
        delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]) + CALL,
        thought="Hm",
    ),
    Deviation("thinking in tags", [CALL, text("<think>Hm</think>\n\n", ANSWER)], thought="Hm"),
    Deviation(
        "thinking in tags, by the character",
        [CALL, text(*f"<think>Hm</think>{ANSWER}")],
        thought="Hm",
    ),
    Deviation(
        "thinking with an end tag only",
        [CALL, text("Hm", "</think>", ANSWER)],
        settings={"model": "deepseek-r1"},
        thought="Hm",
    ),
    answers(
        "code in thinking",
        text(f"<think>\n```python\nrm()\n```\n</think>\n{FENCE}"),
        settings=MARKDOWN,
        thought="\n```python\nrm()\n```\n",
    ),
    Deviation(
        "code in thinking with an end tag only",
        [text("```python\nrm()\n```\n", "</think>\n", FENCE), text("Hm</think>", ANSWER)],
        settings={**MARKDOWN, "model": "my-model"},
        thought="```python\nrm()\n```\nHm",
    ),
]

SHAPES = [
    answers("a whole answer with a call", whole(content=None, tool_calls=[called()])),
    Deviation("a whole answer in words", [CALL, whole(content=ANSWER)]),
    Deviation(
        "message in place of delta",
        [CALL, raw(event(choices=[{"message": {"content": ANSWER}}])).but()],
    ),
    answers(
        "an event without choices first", raw(event(choices=[], prompt_filter_results=[])) + CALL
    ),
    answers("choices null", raw(event(choices=None)) + CALL),
    answers("comments that keep the connection alive", raw(b": PROCESSING\n\n" * 9) + CALL),
    answers("event, id and retry lines", raw(b"event: x\nid: 1\nretry: 9\n\n") + CALL),
    answers(
        "lines that end in CRLF",
        raw(event(choices=[{"delta": {"tool_calls": [called()]}}]).replace(b"\n", b"\r\n")),
    ),
    answers("usage as floats", CALL.but(usage={"prompt_tokens": 9.0, "completion_tokens": 2.0})),
    answers(
        "usage in x_groq", raw(event(choices=[], x_groq={"usage": {"prompt_tokens": 9}})) + CALL
    ),
    answers("usage with a cost", CALL.but(usage={"prompt_tokens": 9, "cost": 0.5})),
    answers("usage null", CALL.but(usage=None)),
    answers(
        "usage of other types", CALL.but(usage={"prompt_tokens": "9", "completion_tokens": None})
    ),
    answers(
        "unknown fields everywhere", raw(event(a=1, choices=[{"b": [], "delta": {"c": {}}}])) + CALL
    ),
]

FAILURES = [
    answers(
        "an error in the stream, before a word",
        raw(event(error={"message": "No.", "code": 429})),
        CALL,
    ),
    answers(
        "an error as a list, in the stream",
        raw(b'data: [{"error": {"message": "No.", "code": 503}}]\n\n'),
        CALL,
    ),
    answers("429, then an answer", error(429, "Slow down."), CALL),
    answers(
        "a connection that drops while it thinks",
        delta(reasoning="Hm").but(drop_after=1),
        CALL,
        thought="Hm",
    ),
    refused(
        "temperature is deprecated",
        400,
        "`temperature` is deprecated for this model.",
        settings={"temperature": 0.5},
        notice="temperature",
        check=without("temperature"),
    ),
    refused(
        "only one temperature is allowed",
        400,
        "invalid temperature: only 1 is allowed",
        settings={"temperature": 0.5},
        notice="temperature",
        check=without("temperature"),
    ),
    refused(
        "no stream_options",
        422,
        "Extra inputs are not permitted: stream_options",
        check=without("stream_options"),
    ),
    refused(
        "no service_tier",
        400,
        "Unknown parameter.",
        param="service_tier",
        settings={"service_tier": "flex"},
        notice="service_tier",
        check=without("service_tier"),
    ),
    refused(
        "no verbosity",
        400,
        "verbosity: unknown",
        settings={"verbosity": "low"},
        notice="verbosity",
        check=without("verbosity"),
    ),
    refused(
        "no effort",
        400,
        "Unrecognized: reasoning_effort",
        settings={"reasoning_effort": "low"},
        notice="reasoning_effort",
        check=without("reasoning_effort"),
    ),
    refused(
        "max_tokens by another name",
        400,
        "'max_tokens' is not supported. Use 'max_completion_tokens'.",
        settings={"max_tokens": 99},
        check=lambda bodies: bodies[-1]["max_completion_tokens"] == 99,
    ),
    refused(
        "tools only without an effort",
        400,
        "Function tools with reasoning_effort are not supported; set it to 'none'.",
        param="reasoning_effort",
        check=lambda bodies: bodies[-1]["reasoning_effort"] == "none" and "tools" in bodies[-1],
    ),
    answers(
        "no tools", error(400, "m does not support tools"), text(FENCE), check=without("tools")
    ),
    answers(
        "no stream without verification",
        error(400, "Your organization must be verified to stream this model.", param="stream"),
        whole(content=None, tool_calls=[called()]),
        check=lambda bodies: bodies[1]["stream"] is False,
    ),
    Deviation(
        "an error as the body of 200",
        [Reply(body=b'{"error": {"message": "Broken.", "code": 400}}')],
        ran=(),
        said="",
        fails="Broken",
    ),
    Deviation(
        "an error as a list",
        [Reply(status=400, body=b'[{"error": {"message": "Broken."}}]')],
        ran=(),
        said="",
        fails="Broken",
    ),
    Deviation(
        "a web page",
        [Reply(body=b"<html>Sign in</html>", content_type="text/html")],
        ran=(),
        said="",
        fails="not an OpenAI-compatible",
    ),
]

RETURNS = [
    answers("Gemini's signature", streamed(called(extra_content=SIGNATURE)), check=signed),
    answers(
        "DeepSeek's reasoning",
        delta(reasoning_content="Hm") + CALL,
        thought="Hm",
        check=back("reasoning_content", "Hm"),
    ),
    answers(
        "Kimi's reasoning",
        delta(reasoning_content="H") + delta(reasoning_content="m") + CALL,
        thought="Hm",
        check=back("reasoning_content", "Hm"),
    ),
    answers("Mistral's ids", streamed(called(id="D681PevKs")), check=with_id("D681PevKs")),
]

PATHS = [
    answers("a base that ends in the API's path", CALL, path="/chat/completions"),
    answers("a base that ends in a slash", CALL, path="/"),
    answers(
        "a deployment of Azure's",
        CALL,
        path="/openai/deployments/mine/chat/completions?api-version=1",
    ),
]

DEVIATIONS = [*ENDINGS, *CALLS, *TEXTS, *THINKING, *SHAPES, *FAILURES, *RETURNS, *PATHS]


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation.name)
async def test_a_deviation(asked: Asked, deviation: Deviation) -> None:
    asked.server.enqueue(*deviation.replies)
    settings = {"api_base": asked.server.url + deviation.path, **deviation.settings}
    execution, client = EchoExecution(), Client()
    turn = Turn(
        history=[ASKED],
        model=asked.models.model(asked.settings(**settings)),
        execution=execution,
        approval=AutoRun(),
        spending=Budget(),
        emit=client.emit,
        finished=_nothing,
        max_rounds=10,
    )
    failed = ""
    try:
        await turn.answer()
    except ModelError as error_of_turn:
        failed = str(error_of_turn)

    said = [each.message for each in turn.messages if isinstance(each, AssistantMessage)]
    notices = [chunk.message for chunk in client.chunks if isinstance(chunk, NoticeChunk)]
    thought = "".join(chunk.text for chunk in client.chunks if isinstance(chunk, ThinkingChunk))
    assert execution.ran == [*deviation.ran]
    assert "\n".join(said) == deviation.said
    assert deviation.fails in failed
    assert bool(failed) == bool(deviation.fails)
    assert deviation.notice in "\n".join(notices)
    assert thought == deviation.thought
    assert deviation.said or deviation.fails or deviation.notice  # nothing is silent
    assert deviation.check(asked.server.bodies)
    assert KEY not in f"{failed} {notices}"


def test_there_are_many_deviations_and_each_has_a_name() -> None:
    assert len({deviation.name for deviation in DEVIATIONS}) == len(DEVIATIONS) >= 50


async def _nothing() -> None:
    pass
