"""Replies of `/responses` for the scripted server: every event is made and checked by the SDK.

    server.enqueue(response(reasoning("Hm."), custom_call("python", "1 +", " 1")))

`check_request` checks a request by the SDK's types as well.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from openai.types.responses import ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import TypeAdapter

from tests.fakes.openai_server import Reply

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
REQUESTS: TypeAdapter[Any] = TypeAdapter(ResponseCreateParams)
KNOWN = {
    name
    for each in ResponseCreateParams.__args__  # type: ignore[attr-defined]
    for name in each.__annotations__
}
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 7},
    "total_tokens": 120,
}
Event = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One item of a response, and the pieces in which it streams."""

    start: dict[str, Any]
    """The item as it begins."""
    end: dict[str, Any]
    """The item as it ends."""
    events: Sequence[Event] = field(default=())
    """What streams in between, without place and number."""


def reasoning(*summaries: str | Sequence[str], id: str = "rs_1", encrypted: str = "x1") -> Item:
    """Reasoning with these summaries, each as a text or as its pieces."""
    parts = [[each] if isinstance(each, str) else list(each) for each in summaries]
    events: list[Event] = []
    for number, pieces in enumerate(parts):
        where = {"summary_index": number, "item_id": id}
        empty = {"type": "summary_text", "text": ""}
        events.append({"type": "response.reasoning_summary_part.added", "part": empty, **where})
        for piece in pieces:
            events.append(
                {"type": "response.reasoning_summary_text.delta", "delta": piece, **where}
            )
        whole = {"type": "response.reasoning_summary_text.done", "text": "".join(pieces), **where}
        events.append(whole)
    item = {"type": "reasoning", "id": id, "summary": []}
    summary = [{"type": "summary_text", "text": "".join(pieces)} for pieces in parts]
    return Item(item, {**item, "summary": summary, "encrypted_content": encrypted}, events)


def compaction(encrypted: str, id: str = "cmp_1") -> Item:
    """A summary of the conversation that the server has made."""
    item = {"type": "compaction", "id": id, "encrypted_content": encrypted}
    events = [{"type": "response.compaction.compacting", "item_id": id}]
    return Item(item, item, events)


def message(*pieces: str, phase: str | None = None) -> Item:
    """A message of the model in these pieces."""
    return _message(pieces, "response.output_text", "output_text", "text", phase)


def refusal(*pieces: str) -> Item:
    """A message in which the model refuses."""
    return _message(pieces, "response.refusal", "refusal", "refusal", None)


def _message(pieces: Sequence[str], kind: str, part: str, field: str, phase: str | None) -> Item:
    where = {"item_id": "msg_1", "content_index": 0}
    extra: Event = {"logprobs": []} if part == "output_text" else {}
    content = {"type": part, field: "".join(pieces)}
    if part == "output_text":
        content["annotations"] = []  # type: ignore[assignment]
    deltas = [{"type": f"{kind}.delta", "delta": piece, **where, **extra} for piece in pieces]
    done = {"type": f"{kind}.done", field: "".join(pieces), **where, **extra}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "phase": phase}
    start: Event = {**item, "status": "in_progress", "content": []}
    return Item(start, {**item, "status": "completed", "content": [content]}, [*deltas, done])


def custom_call(name: str, *pieces: str, call_id: str = "call_a") -> Item:
    """A call of a custom tool with plain code in these pieces."""
    where = {"item_id": "ctc_1"}
    kind = "response.custom_tool_call_input"
    deltas = [{"type": f"{kind}.delta", "delta": piece, **where} for piece in pieces]
    done = {"type": f"{kind}.done", "input": "".join(pieces), **where}
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": call_id, "name": name}
    return Item({**item, "input": ""}, {**item, "input": "".join(pieces)}, [*deltas, done])


def function_call(*pieces: str, name: str = "execute", call_id: str = "call_a") -> Item:
    """A function call with its arguments in these pieces."""
    where = {"item_id": "fc_1"}
    kind = "response.function_call_arguments"
    deltas = [{"type": f"{kind}.delta", "delta": piece, **where} for piece in pieces]
    done = {"type": f"{kind}.done", "arguments": "".join(pieces), "name": name, **where}
    item = {"type": "function_call", "id": "fc_1", "call_id": call_id, "name": name}
    whole = {**item, "arguments": "".join(pieces), "status": "completed"}
    return Item({**item, "arguments": ""}, whole, [*deltas, done])


def response(
    *items: Item,
    status: str = "completed",
    reason: str | None = None,
    error: dict[str, str] | None = None,
    id: str = "resp_1",
) -> Reply:
    """A whole stream; it ends in a `status` of failed, incomplete or completed."""
    return as_reply(events(*items, status=status, reason=reason, error=error, id=id))


def as_reply(stream: Sequence[bytes]) -> Reply:
    """The events as a reply, of which each counts for `drop_after` and `hold_after`."""
    return Reply(deltas=tuple(stream), finish_reason=None)


def events(
    *items: Item,
    status: str = "completed",
    reason: str | None = None,
    error: dict[str, str] | None = None,
    id: str = "resp_1",
) -> list[bytes]:
    """The events of a stream as bytes, numbered from 0."""
    stream = _stream(items, status, reason, error, id)
    return [encoded({**each, "sequence_number": number}) for number, each in enumerate(stream)]


def encoded(event: Event) -> bytes:
    """An event as bytes, made by the SDK's type."""
    checked = EVENTS.validate_python(event)
    data = checked.model_dump_json(exclude_unset=True, by_alias=True)
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


def whole(*items: Item, status: str = "completed", id: str = "resp_1") -> Reply:
    """A response as one JSON object, as a request without `stream` gets it."""
    body = _object(items, status, None, None, id)
    return Reply(body=json.dumps(body).encode())


def _stream(
    items: Sequence[Item],
    status: str,
    reason: str | None,
    error: dict[str, str] | None,
    id: str,
) -> Iterator[Event]:
    begun = _object((), "in_progress", None, None, id)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(items):
        cut = status == "incomplete" and index == len(items) - 1
        yield {"type": "response.output_item.added", "output_index": index, "item": item.start}
        for each in item.events:
            if not (cut and each["type"].endswith(".done")):
                yield {**each, "output_index": index}
        if not cut:
            yield {"type": "response.output_item.done", "output_index": index, "item": item.end}
    ended = _object(items, status, reason, error, id)
    yield {"type": f"response.{status}", "response": ended}


def _object(
    items: Sequence[Item],
    status: str,
    reason: str | None,
    error: dict[str, str] | None,
    id: str,
) -> Event:
    return {
        "id": id,
        "object": "response",
        "created_at": 0,
        "model": "gpt-5",
        "status": status,
        "output": [item.end for item in items],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": error,
        "incomplete_details": {"reason": reason} if reason else None,
        "usage": None if status == "in_progress" else USAGE,
        "service_tier": "default",
    }


def check_request(body: dict[str, Any]) -> None:
    """Check a request's body: all of its fields are known, and have the SDK's types."""
    assert set(body) <= KNOWN | {"stream"}, set(body) - KNOWN
    checked = REQUESTS.validate_python(body, strict=False)
    for item, original in zip(checked["input"], body["input"], strict=True):
        assert _plain(item) == original
    for tool, original in zip(checked.get("tools", []), body.get("tools", []), strict=True):
        assert _plain(tool) == original


def _plain(value: Any) -> Any:
    """A checked value with what was lazily read from it as lists."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, str | int | float | bool | None):
        return value
    return [_plain(each) for each in value]
