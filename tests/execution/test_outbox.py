"""What waits to be taken is joined, bounded, and cut in the middle with a word about it."""

import asyncio

import pytest

from oi_daemon.execution.outbox import Outbox
from oi_daemon.messages import ActiveLine, Chunk, Display, InputRequest, Output


async def taken(outbox: Outbox) -> list[Chunk]:
    outbox.close()
    return [chunk async for chunk in outbox]


async def test_neighbouring_text_that_waits_is_joined() -> None:
    outbox = Outbox(head=100, tail=10)
    for piece in (b"a", b"b"):
        outbox.write(piece)
    outbox.line(2)
    outbox.write(b"c")
    assert await taken(outbox) == [Output("ab"), ActiveLine(2), Output("c")]


async def test_a_character_in_two_pieces_stays_one() -> None:
    outbox = Outbox(head=100, tail=10)
    outbox.write(b"\xc3")
    outbox.line(1)
    outbox.write(b"\xa9")
    assert await taken(outbox) == [ActiveLine(1), Output("é")]


async def test_bytes_that_are_no_text_are_replaced() -> None:
    outbox = Outbox(head=100, tail=10)
    outbox.write(b"\xff\x00\r\xe2\x82")
    assert await taken(outbox) == [Output("\ufffd\x00\r\ufffd")]


@pytest.mark.parametrize("size", [1, 9, 10, 11, 14])
async def test_nothing_is_left_out_that_fits(size: int) -> None:
    outbox = Outbox(head=10, tail=4)
    data = b"0123456789abcd"[:size]
    for byte in data:
        outbox.write(bytes([byte]))
    assert await taken(outbox) == [Output(data.decode())]


async def test_the_middle_is_left_out_and_counted() -> None:
    outbox = Outbox(head=10, tail=4)
    outbox.write(b"0123456789" + b"x" * 5000 + b"tail")
    assert await taken(outbox) == [Output("0123456789\n[... 5,000 bytes left out ...]\ntail")]


async def test_the_cut_leaves_no_half_characters() -> None:
    outbox = Outbox(head=3, tail=3)
    outbox.write("ééééé".encode())
    assert await taken(outbox) == [Output("é\n[... 4 bytes left out ...]\né")]


async def test_the_head_is_told_at_once_and_the_tail_at_the_end() -> None:
    outbox = Outbox(head=4, tail=4)
    chunks = aiter(outbox)
    outbox.write(b"head" + b"." * 100 + b"tail")
    assert await anext(chunks) == Output("head")
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.close()
    assert await waiting == Output("\n[... 100 bytes left out ...]\ntail")


async def test_active_lines_count_and_are_thinned_out_beyond_the_limit() -> None:
    outbox = Outbox(head=6400, tail=4)
    for _ in range(50_000):
        outbox.line(1)
        outbox.line(2)
    chunks = await taken(outbox)
    assert len(chunks) <= 102
    assert chunks[:3] == [ActiveLine(1), ActiveLine(2), ActiveLine(1)]
    assert chunks[-1] == ActiveLine(2)


async def test_an_active_line_is_told_once() -> None:
    outbox = Outbox(head=100, tail=4)
    outbox.line(1)
    outbox.line(1)
    assert await taken(outbox) == [ActiveLine(1)]


async def test_displays_are_bounded() -> None:
    outbox = Outbox(head=100, tail=4)
    picture = Display({"image/png": "A" * (20 << 20)})
    for _ in range(5):
        outbox.display(picture)
    first, second = await taken(outbox)
    assert first is picture
    assert isinstance(second, Output)
    assert second.text.count("left out") == 1


async def test_our_own_words_stand_on_a_line_of_their_own() -> None:
    outbox = Outbox(head=100, tail=4)
    outbox.write(b"half a line")
    outbox.tell("It is over.")
    assert await taken(outbox) == [Output("half a line\n[It is over.]\n")]


async def test_a_request_for_input_passes_beyond_the_limit() -> None:
    outbox = Outbox(head=1, tail=1)
    request = InputRequest("Name? ", False, "1")
    outbox.write(b"xyz")
    outbox.put(request)
    assert request in await taken(outbox)
