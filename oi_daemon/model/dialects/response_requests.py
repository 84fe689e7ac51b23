"""A conversation as the input of `/responses`, and the tools by which the model runs code.

There is one custom tool for each language, whose input is plain code. Servers that have no custom
tools get the function `execute`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.messages.written import Bundle
from oi_daemon.model import pictures
from oi_daemon.model.dialects.block_text import outcome
from oi_daemon.model.dialects.instructions import ToolStyle, tool_parameters
from oi_daemon.model.dialects.parts import MalformedCall
from oi_daemon.model.dialects.requests import (
    BEGINNING,
    QUOTED_ARGUMENTS,
    CallIds,
    arguments,
    correction,
    spoken_content,
    tool_name,
    wire_messages,
)
from oi_daemon.model.dialects.rounds import rounds
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.functions import ToolFunction, definition
from oi_daemon.model.provider import ProviderData, provider_data

NO_CUSTOM_TOOL = (
    "Error: there is no such tool as {name}. Nothing was run. Call the tool that is named after the"
    " code's language, with plain code as input."
)
"""The answer to a call of another tool."""
NO_CODE = "Error: this call has no code. Nothing was run. Call it again with plain code as input."
"""The answer to a call of a custom tool without input."""
InputItem = dict[str, Any]
"""One item of a request's input."""


def custom_tool_name(language: str) -> str:
    """Return the name of a language's custom tool, which has letters, digits, `_` and `-` only."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", language)[:64]


def tools(
    style: ToolStyle,
    languages: Sequence[str],
    functions: Sequence[ToolFunction] = (),
    *,
    custom: bool,
) -> list[dict[str, Any]]:
    """Return the tools of a request; none in the style `markdown`.

    Args:
        custom: whether there is a custom tool for each language, and not `execute`.
    """
    if style == "markdown":
        return []
    further = [{"type": "function", **definition(each), "strict": False} for each in functions]
    if custom:
        return [
            {
                "type": "custom",
                "name": custom_tool_name(language),
                "description": f"Run {language} on the user's machine and get its output."
                " Send plain code, no JSON, no fences.",
            }
            for language in languages
        ] + further
    (tool,) = tool_parameters("tools", languages)["tools"]
    function = tool["function"]
    parameters = {**function["parameters"], "additionalProperties": False}
    return [{"type": "function", **function, "parameters": parameters, "strict": True}, *further]


def input_items(
    messages: Sequence[Message],
    style: ToolStyle,
    sent: Sequence[Bundle] = (),
    endpoint: Endpoint | None = None,
    *,
    custom: bool,
) -> list[InputItem]:
    """Return the conversation as a request's input.

    Args:
        sent: the displays whose pictures the model gets.
        endpoint: see `wire_messages`.
        custom: see `tools`.
    """
    items = _summary(messages, endpoint)
    messages = messages[1:] if items else messages
    if style == "markdown":
        spoken = wire_messages("", messages, style, sent)[1:]
        said = [_said(each["role"], each["content"], n) for n, each in enumerate(spoken)]
        return [*items, *said]
    if messages and not items and not isinstance(messages[0], UserMessage):
        items.append(_said("user", BEGINNING, 0))
    ids = CallIds()
    tells_phases = any(
        provider_data(each, endpoint).phase for each in messages if isinstance(each, CodeMessage)
    )
    for words, blocks in rounds(messages, endpoint):
        data = [provider_data(block, endpoint) for block in blocks]
        if words:
            items.append(_said(words.role, spoken_content(words, sent), len(items)))
        if isinstance(words, AssistantMessage) and tells_phases:
            items[-1]["phase"] = (data[0].phase or "commentary") if data else "final_answer"
        items += _called(blocks, data, sent, ids, custom=custom)
    return items


def _summary(messages: Sequence[Message], endpoint: Endpoint | None) -> list[InputItem]:
    """Return the server's own summary, if the messages begin with one."""
    first = messages[0] if messages else None
    if not isinstance(first, AssistantMessage):
        return []
    return [dict(item) for item in provider_data(first, endpoint).items]


