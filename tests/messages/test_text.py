"""What is taken out of texts that come from elsewhere."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.messages.text import without_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]52;c;cm0gLXJm\x07", "]52;c;cm0gLXJm"),
        ("\x9b31mred", "31mred"),
        ("hid\rden\x08\x7f\x00", "hidden"),
        ("if admin:\u202e # \u2066left\u2069\u200f", "if admin: # left"),
        ("Grüße, 你好, 👩‍💻", "Grüße, 你好, 👩‍💻"),
    ],
)
def test_what_controls_a_terminal_or_turns_text_is_taken_out(text: str, shown: str) -> None:
    assert without_controls(text) == shown


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    kept = without_controls(text)
    assert not {c for c in kept if unicodedata.category(c) == "Cc"} - {"\t", "\n"}
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not {unicodedata.bidirectional(c) for c in kept} & turning


@given(st.text(), st.text())
def test_pieces_give_what_the_whole_gives(one: str, other: str) -> None:
    assert without_controls(one) + without_controls(other) == without_controls(one + other)
