"""The parts of the display, without a terminal."""

import io
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
import pytest
from rich.console import Console

from oi_daemon.messages.shapes import ChunkDict
from oi_daemon.messages.written import DISPLAY_ID
from oi_daemon.terminal.block import BlockView
from oi_daemon.terminal.markdown import MarkdownStream
from oi_daemon.terminal.pictures import inline, words
from oi_daemon.terminal.plain import PlainScreen
from oi_daemon.terminal.region import Region, theme
from oi_daemon.terminal.screen import RichScreen
from oi_daemon.terminal.thinking import ThinkingView
from oi_daemon.terminal.welcome import rows_for

if TYPE_CHECKING:
    from oi_daemon.terminal.display import Screen

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


def ran(*outputs: str | tuple[str | None, str]) -> str:
    """What is left of a block that wrote this; a pair is a display's id, and its words."""
    block = BlockView(Console(width=40), "python")
    block.has_run = True
    for each in outputs:
        if isinstance(each, str):
            block.add_output(each)
        else:
            block.add_display(each[0], each[1], f"<{each[1].strip()}>")
    return block.put_rest().partition(f"output {'─' * 30}\x1b[0m\n")[2]


def test_a_progress_bar_is_left_as_it_ends() -> None:
    assert ran("\r 50%", "\r100%\n", "done\n") == "100%\ndone\x1b[0m\n"


def test_a_display_takes_the_place_of_the_one_with_its_id() -> None:
    assert ran(("a", "one\n"), "text\n", ("a", "two\n")) == "two\ntext\x1b[0m\n<two>"
    assert ran((None, "one\n"), (None, "two\n")) == "one\ntwo\x1b[0m\n<one><two>"


def test_what_clears_the_screen_clears_the_block() -> None:
    assert ran("old\n", (None, "one\n"), "\x1b[H\x1b[2", "Jnew\n") == "new\x1b[0m\n"


def test_plain_text_has_no_colours_and_no_bars() -> None:
    written = io.StringIO()
    screen = PlainScreen(written)
    for text in ("\x1b[31mred\x1b[0m\n", "\r 50%", "\r100%\n", "Name? "):
        screen.show({"output": text})
    assert written.getvalue() == "[output]\nred\n100%\nName? "


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


