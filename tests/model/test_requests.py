"""Stored messages as the messages of a request, in each style."""

import json
from typing import Any

import pytest

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.dialects.block_text import NOT_RUN, readable
from oi_daemon.model.dialects.instructions import ToolStyle, system_message, tool_parameters
from oi_daemon.model.dialects.requests import wire_messages

CONVERSATION: list[Message] = [
    UserMessage("What's 34/24?"),
    AssistantMessage("I divide."),
    CodeMessage("python", "34 / 24", "1.4166666666666667"),
    CodeMessage("python", "round(_, 2)", None),
    AssistantMessage("It is 1.42."),
    UserMessage("Thanks"),
]


def wire(messages: list[Message], style: ToolStyle) -> list[dict[str, Any]]:
    return wire_messages("Sys.", messages, style)


def test_tools() -> None:
    first, second = (
        json.dumps({"language": "python", "code": code}) for code in ("34 / 24", "round(_, 2)")
    )
    assert wire(CONVERSATION, "tools") == [
        {"role": "system", "content": "Sys."},
        {"role": "user", "content": "What's 34/24?"},
        {
            "role": "assistant",
            "content": "I divide.",
            "tool_calls": [
                {
                    "id": "call00000",
                    "type": "function",
                    "function": {"name": "execute", "arguments": first},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call00000", "content": "1.4166666666666667"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call00001",
                    "type": "function",
                    "function": {"name": "execute", "arguments": second},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call00001", "content": NOT_RUN},
        {"role": "assistant", "content": "It is 1.42."},
        {"role": "user", "content": "Thanks"},
    ]


def test_legacy_functions() -> None:
    messages = wire(CONVERSATION, "functions")
    assert messages[2]["function_call"]["name"] == "execute"
    assert messages[3] == {
        "role": "function",
        "name": "execute",
        "content": "1.4166666666666667",
    }


def test_markdown_takes_turns() -> None:
    assert wire(CONVERSATION, "markdown") == [
        {"role": "system", "content": "Sys."},
        {"role": "user", "content": "What's 34/24?"},
        {"role": "assistant", "content": "I divide.\n\n```python\n34 / 24\n```"},
        {"role": "user", "content": "Output:\n1.4166666666666667"},
        {"role": "assistant", "content": "```python\nround(_, 2)\n```"},
        {"role": "user", "content": f"Output:\n{NOT_RUN}"},
        {"role": "assistant", "content": "It is 1.42."},
        {"role": "user", "content": "Thanks"},
    ]


@pytest.mark.parametrize("style", ["tools", "functions", "markdown"])
def test_a_conversation_may_begin_with_code_of_the_user(style: ToolStyle) -> None:
    messages = wire([CodeMessage("python", "1", "1"), UserMessage("What's that?")], style)
    assert [message["role"] for message in messages[:3]] == ["system", "user", "assistant"]


@pytest.mark.parametrize("style", ["tools", "functions", "markdown"])
def test_every_call_has_its_answer_and_no_content_is_empty(style: ToolStyle) -> None:
    messages = wire([UserMessage("Go"), CodeMessage("python", "pass", "")], style)
    called, answer = messages[2:]
    assert "(no output)" in answer["content"]
    if style == "tools":
        assert answer["tool_call_id"] == called["tool_calls"][0]["id"]


def test_code_that_holds_fences_is_in_a_longer_one() -> None:
    message = wire([UserMessage("Go"), CodeMessage("python", "x = '''\n```\n'''", "")], "markdown")
    assert message[2]["content"] == "````python\nx = '''\n```\n'''\n````"


def test_escape_sequences_of_terminals_are_not_for_models() -> None:
    output = "\x1b[1;31mred\x1b[0m \x1b]0;title\x07plain\x1b[2K\x1b(B \x1bMend"
    assert readable(output) == "red plain end"


@pytest.mark.parametrize(
    ("style", "way"),
    [("tools", "only shown"), ("functions", "only shown"), ("markdown", "```text")],
)
def test_the_system_message_says_how_to_run_code(style: ToolStyle, way: str) -> None:
    text = system_message("Mine.", style, ["python", "r"], "It is in /home/x.")
    assert text.startswith("Mine.\n\n")
    for word in (way, "python, r", "/home/x"):
        assert word in text


def test_the_user_may_leave_the_system_message_empty() -> None:
    assert system_message("", "tools", ["python"], "").startswith("Run code")


def test_the_tool_names_the_languages() -> None:
    tool = tool_parameters("tools", ["python", "r"])["tools"][0]["function"]
    assert tool["name"] == "execute"
    assert tool["parameters"]["properties"]["language"]["enum"] == ["python", "r"]
    assert tool_parameters("functions", ["python"])["functions"][0]["name"] == "execute"
    assert tool_parameters("markdown", ["python"]) == {}


@pytest.mark.parametrize("style", ["tools", "functions", "markdown"])
@pytest.mark.parametrize(
    ("block", "told"),
    [
        (CodeMessage("shell", "grep x y", "", exit=1, seconds=0.25), "[exit status 1, 0.2 s]"),
        (CodeMessage("python", "f()", "", seconds=12.5), "[12.5 s]"),
    ],
)
def test_a_blocks_exit_status_and_time_are_told(
    style: ToolStyle, block: CodeMessage, told: str
) -> None:
    assert told in wire([UserMessage("Go"), block], style)[-1]["content"]


def test_the_time_of_a_short_block_without_an_exit_status_is_not_told() -> None:
    block = CodeMessage("python", "f()", "4", seconds=0.9)
    assert wire([UserMessage("Go"), block], "tools")[-1]["content"] == "4"
