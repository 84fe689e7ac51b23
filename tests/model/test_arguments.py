"""The arguments of a call, as models really write them, decoded while they come."""

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk
from oi_daemon.model.dialects.arguments import ArgumentParser, MalformedCallError
from oi_daemon.model.dialects.function_arguments import FunctionArguments
from oi_daemon.model.functions import ToolFunction
from tests.growth import grows_linearly
from tests.model.example import BLOCK
from tests.model.splits import every_split, pieces

MALFORMED = "malformed"
"""Stands at the end of a call that cannot be read."""
Part = LanguageChunk | CodeChunk | Executing | str
ANY_TEXT = st.text(st.characters(codec="utf-8"))


def parse(deltas: Iterable[str], language: str | None = None) -> list[Part]:
    parser = ArgumentParser(language)
    parts: list[Part] = []
    for delta in deltas:
        parts += parser.feed(delta)
    try:
        return parts + parser.flush()
    except MalformedCallError:
        return [*parts, MALFORMED]


def code_of(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, CodeChunk))


def test_the_documented_example_gives_the_documented_chunks() -> None:
    assert parse(['{"language": "python", "code": "34', " /", " ", "24", '"}']) == BLOCK


def test_the_language_is_told_once_and_whole_however_it_is_split() -> None:
    deltas = ['{"', "language", '":"', "py", "thon", '","', "code", '":"', "1", '"}']
    assert parse(deltas) == [LanguageChunk("python"), CodeChunk("1"), Executing("1", "python")]


@pytest.mark.parametrize(
    "code",
    [
        "print('hi')\n",
        'a = "\\"quoted\\" \\\\n"\t',
        "snow \N{SNOWMAN} and \N{GRINNING FACE} \N{MUSICAL SYMBOL G CLEF}",
        "\x00\x1f\x7f",
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_right_at_every_split(code: str, *, ascii_only: bool) -> None:
    arguments = json.dumps({"language": "python", "code": code}, ensure_ascii=ascii_only)
    for deltas in every_split(arguments):
        parts = parse(deltas)
        assert code_of(parts) == code
        assert parts[0] == LanguageChunk("python")
        assert parts[-1] == Executing(code, "python")


@given(
    pieces(
        st.builds(
            lambda code, ascii_only: json.dumps(
                {"language": "r", "code": code}, ensure_ascii=ascii_only
            ),
            ANY_TEXT,
            st.booleans(),
        )
    )
)
def test_what_streams_is_what_json_says(deltas: list[str]) -> None:
    code = json.loads("".join(deltas))["code"]
    parts = parse(deltas)
    assert code_of(parts) == code
    assert parts[-1] == Executing(code, "r")


@given(pieces(ANY_TEXT))
def test_nothing_that_a_model_writes_is_an_error(deltas: list[str]) -> None:
    for language in (None, "python"):
        parts = parse(deltas, language)
        assert parts[-1] == MALFORMED or isinstance(parts[-1], Executing)
        if isinstance(parts[-1], Executing):
            assert isinstance(parts[0], LanguageChunk)


def test_code_before_its_language_waits_for_it() -> None:
    assert parse(['{"code": "ls', ' -l", "lang', 'uage": "shell"', "}"]) == [
        LanguageChunk("shell"),
        CodeChunk("ls -l"),
        Executing("ls -l", "shell"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"code": "1 + 1"}',
        '{"language": "", "code": "1 + 1"}',
        '{"language": null, "code": "1 + 1"}',
        '{"language": ["x"], "code": "1 + 1"}',
        '```json\n{"language": "python", "code": "1 + 1"}\n```',
        '{"timeout": 5, "code": "1 + 1", "language": "python"}',
        '{"language": "Python", "code": "1 + 1"}',
    ],
)
def test_other_shapes_that_models_write(arguments: str) -> None:
    for deltas in every_split(arguments):
        parts = parse(deltas)
        assert parts[0] == LanguageChunk("python"), deltas
        assert code_of(parts) == "1 + 1", deltas
        assert parts[-1] == Executing("1 + 1", "python"), deltas


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "  ",
        "1 + 1",
        '"1 + 1"',
        "rm -rf build",
        "```python\n1 + 1\n```",
        "```shell\nls\n```",
        "```\n1 + 1\n```",
        '{"language": "python", "code": "1 + 1"',
        '{"language": "python", "code": "1 + 1',
        '{"language": "python", "code": "1 + 1"}}',
        '{"language": "python", "code": "1 + 1",}',
        '{"language": "python", "code": 1}',
        '{"language": "python"}',
        '{"path": "/tmp"}',
        "{'code': '1 + 1'}",
        "[" * 100_000,
    ],
)
def test_what_cannot_be_read_never_runs(arguments: str) -> None:
    for deltas in [[arguments], list(arguments)]:
        parts = parse(deltas)
        assert parts[-1] == MALFORMED
        assert not any(isinstance(part, Executing) for part in parts)


