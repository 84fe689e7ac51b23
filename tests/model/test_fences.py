"""Code blocks in a message, however their fences are split."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk
from oi_daemon.model.dialects.fences import FenceParser
from oi_daemon.model.dialects.parts import ReplyPart
from tests.growth import grows_linearly
from tests.model.example import BLOCK
from tests.model.splits import every_split, pieces

LANGUAGES = {"python", "shell", "bash"}
Joined = tuple[str, str]


def parse(deltas: Iterable[str], *, complete: bool = True) -> list[ReplyPart]:
    parser = FenceParser(LANGUAGES.__contains__)
    chunks: list[ReplyPart] = []
    for delta in deltas:
        chunks += parser.feed(delta)
    return chunks + parser.flush(complete=complete)


def joined(chunks: Iterable[ReplyPart]) -> list[Joined]:
    """Neighbouring text joined, so that only what is said counts."""
    result: list[Joined] = []
    for chunk in chunks:
        match chunk:
            case MessageChunk(text):
                kind = "message"
            case CodeChunk(text):
                kind = "code"
            case LanguageChunk(text):
                kind = "language"
            case Executing(text, language):
                kind = f"run {language}"
        if result and result[-1][0] == kind and kind in ("message", "code"):
            result[-1] = (kind, result[-1][1] + text)
        else:
            result.append((kind, text))
    return result


def block(code: str, language: str = "python") -> list[Joined]:
    written = [("code", code)] if code else []
    return [("language", language), *written, (f"run {language}", code)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```python\nprint(1)\n```", block("print(1)")),
        ("```python\nprint(1)\n```\n", block("print(1)")),
        ("```python\nprint(1)", block("print(1)")),
        ("```Python title=x\nprint(1)\n```", block("print(1)")),
        ("``` python\nprint(1)\n```", block("print(1)")),
        ("```python\n```", block("")),
        ("````python\nx = '''\n```\n'''\n````", block("x = '''\n```\n'''")),
        ("~~~python\nx = '```'\n```\n~~~", block("x = '```'\n```")),
        ("```python\nx = '```'\ny = `1`\n  ```", block("x = '```'\ny = `1`")),
        ("```python\n\nx = 1\n\n\ny = 2\n\n```", block("\nx = 1\n\n\ny = 2")),
        ("```python\nif x:\n    y\n        z\n```", block("if x:\n    y\n        z")),
        ("   ```python\n   if x:\n     y\n  z\n   ```", block("if x:\n  y\nz")),
        ("```python\n1\n````", block("1")),
        ("```python\n1\n```  \nEnd", [*block("1"), ("message", "End")]),
        ("```python\n1\n```py\n2\n```", block("1\n```py\n2")),
        (
            "First:\n\n```python\n1\n```\n\nThen:\n```bash\nls\n```\n\nDone.",
            [
                ("message", "First:"),
                *block("1"),
                ("message", "Then:"),
                *block("ls", "bash"),
                ("message", "Done."),
            ],
        ),
        ("```python\n1\n```\n```python\n2\n```", [*block("1"), *block("2")]),
    ],
)
def test_blocks_are_found_at_every_split(text: str, expected: list[Joined]) -> None:
    for deltas in every_split(text):
        assert joined(parse(deltas)) == expected, deltas


@pytest.mark.parametrize(
    "text",
    [
        "```text\nls\n```",
        "```\nls\n```\n",
        "```json\n{}\n```\nafter",
        "```rust\nfn main() {}\n",
        "Use `x` or ``y`` or ```python z``` inline",
        "a ```python\nnot at the start of a line\n```",
        "````markdown\n```python\n1\n```\n````\nend",
        "```markdown\n```python\n1\n```\n",
        "```\n```python\n1\n```",
        "~~~\n```python\n1\n```\n~~~",
        "```py`thon\n1\n",
        "```python",
        "\n\nHello\n\n  \n",
        "1. one\n2. two\n\n- a\n  - b\n",
        "`",
        "``",
        "         ```python\nfar to the right\n",
        "```" + "x" * 200 + "\n",
    ],
)
def test_everything_else_is_the_message_unchanged(text: str) -> None:
    for deltas in every_split(text):
        assert joined(parse(deltas)) == [("message", text)], deltas


def test_each_delta_of_text_is_one_chunk() -> None:
    deltas = ["The", " result", " is", " ", "1", ".", " `x`", "\nNext", " line"]
    assert parse(deltas) == [MessageChunk(delta) for delta in deltas]


def test_each_delta_of_code_is_one_chunk() -> None:
    assert parse(["```python\n", "34", " /", " ", "24", "\n", "```"]) == BLOCK


def test_text_that_can_be_no_fence_is_not_held_back() -> None:
    parser = FenceParser(LANGUAGES.__contains__)
    for delta in ("Hello", " `", "\nx", "\n    y"):
        assert parser.feed(delta) == [MessageChunk(delta)]


def test_a_block_runs_as_soon_as_its_fence_is_closed() -> None:
    parser = FenceParser(LANGUAGES.__contains__)
    parser.feed("```python\n1\n``")
    assert parser.feed("`\n") == [Executing("1", "python")]


def test_a_block_that_was_cut_off_is_shown_and_not_run() -> None:
    assert parse(["```python\n1 +"], complete=False) == [LanguageChunk("python"), CodeChunk("1 +")]


FENCES = st.lists(
    st.sampled_from(
        [
            "```",
            "```python\n",
            "~~~",
            "~~~bash\n",
            "````",
            "\n",
            "\n\n",
            " ",
            "   ",
            "`",
            "x",
            "y z",
        ]
    ),
    max_size=14,
).map("".join)


@given(pieces(FENCES))
def test_where_a_message_is_split_does_not_matter(deltas: list[str]) -> None:
    assert joined(parse(deltas)) == joined(parse(["".join(deltas)]))


@given(pieces(st.text(st.sampled_from("ab `~\n"), max_size=40)))
def test_text_without_a_runnable_fence_comes_out_unchanged(deltas: list[str]) -> None:
    text = "".join(deltas)
    assert "".join(said for _, said in joined(parse(deltas))) == text


@given(pieces(FENCES))
def test_what_runs_is_what_was_shown(deltas: list[str]) -> None:
    shown = ""
    for kind, text in joined(parse(deltas)):
        if kind == "code":
            shown = text
        elif re.match("run", kind):
            assert shown == text
        if kind != "code":
            shown = ""


@pytest.mark.parametrize("delta", ["x = 1\n", "\n", "`", " ", "```\n", "`a"])
def test_time_grows_linearly(delta: str) -> None:
    assert grows_linearly(lambda count: parse(["```python\n", *[delta] * count]))
