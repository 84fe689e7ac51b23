"""Text for a person: nothing in it can hide something."""

from oi_daemon.messages.text import without_controls
from oi_daemon.terminal.printing import visible


def test_what_is_taken_out_of_a_server_s_text_is_a_visible_sign_in_code() -> None:
    characters = [chr(code) for code in range(0x3000)]
    taken_out = [character for character in characters if not without_controls(character)]
    assert "\u202e" in taken_out
    assert "\u200f" in taken_out
    assert [character for character in characters if visible(character) != character] == taken_out
