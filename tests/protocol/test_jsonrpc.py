"""JSON-RPC 2.0: what a message is, and what its answer looks like."""

from typing import Any

import pytest

from oi_daemon.errors import InvalidError, NoModelError, RequestError
from oi_daemon.protocol.jsonrpc import (
    Call,
    PeerAnswer,
    answer,
    answer_of,
    call_of,
    failure,
    id_of,
    notification,
    request,
)


def test_a_request_has_an_id_and_a_notification_has_none() -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "oi/status", "params": {"a": 1}}
    assert call_of(request) == Call("oi/status", {"a": 1}, 1)
    assert call_of({"jsonrpc": "2.0", "method": "exit"}) == Call("exit", None, None)


@pytest.mark.parametrize("part", ["result", "error"])
def test_an_answer_is_no_call(part: str) -> None:
    assert call_of({"jsonrpc": "2.0", "id": 1, part: {}}) is None


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"id": 1, "method": "oi/status"}, "jsonrpc"),
        ({"jsonrpc": "1.0", "id": 1, "method": "oi/status"}, "jsonrpc"),
        ({"jsonrpc": "2.0", "id": 1}, "method"),
        ({"jsonrpc": "2.0", "id": 1, "method": 3}, "method"),
        ({"jsonrpc": "2.0", "id": True, "method": "oi/status"}, "id"),
        ({"jsonrpc": "2.0", "id": None, "method": "oi/status"}, "id"),
    ],
)
def test_anything_else_is_refused_with_the_name_of_the_field(
    message: dict[str, Any], field: str
) -> None:
    with pytest.raises(RequestError, match=f"^{field}: ") as caught:
        call_of(message)
    assert caught.value.code == RequestError.INVALID


@pytest.mark.parametrize(
    ("given", "read"), [(1, 1), ("a", "a"), (True, None), (1.5, None), ([], None)]
)
def test_an_id_is_text_or_a_whole_number(given: Any, read: object) -> None:
    assert id_of({"id": given}) == read


def test_what_we_ask_and_announce_is_a_call() -> None:
    assert call_of(request(3, "ask", {"a": 1})) == Call("ask", {"a": 1}, 3)
    assert call_of(notification("tell", None)) == Call("tell", None, None)


def test_an_answer_to_us_holds_a_result_or_an_error() -> None:
    assert answer_of(answer(3, "yes")) == PeerAnswer(3, "yes", None)
    told = {"jsonrpc": "2.0", "id": None, "error": {"code": 1}}
    assert answer_of(told) == PeerAnswer(None, None, {"code": 1})


def test_an_answer_names_its_request() -> None:
    assert answer("a", {"x": 1}) == {"jsonrpc": "2.0", "id": "a", "result": {"x": 1}}


def test_a_failure_says_its_kind_and_which_models_there_are() -> None:
    told = failure(None, InvalidError("no"), "no")
    assert told["id"] is None
    assert told["error"]["message"] == "no"
    assert told["error"]["data"] == {"kind": "invalid"}
    error = NoModelError("none")
    error.models = ["good", "bad\x1b[2J"]
    assert failure(1, error, "none")["error"]["data"]["models"] == ["good"]
