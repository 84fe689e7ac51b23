"""Functions of MCP servers: as code, in requests, and in the system message."""

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.model.functions import ToolFunction, definition, described, offered


def function(number: int = 0, description: str = "Does it.") -> ToolFunction:
    return ToolFunction(
        server="files",
        tool=f"do-{number}",
        python=f"do_{number}",
        description=description,
        parameters={"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]},
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "tools.files.do_0()"),
        ({"a": 1, "b": [None, True, "x"]}, "tools.files.do_0(a=1, b=[None, True, 'x'])"),
        ({"a-b": 1, "class": 2}, "tools.files.do_0(**{'a-b': 1, 'class': 2})"),
        ({"a": "1\n2"}, 'tools.files.do_0(a="""1\n2""")'),
        ({"a": "1\n\x1b[0m"}, "tools.files.do_0(a='1\\n\\x1b[0m')"),
        ({"a": "x" * 90}, f"tools.files.do_0(\n    a='{'x' * 90}',\n)"),
    ],
)
def test_a_call_is_python_code(arguments: dict[str, Any], code: str) -> None:
    assert function().code(arguments) == code


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(st.text(), values))
def test_the_code_has_the_arguments_exactly(arguments: dict[str, Any]) -> None:
    [statement] = ast.parse(function().code(arguments)).body
    assert isinstance(statement, ast.Expr)
    call = statement.value
    assert isinstance(call, ast.Call)
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        value = ast.literal_eval(keyword.value)
        found |= value if keyword.arg is None else {keyword.arg: value}
    assert found == arguments


def test_what_is_offered_and_told_is_bounded() -> None:
    many = [function(number, "x" * 3000) for number in range(300)]
    fitting = offered(many)

    assert 20 < len(fitting) < 100
    assert len(definition(many[0])["description"]) == 1000
    text = described(many, ["One is down."], are_tools=True)
    assert len(text) < 8000
    assert f"- tools.files.do_{len(fitting)}(a, b=...): xxx" in text
    assert "more: print tools.files to see all.\nOne is down." in text


def test_without_functions_nothing_is_told() -> None:
    assert described([], [], are_tools=True) == ""
