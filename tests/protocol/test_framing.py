"""Bytes to messages: both framings, any pieces, and the way back after rubbish."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oi_daemon.errors import RequestError
from oi_daemon.protocol.framing import (
    Decoder,
    Frame,
    Framing,
    encode,
)

PARSE, INVALID = RequestError.PARSE, RequestError.INVALID


def decode(data: bytes, size: int | None = None, max_frame: int = 1 << 20) -> list[Any]:
    """The messages, and the codes of refusals, of bytes that come in pieces of a size."""
    decoder = Decoder(max_frame)
    found: list[Frame] = []
    step = size or len(data) or 1
    for start in range(0, len(data), step):
        found += decoder.feed(data[start : start + step])
    found += decoder.end()
    return [frame.code if isinstance(frame, RequestError) else frame for frame in found]


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


GOOD = framed(b'{"id":1}')


@pytest.mark.parametrize("size", [1, 2, 3, 7, None])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":1}\n{"b":2}\n', [{"a": 1}, {"b": 2}]),
        (b'{"a":1}\r\n\r\n \t\n{"b":2}', [{"a": 1}, {"b": 2}]),
        (b'\n\n  {"a":1}\n', [{"a": 1}]),
        (b'{"a":\n{"b":2}\n', [PARSE, {"b": 2}]),
        (b'[{"a":1}]\n5\nnull\n"x"\n', [INVALID] * 4),
        (b'rubbish\n{"b":2}\n', [PARSE, {"b": 2}]),
        (b'\x00\xff\n{"b":2}\n', [PARSE, {"b": 2}]),
        (b'{"a":"\xff"}\n{"b":2}\n', [PARSE, {"b": 2}]),
        (b"[" * 5000 + b'\n{"b":2}\n', [PARSE, {"b": 2}]),
        (b'{"a":1e999}\n{"b":2}\n', [PARSE, {"b": 2}]),
        (b'{"a":1', [PARSE]),
        (b" \r\n ", []),
        (b"", []),
    ],
)
def test_lines(data: bytes, expected: list[Any], size: int | None) -> None:
    """One JSON object a line: blank lines are nothing, a last line needs no end."""
    assert decode(data, size) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7, None])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GOOD + GOOD, [{"id": 1}, {"id": 1}]),
        (b'CONTENT-LENGTH:8\r\n\r\n{"id":1}', [{"id": 1}]),
        (b'content-length \t:  8  \n\n{"id":1}', [{"id": 1}]),
        (b'Content-Type: x; y=z\r\nContent-Length: 8\r\nX-Z:\r\n\r\n{"id":1}', [{"id": 1}]),
        (b"\r\n\r\n" + GOOD + b"\r\n" + GOOD, [{"id": 1}, {"id": 1}]),
        (framed(b'{"id":') + GOOD, [PARSE, {"id": 1}]),
        (framed(b"") + GOOD, [PARSE, {"id": 1}]),
        (framed(b"[]") + GOOD, [INVALID, {"id": 1}]),
        (b'Content-Length: x\r\n\r\n{"id":0}' + GOOD, [INVALID, {"id": 1}]),
        (b'Content-Length: -8\r\n\r\n{"id":0}' + GOOD, [INVALID, {"id": 1}]),
        (b'Content-Length:\r\n\r\n{"id":0}' + GOOD, [INVALID, {"id": 1}]),
        (b"Content-Length: 99999999999\r\n\r\n" + GOOD, [INVALID, {"id": 1}]),
        (b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + GOOD, [INVALID, {"id": 1}]),
        (b'Content-Type: x\r\n\r\n{"id":0}' + GOOD, [INVALID, {"id": 1}]),
        (GOOD + b'{"id":0}\r\n' + GOOD, [{"id": 1}, INVALID, {"id": 1}]),
        (b'Content-Length: 8\r\n\r\n{"id"' + GOOD, [PARSE, {"id": 1}]),
        (b'Content-Length: 9999\r\n\r\n{"id"' + GOOD, [PARSE, {"id": 1}]),
        (b'Content-Length: 8\r\n\r\n{"id":1,"more":2}' + GOOD, [PARSE, {"id": 1}]),
        (b"Content-Length: 8\r\n" + GOOD, [{"id": 1}]),
        (b'Content-Length: 9\r\n\r\n{"id":1}', [PARSE]),
        (GOOD + b"Content-Le", [{"id": 1}, PARSE]),
        (b"Content-Length: 2\r\n", [PARSE]),
    ],
)
def test_headers(data: bytes, expected: list[Any], size: int | None) -> None:
    """LSP's framing: what lies about itself is refused once, and the next frame is found."""
    assert decode(data, size) == expected


@pytest.mark.parametrize("size", [1, 100, None])
def test_a_frame_that_is_cut_short_anywhere_does_not_take_the_next_along(size: int | None) -> None:
    whole = framed(b'{"id":1,"method":"oi/status","params":{}}')
    start = whole.index(b"{")
    for cut in range(start, len(whole) - 1):
        assert decode(whole[:cut] + GOOD * 2, size) == [PARSE, {"id": 1}, {"id": 1}], cut


@pytest.mark.parametrize("size", [None, 1000, 1])
def test_oversized_frames_are_refused_and_skipped(size: int | None) -> None:
    """Neither framing keeps a byte of them, however they come."""
    big = json.dumps({"big": "x" * 3000, "text": "Content-Length: 5\r\n"}).encode()
    assert decode(framed(big) + GOOD, size, max_frame=1000) == [INVALID, {"id": 1}]
    assert decode(big + b'\n{"id":1}\n', size, max_frame=1000) == [INVALID, {"id": 1}]


def test_an_endless_frame_is_not_kept() -> None:
    for start in (b"Content-Length: 99999999999\r\n\r\n", b"["):
        decoder = Decoder(max_frame=100_000)
        refusals = list(decoder.feed(start))
        for _ in range(100):
            refusals += decoder.feed(b"x" * 50_000)
            assert len(decoder._buffer) <= 100_000
        assert len(refusals) == 1


def test_pretty_printed_json_with_header_like_text_is_a_body() -> None:
    message = {"a": "Content-Length: 5\r\n\r\n", "Content-Length": [1, 2], "b": "c"}
    for indent in (None, 1):
        assert decode(framed(json.dumps(message, indent=indent).encode()) + GOOD) == [
            message,
            {"id": 1},
        ]


def test_half_a_surrogate_pair_is_taken() -> None:
    """JavaScript cuts strings there."""
    assert decode(b'{"a":"x\\ud83d"}\n') == [{"a": "x?"}]
    assert encode({"a": "x\ud83d"}, Framing.LINES) == b'{"a": "x?"}\n'


@given(
    st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), min_size=1),
    st.sampled_from(Framing),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60)
def test_what_is_encoded_is_decoded_in_any_pieces(
    messages: list[dict[str, Any]], framing: Framing, pieces: random.Random
) -> None:
    data = b"".join(encode(message, framing) for message in messages)
    decoder = Decoder()
    found: list[Frame] = []
    while data:
        size = pieces.randint(1, 40)
        found += decoder.feed(data[:size])
        data = data[size:]
    found += decoder.end()
    assert found == messages
    assert decoder.framing is framing


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_no_bytes_make_it_fail(data: bytes) -> None:
    decode(data)
    decode(GOOD + data)
