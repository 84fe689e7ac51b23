"""Every message of the wire: its golden example, its schema, its documentation."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from oi_daemon.errors import InvalidError
from oi_daemon.messages import BlockResult, dump, fold
from oi_daemon.protocol import chunks
from oi_daemon.protocol import methods as protocol
from oi_daemon.protocol.offers import ASK, CANCEL, ModelAskParams, ModelCancelParams
from oi_daemon.protocol.schema import schema

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = sorted((DOCS / "examples").glob("*.json"))
NOTIFICATIONS = [path for path in EXAMPLES if path.stem.startswith("notification-")]
_OTHERS = ("chunk-", "notification-", "folds", "activities")
METHODS = [path for path in EXAMPLES if not path.stem.startswith(_OTHERS)]
CHUNKS = [path for path in EXAMPLES if path.stem.startswith("chunk-")]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def validate(value: Any, shape: dict[str, Any]) -> None:
    document = {**shape, "$defs": schema()["$defs"]}
    jsonschema.validate(value, document, jsonschema.Draft202012Validator)


def test_every_method_has_its_golden_example() -> None:
    assert {read(path)["method"] for path in METHODS} == set(protocol.METHODS)


def test_every_chunk_has_its_golden_example() -> None:
    kinds = {kind for path in CHUNKS for kind in read(path)["params"]["chunk"]}
    assert kinds == set(chunks.SCHEMAS)


@pytest.mark.parametrize("path", METHODS, ids=lambda path: path.stem)
def test_a_method_takes_and_gives_its_golden_example(path: Path) -> None:
    example = read(path)
    method = protocol.METHODS[example["method"]]
    params = protocol.decode_params(method, example["params"])
    assert example["params"].items() <= msgspec.to_builtins(params).items()
    result = msgspec.convert(example["result"], method.result)
    assert msgspec.to_builtins(result) == example["result"]


@pytest.mark.parametrize("path", METHODS, ids=lambda path: path.stem)
def test_the_schema_accepts_a_methods_golden_example(path: Path) -> None:
    example = read(path)
    shapes = schema()["methods"][example["method"]]
    validate(example["params"], shapes["params"])
    validate(example["result"], shapes["result"])


@pytest.mark.parametrize("path", CHUNKS, ids=lambda path: path.stem)
def test_a_chunk_travels_as_its_golden_example(path: Path) -> None:
    params = read(path)["params"]
    validate(params, schema()["notifications"]["oi/chunk"]["params"])
    decoded = msgspec.convert(params, protocol.ChunkParams)
    assert msgspec.to_builtins(decoded) == params
    chunk = chunks.from_wire(params["chunk"], decoded.result)
    assert chunks.to_wire(chunk) == params["chunk"]
    place = {name: params[name] for name in ("conversation", "turn", "seq")}
    made = protocol.chunk_params(chunk, **place, state=decoded.state)
    assert (made.chunk, made.seq, made.result) == (params["chunk"], params["seq"], decoded.result)


@pytest.mark.parametrize("path", NOTIFICATIONS, ids=lambda path: path.stem)
def test_a_notification_has_its_golden_example(path: Path) -> None:
    example = read(path)
    validate(example["params"], schema()["notifications"][example["method"]]["params"])
    shape = {ASK: ModelAskParams, CANCEL: ModelCancelParams}[example["method"]]
    assert msgspec.to_builtins(msgspec.convert(example["params"], shape)) == example["params"]


@pytest.mark.parametrize("turn", read(DOCS / "examples/folds.json"), ids=lambda turn: turn["name"])
def test_a_golden_stream_folds_to_its_messages(turn: dict[str, Any]) -> None:
    """The same file drives the folds of every client."""
    results = iter(turn.get("results", ()))
    heard = [
        chunks.from_wire(chunk, next(results, None) if "end_of_execution" in chunk else None)
        for chunk in turn["chunks"]
    ]
    assert [dump(message) for message in fold(heard)] == turn["messages"]


@pytest.mark.parametrize("result", [None, {}, {"status": "paused", "seconds": 1}])
def test_a_result_that_is_not_known_is_none(result: dict[str, Any] | None) -> None:
    assert chunks.result_from_wire(result) is None


def test_what_is_not_known_in_a_result_is_passed_over() -> None:
    told = {"status": "error", "seconds": "1", "exit": "1", "error": "x", "more": 1}
    assert chunks.result_from_wire(told) == BlockResult("error", 0.0)


def test_the_schema_in_the_docs_is_the_codes() -> None:
    """If this fails: `scripts/docs` writes it anew."""
    assert read(DOCS / "schema.json") == schema()


def test_every_method_is_documented() -> None:
    text = (DOCS / "protocol.md").read_text(encoding="utf-8")
    assert [name for name in protocol.METHODS if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("method", "params", "named"),
    [
        ("oi/stream", {}, "message"),
        ("oi/stream", {"message": 3}, "message"),
        ("oi/stream", {"message": "x", "conversation": ""}, "conversation"),
        ("oi/approve", {"approval": "a", "decision": "perhaps"}, "decision"),
        ("oi/input", {"input": "i"}, "value"),
        ("oi/history/list", {"limit": 0}, "limit"),
        ("oi/history/delete", {}, "conversation"),
        ("oi/settings/set", {"settings": []}, "settings"),
    ],
)
def test_params_that_do_not_fit_are_refused_by_the_fields_name(
    method: str, params: Any, named: str
) -> None:
    with pytest.raises(InvalidError, match=named):
        protocol.decode_params(protocol.METHODS[method], params)


def test_unknown_fields_are_ignored() -> None:
    params = protocol.decode_params(
        protocol.METHODS["oi/interrupt"], {"$schema": 1, "class": 2, "jsonrpc": "x"}
    )
    assert params == protocol.ConversationParams()


@pytest.mark.parametrize("name", ["red\x1b[31m", "two\nlines", "line\n", "\x9b31m"])
def test_a_conversation_s_id_has_no_control_characters(name: str) -> None:
    """A terminal that shows it would obey them."""
    with pytest.raises(InvalidError, match=r"^conversation: .*text without control characters$"):
        protocol.decode_params(protocol.EXECUTE, {"conversation": name, "code": ""})


@pytest.mark.parametrize("chunk", [{}, {"sound": "beep"}, {"output": 3}])
def test_an_object_that_is_no_chunk_is_refused(chunk: dict[str, Any]) -> None:
    with pytest.raises(InvalidError, match="chunk: none of"):
        chunks.from_wire(chunk)
