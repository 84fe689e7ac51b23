"""The dictionaries that type checkers see have exactly the keys of the wire's schema."""

from typing import Any

import pytest

from oi_daemon.messages import shapes
from oi_daemon.protocol.schema import schema

DEFINITIONS = schema()["$defs"]
CHUNKS = {
    kind: value
    for choice in DEFINITIONS["Chunk"]["oneOf"]
    for kind, value in choice["properties"].items()
}
"""The schema of each kind of chunk's value."""
MESSAGES = DEFINITIONS["StoredMessage"]["anyOf"]


def keys(shape: Any) -> tuple[set[str], set[str]]:
    """All keys of a `TypedDict`, and those that are required."""
    return set(shape.__annotations__), set(shape.__required_keys__)


def test_a_chunk_has_one_of_the_kinds() -> None:
    assert keys(shapes.ChunkDict) == (set(CHUNKS), set())


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("executing", shapes.ExecutingDict),
        ("input", shapes.InputDict),
        ("declined", shapes.DeclinedDict),
        ("notice", shapes.NoticeDict),
        ("background", shapes.BackgroundDict),
    ],
)
def test_the_value_of_a_chunk_has_its_keys(kind: str, shape: Any) -> None:
    assert keys(shape) == (set(CHUNKS[kind]["properties"]), set(CHUNKS[kind]["required"]))


def test_a_stored_message_has_the_keys_of_all_its_forms() -> None:
    every = {key for form in MESSAGES for key in form["properties"]}
    always = set.intersection(*(set(form["required"]) for form in MESSAGES))
    assert keys(shapes.MessageDict) == (every, always)


def test_the_error_of_a_block_has_its_keys() -> None:
    error = DEFINITIONS["BlockError"]
    assert keys(shapes.ErrorDict) == (set(error["properties"]), set(error["required"]))


def test_the_result_of_a_block_has_its_keys() -> None:
    result = DEFINITIONS["BlockResult"]
    assert keys(shapes.ResultDict) == (set(result["properties"]), set(result["required"]))
