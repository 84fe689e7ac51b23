"""A conversation as a request: the messages, and how the model is told to run code.

`tools` and legacy `functions` are calls of `execute`; in `markdown`, code is a fence in the
assistant's message and its output the user's next one.
"""

import json
import platform
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.messages.written import Bundle
from oi_daemon.model import pictures

ToolStyle = Literal["tools", "functions", "markdown"]
Wire = dict[str, Any]

NOT_RUN = "This code was not run: the user declined it, or interrupted before it ran."
NO_OUTPUT = "(no output)"
PICTURES = "(What the code has shown.)"
BEGINNING = "(Go on from here.)"
"""Some servers want a user's message first, where the conversation begins with code."""


def system_message(text: str, style: ToolStyle, languages: Sequence[str], cwd: str) -> str:
    """The user's system message and what every model must know besides."""
    how = _HOW[style].format(languages=", ".join(languages))
    where = f"The system is {platform.system()}, the current folder {cwd}."
    return "\n\n".join(part for part in (text.strip(), f"{how} {where}") if part)


def tool_parameters(style: ToolStyle, languages: Sequence[str]) -> Wire:
    """What a request holds besides the messages, so that the model can call `execute`."""
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
) -> list[Wire]:
    """The request's messages, beginning with the system's.

    Args:
        sent: displays of the messages whose pictures the model gets.
    """
    wire: list[Wire] = [{"role": "system", "content": system}]
    if messages and not isinstance(messages[0], UserMessage):
        wire.append({"role": "user", "content": BEGINNING})
    for said, code in _rounds(messages):
        if style == "markdown":
            _add_markdown(wire, said, code, sent)
        else:
            wire += _with_call(said, code, style, sent, len(wire))
    return wire


def readable(output: str | None) -> str:
    """A block's output as the model reads it."""
    if output is None:
        return NOT_RUN
    return ANSI.sub("", output) or NO_OUTPUT


def outcome(code: CodeMessage, sent: Sequence[Bundle] = ()) -> str:
    """What became of a block: its output, and its displays in words."""
    told = pictures.words(code.displays, sent)
    if not told:
        return readable(code.output)
    return "\n".join([*([readable(code.output)] if code.output else []), *told])


def _rounds(
    messages: Sequence[Message],
) -> Iterator[tuple[UserMessage | AssistantMessage | None, CodeMessage | None]]:
    """Each message, or what the assistant said together with the code that it then wrote."""
    said: AssistantMessage | None = None
    for message in messages:
        if said and isinstance(message, CodeMessage):
            yield said, message
            said = None
            continue
        if said:
            yield said, None
        said = message if isinstance(message, AssistantMessage) else None
        if isinstance(message, CodeMessage):
            yield None, message
        elif isinstance(message, UserMessage):
            yield message, None
    if said:
        yield said, None


def _with_call(
    said: UserMessage | AssistantMessage | None,
    code: CodeMessage | None,
    style: ToolStyle,
    sent: Sequence[Bundle],
    number: int,
) -> list[Wire]:
    text = said.message if said else None
    if code is None:
        return [{"role": said.role if said else "user", "content": text}]
    arguments = json.dumps({"language": code.language, "code": code.code}, ensure_ascii=False)
    function = {"name": "execute", "arguments": arguments}
    if style == "functions":
        call: Wire = {"function_call": function}
        answer = {"role": "function", "name": "execute"}
    else:
        name = f"call_{number}"
        call = {"tool_calls": [{"id": name, "type": "function", "function": function}]}
        answer = {"role": "tool", "tool_call_id": name}
    parts = _parts(code, sent)
    return [
        {"role": "assistant", "content": text, **call},
        {**answer, "content": outcome(code, sent)},
        *([{"role": "user", "content": [_text(PICTURES), *parts]}] if parts else []),
    ]


def _add_markdown(
    wire: list[Wire],
    said: UserMessage | AssistantMessage | None,
    code: CodeMessage | None,
    sent: Sequence[Bundle],
) -> None:
    if said:
        _add(wire, said.role, said.message)
    if code:
        _add(wire, "assistant", _fenced(code))
        _add(wire, "user", f"Output:\n{outcome(code, sent)}")
        if parts := _parts(code, sent):
            wire[-1]["content"] = [_text(wire[-1]["content"]), *parts]


def _add(wire: list[Wire], role: str, content: str) -> None:
    """Chat templates want the roles to take turns: what one role says in a row is joined."""
    if wire[-1]["role"] != role:
        wire.append({"role": role, "content": content})
    elif isinstance(wire[-1]["content"], str):
        wire[-1]["content"] += "\n\n" + content
    else:
        wire[-1]["content"].append(_text(content))


def _text(text: str) -> Wire:
    return {"type": "text", "text": text}


def _parts(code: CodeMessage, sent: Sequence[Bundle]) -> list[Wire]:
    """The pictures of a block that the model gets."""
    return [
        pictures.part(display) for display in code.displays if any(display is each for each in sent)
    ]


def _fenced(code: CodeMessage) -> str:
    """The code in a fence that is longer than any in it."""
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
