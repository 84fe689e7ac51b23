"""A conversation as the messages of a chat completion, and the instructions for running code.

In the styles `tools` and (legacy) `functions`, code is a call of `execute`. In `markdown` it is a
fence in the assistant's message, and its output is the user's next message.
"""

import json
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.messages.written import Bundle
from oi_daemon.model import pictures
from oi_daemon.model.dialects.parts import MalformedCall

ToolStyle = Literal["tools", "functions", "markdown"]
"""How a model is asked to write code."""
ChatMessage = dict[str, Any]
"""One message of a request."""

NOT_RUN = "This code was not run: the user declined it, or interrupted before it ran."
NO_OUTPUT = "(no output)"
PICTURES = "(What the code has shown.)"
"""The text of the user's message that holds a block's pictures."""
MALFORMED = (
    "Error: the arguments of this call could not be read: {reason}. Nothing was run. Call `execute`"
    ' again with a JSON object such as {{"language": "python", "code": "print(1)"}}.'
)
QUOTED_ARGUMENTS = 2_000
"""Most characters of an unreadable call that are quoted to the model."""
BEGINNING = "(Go on from here.)"
"""Sent as the user's first message where a conversation begins with code, because some servers
require one."""


def system_message(text: str, style: ToolStyle, languages: Sequence[str], cwd: str) -> str:
    """Return the system message: the user's, then how to run code and where it runs."""
    how = _HOW[style].format(languages=", ".join(languages))
    where = f"The system is {platform.system()}, the current folder {cwd}."
    return "\n\n".join(part for part in (text.strip(), f"{how} {where}") if part)


def tool_parameters(style: ToolStyle, languages: Sequence[str]) -> dict[str, Any]:
    """Return the parameters of a request that let the model call `execute`."""
    function = {
        "name": "execute",
        "description": "Run code on the user's machine and get its output.",
        "parameters": {
            "type": "object",
            "properties": {
                "language": {"type": "string", "enum": list(languages)},
                "code": {"type": "string", "description": "The code to run."},
            },
            "required": ["language", "code"],
        },
    }
    match style:
        case "tools":
            return {"tools": [{"type": "function", "function": function}]}
        case "functions":
            return {"functions": [function]}
        case "markdown":
            return {}


def wire_messages(
    system: str, messages: Sequence[Message], style: ToolStyle, sent: Sequence[Bundle] = ()
) -> list[ChatMessage]:
    """Return the request's messages, the system message first.

    Args:
        sent: the displays whose pictures the model gets.
    """
    wire: list[ChatMessage] = [{"role": "system", "content": system}]
    if messages and not isinstance(messages[0], UserMessage):
        wire.append({"role": "user", "content": BEGINNING})
    for spoken, code in _rounds(messages):
        if style == "markdown":
            _add_markdown(wire, spoken, code, sent)
        else:
            wire += _with_call(spoken, code, style, sent, len(wire))
    return wire


def correction_messages(malformed: Sequence[MalformedCall], style: ToolStyle) -> list[ChatMessage]:
    """Return messages that tell the model about its calls that could not be read."""
    wire: list[ChatMessage] = []
    for number, call in enumerate(malformed):
        error = MALFORMED.format(reason=call.reason)
        quoted = {"unreadable": call.arguments[:QUOTED_ARGUMENTS]}
        if style == "markdown":
            wire.append({"role": "user", "content": error})
        else:
            wire += _call("execute", quoted, error, style, f"call_malformed_{number}", None)
    return wire


def _call(
    name: str,
    arguments: Mapping[str, Any],
    result: str,
    style: ToolStyle,
    number: str,
    text: str | None,
) -> list[ChatMessage]:
    """Return a call with its result, as the assistant's message and the answer to it.

    Args:
        number: the call's id in the request.
        text: what the assistant has said before the call.
    """
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    if style == "functions":
        call: ChatMessage = {"function_call": function}
        answer = {"role": "function", "name": name}
    else:
        call = {"tool_calls": [{"id": number, "type": "function", "function": function}]}
        answer = {"role": "tool", "tool_call_id": number}
    return [
        {"role": "assistant", "content": text, **call},
        {**answer, "content": result},
    ]


