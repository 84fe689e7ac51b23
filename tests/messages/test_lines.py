"""Output is kept as it looks in a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.messages.lines import Lines, as_shown, plain
from oi_daemon.messages.written import Written
from tests.growth import grows_linearly

PIECES = st.sampled_from(
    ["a", "bc", " ", "é☃", "\t", "\n", "\r", "\b", "\x07", "\x1b", "\x1b[", "\x1b]0;t", "\x1b\\"]
    + [f"\x1b[{n}{end}" for n in ("", "0", "1", "2", "3;2") for end in "ABCDEFGHJKfmhl"]
)

outputs = st.lists(PIECES, max_size=40).map("".join)


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("a\r\nb \n", "a\nb \n"),
        ("  1%\r 50%\r100%\n", "100%\n"),
        ("100%\rdone", "done"),
        ("longer\rshort", "shortr"),
        ("gone\r\x1b[K", ""),
        ("gone\r\x1b[2Knew", "new"),
        ("bar |###| \r          \rnext", "next"),
        ("-\b\\\b|\b/", "/"),
        ("\babc", "abc"),
        ("one\ntwo\x1b[1A\rONE\n\x1b[3CX", "ONE\ntwoX"),
        ("a\nb\nc\x1b[2F\x1b[Jx", "x"),
        ("top\x1b[9Bon", "topon"),
        ("top\x1b[99A\rTOP", "TOP"),
        ("abc\b\b\x1b[1K", "  c"),
        ("ab\x1b[2Dx\x1b[2Ey", "yb"),
        ("old\nold\x1b[H\x1b[2Jnew", "new"),
        ("12\n34\x1b[1;2fX", "1X\n34"),
        ("a\x1b[9999999999999999999999Cb", "a" + " " * 998 + "b"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[32m 50%\x1b[0m\r\x1b[32m100%\x1b[0m", "\x1b[32m100%\x1b[0m"),
        ("\x1b]0;title\x07text\x1b]8;;u\x1b\\.", "text."),
        ("\x1b]open\nnext", "\nnext"),
        ("\x1b[?25lbell\x07\x00\x7f\x1b(B\x1b7", "bell"),
        ("tab\tand ünicode ☃\n", "tab\tand ünicode ☃\n"),
        ("cut \x1b[3", "cut "),
    ],
)
def test_output_as_it_looks_in_a_terminal(output: str, shown: str) -> None:
    assert as_shown(output) == shown


@pytest.mark.parametrize("output", ["red", "\x1b[31mred\x1b[0m", "old\r\x1b[31mre\x1b[0md"])
def test_plain_output_has_no_colours(output: str) -> None:
    assert plain(output) == "red"


@pytest.mark.parametrize(
    ("output", "last"),
    [("", []), ("a", ["a"]), ("a\nb\nc\n\n", ["b", "c"]), ("a\nb\nc\rd", ["b", "d"])],
)
def test_the_last_lines_leave_out_empty_ones_at_the_end(output: str, last: list[str]) -> None:
    lines, written = Lines(), Written()
    lines.write(output)
    written.write(output)
    assert lines.last(2) == written.last_lines(2) == last


def test_nested_bars_of_tqdm() -> None:
    """What two nested bars of tqdm write; the inner one is taken away."""
    inner = "\n\r  0%|  | 0/2\x1b[A\n\r100%|##| 2/2\x1b[A\n\r            \r\x1b[A"
    output = f"\r  0%|  | 0/2{inner}\r 50%|# | 1/2{inner}\r100%|##| 2/2\n"
    assert as_shown(output) == "100%|##| 2/2\n"


@given(outputs, st.data())
def test_where_it_is_split_makes_no_difference(output: str, data: st.DataObject) -> None:
    lines = Lines()
    at = data.draw(st.integers(0, len(output)))
    lines.write(output[:at])
    str(lines)
    lines.write(output[at:])
    assert str(lines) == as_shown(output)


@given(outputs)
def test_what_is_shown_stays_as_it_is(output: str) -> None:
    shown = as_shown(output)
    assert as_shown(shown) == shown


@pytest.mark.parametrize("piece", ["y" * 40, "bar\r", "on\x1b[A\n", "\x1b[31mred\x1b[0m\n", "x\by"])
def test_time_grows_with_the_length(piece: str) -> None:
    def write(count: int) -> None:
        lines = Lines()
        for _ in range(count):
            lines.write(piece)
        str(lines)

    assert grows_linearly(write, 4_000)
