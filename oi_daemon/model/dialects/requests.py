"""A conversation as the messages of a chat completion.

In the styles `tools` and (legacy) `functions`, code is a call of `execute`. In `markdown` it is a
fence in the assistant's message, and its output is the user's next message.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.messages.written import Bundle
from oi_daemon.model import pictures
from oi_daemon.model.dialects.block_text import outcome
from oi_daemon.model.dialects.instructions import ToolStyle
from oi_daemon.model.dialects.parts import MalformedCall
from oi_daemon.model.dialects.rounds import rounds
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.provider import NOTHING, ProviderData, provider_data

ChatMessage = dict[str, Any]
"""One message of a request."""

PICTURES = "(What the code has shown.)"
"""The text of the user's message that holds a block's pictures."""
MALFORMED = (
    "Error: the arguments of this call could not be read: {reason}. Nothing was run. Call `execute`"
    ' again with a JSON object such as {{"language": "python", "code": "print(1)"}}.'
)
UNKNOWN_TOOL = (
    "Error: there is no such tool as {name}. Nothing was run. The only tool is `execute`: call it"
    ' with a JSON object such as {{"language": "python", "code": "print(1)"}}.'
)
"""The answer to a call of another tool."""
QUOTED_ARGUMENTS = 2_000
"""Most characters of an unreadable call that are quoted to the model."""
BEGINNING = "(Go on from here.)"
"""Sent as the user's first message where a conversation begins with code, because some servers
require one."""


def wire_messages(
    system: str,
    messages: Sequence[Message],
    style: ToolStyle,
    sent: Sequence[Bundle] = (),
    endpoint: Endpoint | None = None,
    *,
    unsigned: Mapping[str, Any] | None = None,
) -> list[ChatMessage]:
    """Return the request's messages, the system message first.

    Args:
        sent: the displays whose pictures the model gets.
        endpoint: what the server has asked to get back with its calls is sent to this endpoint
            alone; None to leave it out.
        unsigned: fields of the calls for which the server has not given any.
    """
    wire: list[ChatMessage] = [{"role": "system", "content": system}]
    if messages and not isinstance(messages[0], UserMessage):
        wire.append({"role": "user", "content": BEGINNING})
    ids = CallIds()
    for spoken, blocks in rounds(messages, endpoint):
        if style == "markdown":
            _add_markdown(wire, spoken, blocks, sent)
        elif not blocks:
            if spoken:
                wire.append({"role": spoken.role, "content": spoken_content(spoken, sent)})
        else:
            calls = [
                _AnsweredCall(
                    "execute",
                    arguments(code),
                    outcome(code, sent),
                    data if data.call else replace(data, call=unsigned or {}),
                )
                for code in blocks
                for data in [provider_data(code, endpoint)]
            ]
            wire += _calls(calls, style, ids, spoken.message if spoken else None)
            if parts := [part for code in blocks for part in _parts(code, sent)]:
                wire.append({"role": "user", "content": [_text(PICTURES), *parts]})
    return wire


def correction_messages(malformed: Sequence[MalformedCall], style: ToolStyle) -> list[ChatMessage]:
    """Return messages that tell the model about its calls that could not be read."""
    wire: list[ChatMessage] = []
    ids = CallIds("fail")
    for call in malformed:
        error = correction(call)
        quoted = {"unreadable": call.arguments[:QUOTED_ARGUMENTS]}
        if style == "markdown":
            wire.append({"role": "user", "content": error})
        else:
            text = json.dumps(quoted, ensure_ascii=False)
            wire += _calls([_AnsweredCall(tool_name(call), text, error)], style, ids, None)
    return wire


def correction(call: MalformedCall) -> str:
    """Return the answer to a call that could not be read."""
    words = UNKNOWN_TOOL if call.names_unknown_tool else MALFORMED
    return words.format(reason=call.reason, name=call.name)


def tool_name(call: MalformedCall) -> str:
    """Return the name under which a call that could not be read is quoted to the model."""
    return call.name if _TOOL_NAME.fullmatch(call.name) else "execute"


@dataclass(frozen=True, slots=True)
class _AnsweredCall:
    """A call with its result."""

    name: str
    arguments: str
    result: str
    data: ProviderData = NOTHING
    """What the server has asked to get back with the call."""


class CallIds:
    """Chooses the ids of a request's calls."""

    def __init__(self, prefix: str = "call") -> None:
        """
        Args:
            prefix: four letters with which the ids of our own begin.
        """
        self._prefix = prefix
        self._used: set[str] = set()

    def id(self, data: ProviderData) -> str:
        """Return the server's own id, or one of our own if it has given none, or gave it twice.

        Ours have nine letters and digits, because Mistral accepts no others.
        """
        id = data.call_id or ""
        if not id or id in self._used:
            id = f"{self._prefix}{len(self._used):05d}"
        self._used.add(id)
        return id


