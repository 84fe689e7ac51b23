"""A known key in what code writes is replaced, however it is split."""

import pytest

from oi_daemon.execution.redaction import Redactor
from oi_daemon.messages import (
    ActiveLine,
    BlockError,
    BlockResult,
    Chunk,
    Display,
    EndOfExecution,
    InputRequest,
    Output,
)

KEY = "sk-abcdefsk-ghij"


def fed(*chunks: Chunk) -> list[Chunk]:
    redactor = Redactor([KEY])
    return [c for chunk in chunks for c in redactor.feed(chunk)] + list(redactor.release())


def written(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Output))


@pytest.mark.parametrize("at", range(len(KEY) + 1))
def test_split_anywhere(at: int) -> None:
    assert written(fed(Output(f"a {KEY[:at]}"), Output(f"{KEY[at:]} b"))) == "a [key] b"


def test_a_character_at_a_time_with_lines_between() -> None:
    chunks: list[Chunk] = []
    for i, letter in enumerate(f"x{KEY}y"):
        chunks += [ActiveLine(i + 1), Output(letter)]
    result = fed(*chunks)
    assert written(result) == "x[key]y"
    assert [c for c in result if isinstance(c, ActiveLine)] == [
        ActiveLine(i + 1) for i in range(len(KEY) + 2)
    ]


def test_what_only_begins_like_one_stays_in_its_place() -> None:
    chunks: list[Chunk] = [Output("sk-abc"), ActiveLine(2), Output("sk-abc"), ActiveLine(None)]
    assert fed(*chunks) == chunks


def test_the_beginning_of_one_does_not_wait_behind_a_question() -> None:
    request = InputRequest("?", False, "1")
    assert fed(Output("sk"), request) == [Output("sk"), request]


def test_displays_and_prompts() -> None:
    data: dict[str, object] = {"text/plain": f"a{KEY}", "application/json": {"k": [KEY, 1]}}
    clean = {"text/plain": "a[key]", "application/json": {"k": ["[key]", 1]}}
    request = InputRequest(f"{KEY}?", False, "1")
    assert fed(Display(data), request) == [Display(clean), InputRequest("[key]?", False, "1")]


def test_the_error_of_a_block() -> None:
    error = BlockError("KeyError", f"no {KEY}", ("Traceback", f"KeyError: no {KEY}"))
    [end] = fed(EndOfExecution(BlockResult("error", 1.0, error=error)))
    clean = BlockError("KeyError", "no [key]", ("Traceback", "KeyError: no [key]"))
    assert isinstance(end, EndOfExecution)
    assert end.result == BlockResult("error", 1.0, error=clean)
