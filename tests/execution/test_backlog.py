"""What waits to be taken is joined, bounded, and cut in the middle with a word about it."""

import asyncio

import pytest

from oi_daemon.execution.process.backlog import Backlog
from oi_daemon.messages import ActiveLine, Chunk, Display, InputRequest, Output
from oi_daemon.messages.written import DISPLAY_ID


async def taken(backlog: Backlog) -> list[Chunk]:
    backlog.close()
    return [chunk async for chunk in backlog]


async def test_neighbouring_text_that_waits_is_joined() -> None:
    backlog = Backlog(head=100, tail=10)
    for piece in (b"a", b"b"):
        backlog.write(piece)
    backlog.set_active_line(2)
    backlog.write(b"c")
    assert await taken(backlog) == [Output("ab"), ActiveLine(2), Output("c")]


async def test_a_character_in_two_pieces_stays_one() -> None:
    backlog = Backlog(head=100, tail=10)
    backlog.write(b"\xc3")
    backlog.set_active_line(1)
    backlog.write(b"\xa9")
    assert await taken(backlog) == [ActiveLine(1), Output("é")]


async def test_bytes_that_are_no_text_are_replaced() -> None:
    backlog = Backlog(head=100, tail=10)
    backlog.write(b"\xff\x00\r\xe2\x82")
    assert await taken(backlog) == [Output("\ufffd\x00\r\ufffd")]


@pytest.mark.parametrize("size", [1, 9, 10, 11, 14])
async def test_nothing_is_left_out_that_fits(size: int) -> None:
    backlog = Backlog(head=10, tail=4)
    data = b"0123456789abcd"[:size]
    for byte in data:
        backlog.write(bytes([byte]))
    assert await taken(backlog) == [Output(data.decode())]


async def test_the_middle_is_left_out_and_counted() -> None:
    backlog = Backlog(head=10, tail=4)
    backlog.write(b"0123456789" + b"x" * 5000 + b"tail")
    assert await taken(backlog) == [Output("0123456789\n[... 5,000 bytes left out ...]\ntail")]


async def test_the_cut_leaves_no_half_characters() -> None:
    backlog = Backlog(head=3, tail=3)
    backlog.write("ééééé".encode())
    assert await taken(backlog) == [Output("é\n[... 4 bytes left out ...]\né")]


async def test_the_head_is_told_at_once_and_the_tail_at_the_end() -> None:
    backlog = Backlog(head=4, tail=4)
    chunks = aiter(backlog)
    backlog.write(b"head" + b"." * 100 + b"tail")
    assert await anext(chunks) == Output("head")
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    assert not waiting.done()
    backlog.close()
    assert await waiting == Output("\n[... 100 bytes left out ...]\ntail")


async def test_active_lines_count_and_are_thinned_out_beyond_the_limit() -> None:
    backlog = Backlog(head=6400, tail=4)
    for _ in range(50_000):
        backlog.set_active_line(1)
        backlog.set_active_line(2)
    chunks = await taken(backlog)
    assert len(chunks) <= 102
    assert chunks[:3] == [ActiveLine(1), ActiveLine(2), ActiveLine(1)]
    assert chunks[-1] == ActiveLine(2)


async def test_an_active_line_is_told_once() -> None:
    backlog = Backlog(head=100, tail=4)
    backlog.set_active_line(1)
    backlog.set_active_line(1)
    assert await taken(backlog) == [ActiveLine(1)]


async def test_displays_are_bounded() -> None:
    backlog = Backlog(head=100, tail=4)
    picture = Display({"image/png": "A" * (20 << 20)})
    for _ in range(5):
        backlog.add_display(picture)
    first, second = await taken(backlog)
    assert first is picture
    assert isinstance(second, Output)
    assert second.text.count("left out") == 1


async def test_our_own_words_stand_on_a_line_of_their_own() -> None:
    backlog = Backlog(head=100, tail=4)
    backlog.write(b"half a line")
    backlog.add_sentence("It is over.")
    assert await taken(backlog) == [Output("half a line\n[It is over.]\n")]


async def test_a_request_for_input_passes_beyond_the_limit() -> None:
    backlog = Backlog(head=1, tail=1)
    request = InputRequest("Name? ", False, "1")
    backlog.write(b"xyz")
    backlog.add(request)
    assert request in await taken(backlog)


@pytest.mark.parametrize("replaced", [True, False])
async def test_displays_that_are_replaced_or_cleared_take_no_room(replaced: bool) -> None:
    backlog = Backlog(head=100, tail=10)
    told = aiter(backlog)
    for number in "1234":
        bundle = {"image/png": number + "A" * (20 << 20)}
        if replaced:
            bundle[DISPLAY_ID] = "a"
        else:
            backlog.write(b"\x1b[2J")
            assert await anext(told) == Output("\x1b[2J")
        backlog.add_display(Display(bundle))
        assert await anext(told) == Display(bundle)


async def test_displays_that_wait_are_bounded_even_where_they_replace_each_other() -> None:
    backlog = Backlog(head=100, tail=10)
    for _ in range(4):
        backlog.add_display(Display({"image/png": "A" * (20 << 20), DISPLAY_ID: "a"}))
    waiting = await taken(backlog)
    assert [type(chunk) for chunk in waiting] == [Display, Output]
