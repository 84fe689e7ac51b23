"""The parts of the display, without a terminal."""

import random

import pytest

from oi_daemon.terminal.block import plain_lines
from oi_daemon.terminal.markdown import MarkdownStream
from oi_daemon.terminal.pictures import inline, words

TEXT = """\
# Title

A paragraph
of two lines.
Setext
======

- one

  still one
- two
  ```python
  # not a title

  x = 1
  ```

1. first

2. second

| a | b |
|---|---|
| 1 | 2 |

```
fence

# inside
```
> quote
lazy

the end"""


@pytest.mark.parametrize("seed", range(50))
def test_what_is_finished_never_changes_by_what_follows(seed: int) -> None:
    cuts = random.Random(seed)
    stream, finished, at = MarkdownStream(), "", 0
    while at < len(TEXT):
        size = cuts.randint(1, 12)
        stream.add(TEXT[at : at + size])
        at += size
        finished += stream.take_finished()
        assert finished + stream.rest == TEXT[:at]
    assert finished in {"", *(TEXT[:end] for end in ENDS)}


ENDS = [
    TEXT.index(block)
    for block in ("A para", "- one", "1. first", "| a", "```\nfence", "> q", "the end")
]


def test_a_block_is_finished_once_the_next_begins() -> None:
    stream = MarkdownStream()
    stream.add("one\n\n")
    assert stream.take_finished() == ""
    stream.add("two\n")
    assert stream.take_finished() == "one\n\n"
    assert stream.rest == "two\n"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("a\r\nb\n", "a\nb\n"),
        ("1%\r50%\r100%\n", "100%\n"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b]0;title\x07text", "text"),
        ("bell\x07\x00", "bell"),
        ("tab\tand ünicode ☃\n", "tab\tand ünicode ☃\n"),
        ("cut \x1b[3", "cut 3"),
    ],
)
def test_output_cannot_move_the_cursor(output: str, shown: str) -> None:
    assert plain_lines(output) == shown


@pytest.mark.parametrize(
    ("environ", "begins"),
    [
        ({"KITTY_WINDOW_ID": "1"}, "\x1b_Ga=T,f=100,m=0;QUJD"),
        ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]1337;File=inline=1:QUJD\a"),
        ({"TERM": "xterm-256color"}, ""),
        ({"KITTY_WINDOW_ID": "1", "TMUX": "/tmp/tmux"}, ""),
    ],
)
def test_a_picture_is_shown_where_the_terminal_can(environ: dict[str, str], begins: str) -> None:
    shown = inline({"image/png": "QUJD"}, environ)
    assert shown.startswith(begins)
    assert bool(shown) == bool(begins)


def test_a_display_in_words() -> None:
    assert words({"text/plain": "  a\n0 1"}, None) == "  a\n0 1\n"
    assert words({"text/html": "<b>bold</b>"}, None) == "bold\n"
    assert words({"application/x": 1}, None) == "[application/x]\n"