def test_an_object_of_a_function_named_after_a_language_must_be_whole() -> None:
    assert parse(['{"code": "1 + 1'], "python")[-1] == MALFORMED


def test_a_language_of_control_characters_is_cleaned_and_short() -> None:
    name = json.dumps("py\x1b]52;c;AAAA\x07thon" + "x" * 1000)
    parts = parse([f'{{"language": {name}, "code": "1"}}'])
    assert parts[0] == LanguageChunk("py]52;c;aaaathon" + "x" * 24)


def test_raw_newlines_in_the_json_are_newlines_of_the_code() -> None:
    for deltas in every_split('{"language": "python", "code": "a = 1\nb = 2\n"}'):
        parts = parse(deltas)
        assert code_of(parts) == "a = 1\nb = 2\n"
        assert parts[-1] == Executing("a = 1\nb = 2\n", "python")


def test_an_escape_that_json_does_not_know_streams_and_does_not_run() -> None:
    for deltas in every_split(r'{"language": "python", "code": "re.match(\d+, \'1\', \uZZ)"}'):
        parts = parse(deltas)
        assert code_of(parts) == r"re.match(\d+, \'1\', \uZZ)"
        assert parts[-1] == MALFORMED


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    for deltas in every_split(r'{"language": "python", "code": "a\ud83d b\udE00"}'):
        parts = parse(deltas)
        assert code_of(parts) == "a\ufffd b\ufffd"
        assert parts[-1] == Executing("a\ufffd b\ufffd", "python")


def test_a_function_named_after_a_language_takes_plain_code() -> None:
    assert parse(["x = ", "{}"], "python") == [
        LanguageChunk("python"),
        CodeChunk("x = "),
        CodeChunk("{}"),
        Executing("x = {}", "python"),
    ]


@pytest.mark.parametrize("code", ['{"a": 1}', "{1, 2}", "{}", '"""Docstring."""', "`1`"])
def test_plain_code_that_looks_like_something_else_is_still_code(code: str) -> None:
    for deltas in every_split(code):
        assert parse(deltas, "python")[-1] == Executing(code, "python")


def test_a_function_named_after_a_language_takes_an_object_as_well() -> None:
    assert parse(['{"code": "1', ' + 1"}'], "python") == [
        LanguageChunk("python"),
        CodeChunk("1"),
        CodeChunk(" + 1"),
        Executing("1 + 1", "python"),
    ]


def test_white_space_before_plain_code_belongs_to_it() -> None:
    parts = parse(["\n", " ", "x"], "python")
    assert code_of(parts) == "\n x"
    assert parts[-1] == Executing("\n x", "python")


@pytest.mark.parametrize(
    ("start", "delta"),
    [
        ('{"language": "python", "code": "', "x = 1\\n"),
        ('{"language": "python", "code": "', "\\"),
        ('{"language": "python", ', "\n"),
        ('{"language"', " "),
        ("x", "\n"),
        ("```", "`"),
    ],
)
def test_time_grows_linearly(start: str, delta: str) -> None:
    assert grows_linearly(lambda count: parse([start, *[delta] * count, '"}']))


@pytest.mark.parametrize("arguments", ["[1]", "3", '"x"', "null"])
def test_arguments_of_a_function_that_are_no_object_are_malformed(arguments: str) -> None:
    function = ToolFunction(server="s", tool="t", python="t", description="", parameters={})
    parser = FunctionArguments(function)
    parser.feed(arguments)
    with pytest.raises(MalformedCallError, match="not a JSON object"):
        parser.flush()
