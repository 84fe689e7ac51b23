"""Server-sent events out of bytes, and the chat completions that they hold."""

import json

import pytest

from oi_daemon.messages import MessageChunk
from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.chat import ChatReader
from oi_daemon.model.dialects.reply import ReplyParser
from oi_daemon.model.events import EventReader, StreamedError, UnreadableAnswerError
from oi_daemon.model.limits import ServerLimitError
from tests.growth import grows_linearly


def event(text: str) -> bytes:
    return json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()


def read(*pieces: bytes) -> list[bytes]:
    """The data of the events in these pieces of a stream."""
    reader = EventReader()
    return [data for piece in pieces for data in reader.feed(piece)] + reader.finish()


def chat_reader() -> ChatReader:
    return ChatReader(ReplyParser({"python"}.__contains__), Capabilities())


def read_chat(*pieces: bytes) -> list[str]:
    """The texts of the chat completion in these pieces of a stream."""
    reader = chat_reader()
    batches = [parts for piece in pieces for parts in reader.feed(piece)]
    batches += [*reader.end(), reader.finish()]
    parts = [part for batch in batches for part in batch]
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


def test_an_error_as_a_list() -> None:
    for place in (b"data: ", b""):
        with pytest.raises(StreamedError) as caught:
            read_chat(place + b'[{"error": {"message": "No."}}]\n\n')
        assert caught.value.error == {"message": "No."}


def test_one_object_in_place_of_a_stream() -> None:
    message = {"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    whole = json.dumps({"choices": [message]}, indent=1).encode()
    assert read_chat(whole[:9], whole[9:]) == ["Hi"]


def test_an_endless_page_is_stopped() -> None:
    reader = EventReader()
    with pytest.raises(ServerLimitError, match="no stream"):
        [reader.feed(b"x" * 4096 + b"\n") for _ in range(1_000)]


def test_a_line_in_many_pieces_takes_linear_time() -> None:
    def read_in_pieces(count: int) -> None:
        reader = EventReader()
        for _ in range(count):
            reader.feed(b"x" * 20)

    assert grows_linearly(read_in_pieces)


def test_an_endless_line_is_stopped() -> None:
    reader = EventReader()
    with pytest.raises(ServerLimitError, match="larger than a megabyte"):
        [reader.feed(b"x" * 4096) for _ in range(1_000)]


def test_a_large_event_is_parsed_in_slices() -> None:
    text = "\n" * 300_000 + "x"
    reader = chat_reader()
    batches = [*reader.feed(b"data: " + event(text) + b"\n\ndata: [DONE]\n\n")]
    parts = [part for batch in [*batches, reader.finish()] for part in batch]
    assert "".join(part.text for part in parts if isinstance(part, MessageChunk)) == text
    assert len(batches) > 10


def test_an_event_that_is_nested_too_deeply_is_unreadable() -> None:
    with pytest.raises(UnreadableAnswerError):
        read_chat(b'data: {"error": ' + b"[" * 100_000 + b"\n\n")
