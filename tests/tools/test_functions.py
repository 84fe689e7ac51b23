"""Tools of a server as functions: their names and schemas."""

from oi_daemon.model.functions import ToolFunction
from oi_daemon.tools.functions import functions_of
from oi_daemon.tools.shapes import ListedTool


def names(*tools: str) -> list[str]:
    return [each.python for each in functions_of("s", [ListedTool(name=name) for name in tools])]


def test_every_name_is_an_identifier_and_used_once() -> None:
    assert names("read-file", "read_file", "read.file") == [
        "read_file",
        "read_file_2",
        "read_file_3",
    ]
    assert names("2nd", "class", "__x__", "\x1b", "ü") == [
        "tool_2nd",
        "class_",
        "x",
        "tool",
        "tool_2",
    ]
    long = names(*["n" * 100] * 2)
    assert [len(name) for name in long] == [30, 28]
    for python in long:
        whole = ToolFunction(
            server="s" * 32, tool="t", python=python, description="", parameters={}
        )
        assert len(whole.name) <= 64


def test_any_schema_becomes_one_of_an_object() -> None:
    for schema in ({}, {"type": "string", "properties": 7, "required": "a"}, {"required": [1]}):
        [function] = functions_of("s", [ListedTool(name="a", input_schema=schema)])
        assert function.parameters == {"type": "object", "properties": {}, "required": []}
