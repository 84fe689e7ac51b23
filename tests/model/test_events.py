"""Server-sent events out of bytes, and the chat completions that they hold."""

import json
import time

import pytest

from oi_daemon.messages import MessageChunk
from oi_daemon.model.chat import ChatReader
from oi_daemon.model.events import EventReader, StreamedError, UnreadableAnswerError


def event(text: str) -> bytes:
    return json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()


def read(*pieces: bytes) -> list[bytes]:
    """The data of the events in these pieces of a stream."""
    reader = EventReader()
    return [data for piece in pieces for data in reader.feed(piece)] + reader.finish()


def read_chat(*pieces: bytes) -> list[str]:
    """The texts of the chat completion in these pieces of a stream."""
    reader = ChatReader({"python"}.__contains__)
    parts = [part for piece in pieces for part in reader.feed(piece)]
    parts += [*reader.end(), *reader.finish()]
    return [part.text for part in parts if isinstance(part, MessageChunk)]


STREAM = (
    b": comment\n\nevent: x\ndata: " + event("grün") + b"\r\n\r\ndata:" + event("b") + b"\n\n"
    b"data: [DONE]\n\n"
)


def test_right_wherever_the_bytes_are_split() -> None:
    for at in range(len(STREAM) + 1):
        assert read_chat(STREAM[:at], STREAM[at:]) == ["grün", "b"]
    assert read(*(bytes([byte]) for byte in STREAM)) == [event("grün"), event("b"), b"[DONE]"]


def test_the_last_event_needs_no_newline() -> None:
    assert read_chat(b"data: " + event("a")) == ["a"]


@pytest.mark.parametrize("nothing", [b"", b"\n\n", b": keep-alive\n\n", b"data:\n\n"])
def test_an_empty_answer_is_readable(nothing: bytes) -> None:
    assert read_chat(nothing) == []


@pytest.mark.parametrize(
    "garbage", [b"<html>", b'{"a": 1}', b"data: {", b"data: [1]", b"data: \xff"]
)
def test_an_unreadable_answer_is_quoted_from_its_beginning(garbage: bytes) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        read_chat(garbage + b"\n")
    assert str(caught.value)


def test_an_error_as_an_event() -> None:
    with pytest.raises(StreamedError) as caught:
        read_chat(b'data: {"error": {"message": "No."}}\n\n')
    assert caught.value.error == {"message": "No."}


def test_one_endless_line_takes_linear_time() -> None:
    started = time.process_time()
    reader = EventReader()
    for _ in range(5_000):
        reader.feed(b"x" * 4096)
    assert time.process_time() - started < 5