def test_a_picture_is_sixels_where_libsixels_program_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "img2sixel"
    program.write_text("#!/bin/sh\nprintf '\\033Pq'; cat; printf '\\033\\\\'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert inline({"image/png": "QUJD"}, {"TERM": "foot"}) == "\x1bPqABC\x1b\\\n"


def test_a_picture_is_only_named_where_sixels_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert inline({"image/png": "QUJD"}, {"TERM": "foot"}) == ""


def test_code_does_nothing_to_the_terminal_and_hides_nothing() -> None:
    block = BlockView(Console(file=io.StringIO(), width=80), "python")
    block.add_code("print(1)\r\n# \x1b[2K\x1b[1A\u202eharmless\rprint(2)")
    shown = "\n".join(block.put_code())
    assert "# ␛[2K␛[1A\ufffdharmless␍print(2)" in shown


def test_code_that_is_wider_than_the_screen_is_cut_while_it_runs_and_whole_for_good() -> None:
    console = Console(file=io.StringIO(), width=20)
    block = BlockView(console, "python")
    block.add_code("print('a long line that does not fit')\nprint(2)")
    assert not block.fits(10)
    assert [line[4:].rstrip() for line in block.live(10)[1:]] == ["print('a long l…", "print(2)"]
    assert "print('a long line that does not fit')" in "\n".join(block.put_code())


def test_a_line_that_comes_while_a_person_is_asked_comes_after_the_answer() -> None:
    written = io.StringIO()
    screen = RichScreen(Console(file=written, force_terminal=True, width=40, height=20))
    screen.show({"language": "python"})
    screen.show({"executing": {"language": "python", "code": "print(1)"}})
    with screen.paused():
        asked = written.getvalue()
        screen.print_above("Something is wrong.")
        assert written.getvalue() == asked
    screen.close()
    assert "Something is wrong." in written.getvalue()


def notice(kind: str, message: str) -> ChunkDict:
    return {"notice": {"kind": kind, "message": message, "seconds": 0.5}}


def test_a_notice_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    trimmed, save = notice("trimmed", "Left\x1b out."), notice("save", "The disk is full.")
    written = io.StringIO()
    screen = RichScreen(Console(file=written, force_terminal=True, width=40, height=20))
    chunks: list[ChunkDict] = [{"message": "One"}, trimmed, save, {"message": " two."}]
    for chunk in chunks:
        screen.show(chunk)
    screen.close()
    assert "\x1b[2mLeft␛ out.\x1b[0m\n" in written.getvalue()
    assert "\x1b[33mThe disk is full.\x1b[0m\n" in written.getvalue()
    assert "One two." in written.getvalue()
    PlainScreen(written).show(trimmed)
    PlainScreen(written).show(notice("retry", "Busy."))
    assert capsys.readouterr().err == "Left␛ out.\nBusy. Trying again in 0.5 s.\n"


def shown(*chunks: ChunkDict, live: bool = True, unfolded: bool = False) -> list[str]:
    """The lines on a terminal of 40 columns after these chunks, without empty ones."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=40, height=20)
    screen = RichScreen(console, live=live, unfolded=unfolded)
    for chunk in chunks:
        screen.show(chunk)
    screen.close()
    terminal = pyte.Screen(40, 20)
    pyte.Stream(terminal).feed(written.getvalue().replace("\n", "\r\n"))
    return [line.rstrip() for line in terminal.display if line.strip()]


@pytest.mark.parametrize("live", [True, False])
def test_thinking_is_one_line_once_it_has_led_to_something(live: bool) -> None:
    chunks: list[ChunkDict] = [{"thinking": "**A quo"}, {"thinking": "tient**"}, {"message": "1.4"}]
    assert shown(*chunks, live=live) == ["thought for 1 s", "1.4"]
    assert shown(*chunks, live=live, unfolded=True) == ["thought for 1 s", "  A quotient", "1.4"]


def test_thinking_parts_no_message_that_goes_on() -> None:
    assert shown({"message": "One"}, {"thinking": "Hm"}, {"message": " two."}) == ["One two."]


def test_thinking_that_led_to_nothing_leaves_nothing() -> None:
    assert shown({"thinking": "Hm"}) == []
    assert shown({"message": "One."}, {"thinking": "Hm"}) == ["One."]


def test_the_reason_of_a_retry_and_what_was_thought_before_it_do_not_stay() -> None:
    retry = notice("retry", "The server failed.")
    assert shown({"thinking": "Hm"}, retry, {"message": "Hi."}) == ["Hi."]


def test_the_last_words_of_thinking_fit_on_the_screen_and_do_nothing_to_it() -> None:
    view = ThinkingView(Console(file=io.StringIO(), width=30))
    for _ in range(2000):
        view.add("Some words of \x1b[2Jthinking.\n")
    view.add("\nAnd at last a long paragraph of which only the end is shown.")
    assert view.live() == [
        "\x1b[2m  of which only the end is\x1b[0m",
        "\x1b[2m  shown.\x1b[0m",
    ]
    assert "\x1b[2J" not in "".join(view.whole())


class TerminalFile(io.StringIO):
    """A file that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("written", "shown"), [(io.StringIO(), "Hi.\n"), (TerminalFile(), "[thinking]\nHi.\n")]
)
def test_in_plain_text_a_line_stands_for_thinking_and_in_a_pipe_nothing(
    written: io.StringIO, shown: str
) -> None:
    screen = PlainScreen(written)
    chunks: list[ChunkDict] = [{"thinking": "Hm"}, {"thinking": "..."}, {"message": "Hi."}]
    for chunk in chunks:
        screen.show(chunk)
    screen.close()
    assert written.getvalue() == shown