def correction_items(
    malformed: Sequence[MalformedCall], style: ToolStyle, *, custom: bool
) -> list[InputItem]:
    """Return items that tell the model about its calls that could not be read."""
    items: list[InputItem] = []
    ids = CallIds("fail")
    for call in malformed:
        error = _custom_correction(call) if custom else correction(call)
        quoted = call.arguments[:QUOTED_ARGUMENTS]
        if style == "markdown":
            items.append(_said("user", error, 0))
            continue
        id = ids.id(ProviderData())
        name = tool_name(call)
        items.append(
            _custom_call(id, name, quoted)
            if custom
            else _function_call(id, name, json.dumps({"unreadable": quoted}, ensure_ascii=False))
        )
        items.append(_answer(id, error, custom=custom))
    return items


def _custom_correction(call: MalformedCall) -> str:
    """Return the answer to a call of a custom tool that could not be run."""
    words = NO_CUSTOM_TOOL if call.names_unknown_tool else NO_CODE
    return words.format(name=call.name)


def text_of(items: Sequence[InputItem]) -> str:
    """Return the text of a request's input, without pictures and encrypted reasoning."""
    return str([_without_data(item) for item in items])


def _called(
    blocks: Sequence[CodeMessage],
    data: Sequence[ProviderData],
    sent: Sequence[Bundle],
    ids: CallIds,
    *,
    custom: bool,
) -> list[InputItem]:
    """Return the calls of one reply, each after its reasoning, and then their outputs.

    Args:
        data: for each block, what goes back to the server with its call.
        sent: the displays whose pictures the model gets.
        custom: see `tools`.
    """
    calls: list[InputItem] = []
    answers: list[InputItem] = []
    for block, own in zip(blocks, data, strict=True):
        id = ids.id(own)
        calls += [dict(item) for item in own.items]
        if custom:
            calls.append(_custom_call(id, custom_tool_name(block.language), block.code))
        else:
            calls.append(_function_call(id, "execute", arguments(block)))
        text = outcome(block, sent)
        shown = [_picture(each) for each in block.displays if any(each is one for one in sent)]
        answers.append(_answer(id, [_input_text(text), *shown] if shown else text, custom=custom))
    return [*calls, *answers]


def _said(role: str, content: str | Sequence[Mapping[str, Any]], number: int) -> InputItem:
    """Return words of the person or the model as an item of a request's input.

    Args:
        content: text, or parts of a chat completion's message.
        number: number of the item, for the id that a message of the assistant must have.
    """
    if role == "assistant":
        text = {"type": "output_text", "text": str(content), "annotations": []}
        return {
            "type": "message",
            "id": f"msg_{number}",
            "role": role,
            "status": "completed",
            "content": [text],
        }
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {"type": "message", "role": role, "content": [_input_part(part) for part in parts]}


def _input_part(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a chat completion's message as a part of an input item."""
    if part["type"] == "image_url":
        return {"type": "input_image", "image_url": part["image_url"]["url"], "detail": "auto"}
    return _input_text(part["text"])


def _input_text(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


def _picture(display: Bundle) -> dict[str, Any]:
    return _input_part(pictures.part(display))


def _custom_call(id: str, name: str, code: str) -> InputItem:
    return {"type": "custom_tool_call", "call_id": id, "name": name, "input": code}


def _function_call(id: str, name: str, text: str) -> InputItem:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": text}


def _answer(id: str, output: str | list[dict[str, Any]], *, custom: bool) -> InputItem:
    kind = "custom_tool_call_output" if custom else "function_call_output"
    return {"type": kind, "call_id": id, "output": output}


def _without_data(item: InputItem) -> InputItem:
    """Return the item without its pictures and what is encrypted."""
    if item["type"] in ("reasoning", "compaction"):
        return {}
    field = "output" if "output" in item else "content"
    content = item.get(field)
    if not isinstance(content, list):
        return item
    return {**item, field: [part for part in content if part["type"] != "input_image"]}
