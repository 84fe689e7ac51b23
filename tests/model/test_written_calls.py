"""Calls that stand in the text of a message, wherever it is split."""

import json

import pytest

from oi_daemon.model.dialects.written_calls import WrittenCall, WrittenCallParser
from tests.growth import grows_linearly

ARGUMENTS = {"language": "python", "code": "print(1)\n"}
CALL = json.dumps({"name": "execute", "arguments": ARGUMENTS})
RUN = WrittenCall("execute", json.dumps(ARGUMENTS))
XML = (
    "<function=execute>\n<parameter=language>\npython\n</parameter>\n"
    "<parameter=code>\nprint(1)\n</parameter>\n</function>"
)


def parse(*pieces: str, complete: bool = True) -> list[WrittenCall | str]:
    """The calls and the texts between them."""
    parser = WrittenCallParser({"execute", "python"}.__contains__)
    parts = [part for piece in pieces for part in parser.feed(piece)]
    joined: list[WrittenCall | str] = []
    for part in [*parts, *parser.flush(complete=complete)]:
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"<tool_call>{CALL}</tool_call>", [RUN]),
        (f"<tool_call>\n{CALL}\n</tool_call>\n<tool_call>{CALL}</tool_call>", [RUN, RUN]),
        (f"<tool_call>{CALL}</tool_call><tool_call>{CALL}</tool_call>", [RUN, RUN]),
        (f"I run it. <tool_call>{CALL}</tool_call> So.", ["I run it. ", RUN, " So."]),
        (f"I run it:\n\n```json\n{CALL}\n```\nSo.", ["I run it:\n", RUN, "\nSo."]),
        (f"```\n{CALL}\n```", [RUN]),
        (CALL, [RUN]),
        (CALL.replace('"arguments"', '"parameters"'), [RUN]),
        (
            '{"name": "python", "arguments": "print(1)"}',
            [WrittenCall("python", "print(1)")],
        ),
        (
            f"<tool_call>{XML}</tool_call>",
            [WrittenCall("execute", json.dumps(ARGUMENTS | {"code": "print(1)"}))],
        ),
        ("<tool_call>oops</tool_call>", [WrittenCall("execute", "oops")]),
        (
            '<tool_call>{"name": "browse", "arguments": {}}</tool_call>',
            [WrittenCall("browse", "{}")],
        ),
    ],
)
def test_calls(text: str, expected: list[WrittenCall | str]) -> None:
    for size in (1, 2, 5, 13, len(text)):
        assert parse(*(text[at : at + size] for at in range(0, len(text), size))) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Hi.\n\n",
        f"```python\n{CALL}\n<tool_call>\n``\n```\nSo.",
        f"~~~\n<tool_call>{CALL}</tool_call>\n",
        '```json\n{"name": "Bob", "age": 3}\n```\nSo.',
        '```json\n{"name": oops}\n```\nSo.',
        '```json\n["name"]\n```',
        '{"name": "Bob", "arguments": [1]}',
        '{"name": ["Bob"]}',
        f"Here: {CALL}",
        "The tag `<tool_call>` and ``` are <tools>, <tool_ca\nll> and <tool",
        "```" + "x" * 400 + "\nSo.",
        "   \n  ```js",
    ],
)
def test_what_is_no_call(text: str) -> None:
    for size in (1, 2, 5, 13, len(text)):
        assert parse(*(text[at : at + size] for at in range(0, len(text), size))) == [text]


def test_a_call_that_was_cut_off_is_text() -> None:
    for text in (f"<tool_call>{CALL}", f"```json\n{CALL}", CALL, "<tool_call>oops"):
        assert parse(text, complete=False) == [text]


def test_plain_text_is_not_held_back() -> None:
    parser = WrittenCallParser({"execute"}.__contains__)
    assert parser.feed("It is ") == ["It is "]
    assert parser.feed("1.41") == ["1.41"]


def test_a_call_in_many_pieces_takes_linear_time() -> None:
    def read(count: int) -> None:
        parser = WrittenCallParser({"execute"}.__contains__)
        parser.feed('<tool_call>{"name": "execute", "arguments": {"code": "')
        for _ in range(count):
            parser.feed("x = 1\\n" * 3)

    assert grows_linearly(read)