def _calls(
    calls: Sequence[_AnsweredCall], style: ToolStyle, ids: CallIds, text: str | None
) -> list[ChatMessage]:
    """Return the calls of one reply with their results, as messages.

    Args:
        text: what the assistant has said before the calls.
    """
    if style == "functions":
        return [
            message
            for number, call in enumerate(calls)
            for message in _function_call(call, None if number else text)
        ]
    tool_calls, results = [], []
    for call in calls:
        id = ids.id(call.data)
        function = {"name": call.name, "arguments": call.arguments}
        tool_calls.append({"id": id, "type": "function", "function": function, **call.data.call})
        results.append({"role": "tool", "tool_call_id": id, "content": call.result})
    further = calls[0].data.message
    return [
        {**further, "role": "assistant", "content": text, "tool_calls": tool_calls},
        *results,
    ]


def _function_call(call: _AnsweredCall, text: str | None) -> list[ChatMessage]:
    """Return a legacy function call and its result."""
    function = {"name": call.name, "arguments": call.arguments}
    return [
        {"role": "assistant", "content": text, "function_call": function},
        {"role": "function", "name": call.name, "content": call.result},
    ]


def arguments(code: CodeMessage) -> str:
    """Return the arguments of the call of `execute` that runs this code."""
    return json.dumps({"language": code.language, "code": code.code}, ensure_ascii=False)


def _add_markdown(
    wire: list[ChatMessage],
    spoken: UserMessage | AssistantMessage | None,
    blocks: Sequence[CodeMessage],
    sent: Sequence[Bundle],
) -> None:
    """Add what was said, and each block as a fence with its output in the user's message."""
    if spoken:
        match spoken_content(spoken, sent):
            case str(text):
                add_text(wire, spoken.role, text)
            case [words, *parts]:
                add_text(wire, spoken.role, words["text"])
                _add_parts(wire, parts)
    for code in blocks:
        add_text(wire, "assistant", _fenced(code))
        add_text(wire, "user", f"Output:\n{outcome(code, sent)}")
        _add_parts(wire, _parts(code, sent))


def _add_parts(wire: list[ChatMessage], parts: Sequence[Mapping[str, Any]]) -> None:
    """Add pictures to the last message."""
    content = wire[-1]["content"]
    if parts:
        texts = [_text(content)] if isinstance(content, str) else content
        wire[-1]["content"] = [*texts, *parts]


def spoken_content(
    spoken: UserMessage | AssistantMessage, sent: Sequence[Bundle]
) -> str | list[dict[str, Any]]:
    """Return a message's content: its words, and the pictures that the person shows with them."""
    if not isinstance(spoken, UserMessage) or not spoken.displays:
        return spoken.message
    lines = pictures.attached_words(spoken.displays, sent)
    text = "\n".join([spoken.message, *lines])
    parts = _parts(spoken, sent)
    return [_text(text), *parts] if parts else text


def add_text(wire: list[ChatMessage], role: str, content: str) -> None:
    """Add text of a role, joined to its previous message, because roles must alternate."""
    if wire[-1]["role"] != role:
        wire.append({"role": role, "content": content})
    elif isinstance(wire[-1]["content"], str):
        wire[-1]["content"] += "\n\n" + content
    else:
        wire[-1]["content"].append(_text(content))


def _text(text: str) -> dict[str, str]:
    """Return text as a part of a message's content."""
    return {"type": "text", "text": text}


def _parts(shows: CodeMessage | UserMessage, sent: Sequence[Bundle]) -> list[dict[str, Any]]:
    """Return the message's pictures that the model gets, as parts of a message's content."""
    return [
        pictures.part(display)
        for display in shows.displays
        if any(display is each for each in sent)
    ]


def _fenced(code: CodeMessage) -> str:
    """Return the code in a fence that is longer than any fence in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code.code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{code.language}\n{code.code}\n{fence}"


_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""A name of a tool as OpenAI takes it."""