def readable(output: str | None) -> str:
    """Return a block's output as the model reads it: as text, without escape codes."""
    if output is None:
        return NOT_RUN
    return ANSI.sub("", output) or NO_OUTPUT


def outcome(code: CodeMessage, sent: Sequence[Bundle] = ()) -> str:
    """Return a block's output for the model, with a line for each display."""
    lines = pictures.words(code.displays, sent)
    if not lines:
        return readable(code.output)
    return "\n".join([*([readable(code.output)] if code.output else []), *lines])


def _rounds(
    messages: Sequence[Message],
) -> Iterator[tuple[UserMessage | AssistantMessage | None, CodeMessage | None]]:
    """Yield each message, and a message of the assistant together with the code after it."""
    spoken: AssistantMessage | None = None
    for message in messages:
        if spoken and isinstance(message, CodeMessage):
            yield spoken, message
            spoken = None
            continue
        if spoken:
            yield spoken, None
        spoken = message if isinstance(message, AssistantMessage) else None
        if isinstance(message, CodeMessage):
            yield None, message
        elif isinstance(message, UserMessage):
            yield message, None
    if spoken:
        yield spoken, None


def _with_call(
    spoken: UserMessage | AssistantMessage | None,
    code: CodeMessage | None,
    style: ToolStyle,
    sent: Sequence[Bundle],
    number: int,
) -> list[ChatMessage]:
    """Return what was said, and the code as a call of `execute` with its result.

    Args:
        number: makes the call's id unique in the request.
    """
    text = spoken.message if spoken else None
    if code is None:
        return [{"role": spoken.role if spoken else "user", "content": text}]
    arguments = {"language": code.language, "code": code.code}
    parts = _parts(code, sent)
    return [
        *_call("execute", arguments, outcome(code, sent), style, f"call_{number}", text),
        *([{"role": "user", "content": [_text(PICTURES), *parts]}] if parts else []),
    ]


def _add_markdown(
    wire: list[ChatMessage],
    spoken: UserMessage | AssistantMessage | None,
    code: CodeMessage | None,
    sent: Sequence[Bundle],
) -> None:
    """Add what was said, and the code as a fence with its output in the user's message."""
    if spoken:
        _add(wire, spoken.role, spoken.message)
    if code:
        _add(wire, "assistant", _fenced(code))
        _add(wire, "user", f"Output:\n{outcome(code, sent)}")
        if parts := _parts(code, sent):
            wire[-1]["content"] = [_text(wire[-1]["content"]), *parts]


def _add(wire: list[ChatMessage], role: str, content: str) -> None:
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


def _parts(code: CodeMessage, sent: Sequence[Bundle]) -> list[dict[str, Any]]:
    """Return the block's pictures that the model gets, as parts of a message's content."""
    return [
        pictures.part(display) for display in code.displays if any(display is each for each in sent)
    ]


def _fenced(code: CodeMessage) -> str:
    """Return the code in a fence that is longer than any fence in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code.code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{code.language}\n{code.code}\n{fence}"


ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][0-9A-Z]|[@-Z\\-_])"
)

_RUNS_TOO = (
    "A fenced block in one of these languages is run as well;"
    " mark code that is only meant to be read as ```text."
)
_HOW: dict[ToolStyle, str] = {
    "tools": "Run code by calling `execute`. Languages: {languages}. " + _RUNS_TOO,
    "functions": "Run code by calling `execute`. Languages: {languages}. " + _RUNS_TOO,
    "markdown": (
        "Run code by writing it in a fenced block that names its language, such as ```python;"
        " then stop, and you will get its output. Languages: {languages}."
        " Mark code that is only meant to be read as ```text."
    ),
}