def test_a_declined_block_is_marked() -> None:
    chunks: list[ChunkDict] = [
        {"language": "python"},
        {"code": "print(1)"},
        {"declined": {"by": "skip"}},
    ]
    written, plain = io.StringIO(), io.StringIO()
    rich = RichScreen(Console(file=written, force_terminal=True, width=40), live=False)
    screens: list[Screen] = [rich, PlainScreen(plain)]
    for screen in screens:
        for chunk in chunks:
            screen.show(chunk)
        screen.close()
    assert "── not run: declined ──" in written.getvalue()
    assert plain.getvalue() == "[python]\nprint(1)\n[not run: declined]\n"


@pytest.mark.parametrize("output", ["", "no such file\n"])
def test_a_block_that_failed_is_marked(output: str) -> None:
    """Also one that wrote nothing."""
    chunks: list[ChunkDict] = [
        {"language": "shell"},
        {"executing": {"code": "ls x", "language": "shell"}},
        *([ChunkDict(output=output)] if output else []),
        {"end_of_execution": True},
    ]
    written, plain = io.StringIO(), io.StringIO()
    rich = RichScreen(Console(file=written, force_terminal=True, width=60), live=False)
    screens: list[Screen] = [rich, PlainScreen(plain)]
    for screen in screens:
        for chunk in chunks:
            is_last = "end_of_execution" in chunk
            screen.show(chunk, {"status": "error", "seconds": 3.0} if is_last else None)
        screen.close()
    title = "output · ✗ failed, 3 s" if output else "✗ failed, 3 s"
    assert f"── {title} ──" in written.getvalue()
    assert plain.getvalue().endswith("[✗ failed, 3 s]\n")


def test_colours_are_those_for_a_light_screen_where_it_tells_that_it_is_light() -> None:
    assert theme({"COLORFGBG": "0;15"}) == "ansi_light"
    assert theme({"COLORFGBG": "15;0"}) == theme({}) == "ansi_dark"


def test_displays_are_kept_as_files_and_told_once() -> None:
    written = io.StringIO()
    screen = PlainScreen(written)
    for png in ("MQ==", "Mg==", "Mw=="):
        screen.show({"display": {"image/png": png, DISPLAY_ID: "a"}})
    screen.show({"display": {"text/html": "<b>1</b>", "text/plain": "<HTML object>"}})
    screen.show({"display": {"text/html": "<table/>", "text/plain": "  a\n0 1"}})
    head, picture, page, *table = written.getvalue().splitlines()
    assert head == "[output]"
    assert Path(picture.removeprefix("[picture: ").removesuffix("]")).read_text() == "3"
    assert Path(page.removeprefix("[page: ").removesuffix("]")).read_text() == "<b>1</b>"
    assert table == ["  a", "0 1"]


def test_a_display_in_words() -> None:
    assert words({"text/plain": "  a\n0 1"}, None) == "  a\n0 1\n"
    assert words({"text/html": "<b>bold</b>"}, None) == "bold\n"
    assert words({"application/x": 1}, None) == "[application/x]\n"


def test_a_model_that_runs_here_already_is_offered_by_name() -> None:
    (row,) = rows_for([{"api_base": "http://127.0.0.1:11434/v1", "models": ["llama3:latest"]}])
    assert (row.label, row.detail) == ("Use llama3:latest", "127.0.0.1:11434")
    assert row.value() == {"local": True, "model": "llama3:latest"}


def test_what_is_finished_takes_the_place_of_a_whole_screen_line_by_line() -> None:
    """tmux keeps in its history what is erased at once from the screen's top."""
    written = io.StringIO()
    region = Region(Console(file=written, force_terminal=True, width=20, height=5))
    region.draw(["one", "two", "three", "four"])
    begun = written.tell()
    region.put("one\ntwo\nthree\nfour\nfive")
    assert "\x1b[J" not in written.getvalue()[begun:]
    assert written.getvalue()[begun:].count("\x1b[K") == 5
