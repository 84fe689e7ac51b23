"""A turn on a terminal with colours: what may still change is live, at the bottom of the screen."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar

from rich import markdown
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from oi_daemon.messages.shapes import ChunkDict, NoticeDict, ResultDict
from oi_daemon.messages.written import DISPLAY_ID, Bundle
from oi_daemon.terminal.activity import Activity, ended
from oi_daemon.terminal.block import BlockView
from oi_daemon.terminal.markdown import MarkdownStream
from oi_daemon.terminal.pictures import DisplayFiles, inline, words
from oi_daemon.terminal.printing import notice_text, styled, visible, wrapped
from oi_daemon.terminal.region import Region, paint, theme
from oi_daemon.terminal.signals import after_resume
from oi_daemon.terminal.thinking import ThinkingView

_FRAME = 0.08
"""Seconds between two frames, at least."""
_REST = 4
"""The pause after a frame is at least this many times as long as drawing the frame has taken."""
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_STOP_HINT = " · Ctrl-C stops it"
_QUIET = ("idle", "writing", "approval", "input")
"""Activities without a spinner: the text that grows, or the question, says enough."""
_REASON_LINES = 4
"""Lines of the reason for a retry that are shown, at most."""
_LIVE_NOTICES = ("retry", "loading")
"""Kinds of notices that are shown only as long as what they announce lasts."""


class RichScreen:
    """Shows Markdown and highlighted code, live.

    A chunk only changes what is known. A thread draws it, so that the turn does not wait for the
    screen.
    """

    def __init__(
        self, console: Console, *, live: bool = True, model: str = "", unfolded: bool = False
    ) -> None:
        """
        Args:
            live: draw what may still change; without it, a part appears when it is finished.
            model: the name of the model that is asked; empty if it is not known.
            unfolded: show all of the model's thinking, in place of a line about it.
        """
        self._console = console
        self._region = Region(console)
        self._live = live
        self._part: MarkdownStream | BlockView | None = None
        """The message or block that is under way; None between two of them."""
        self._thinking: ThinkingView | None = None
        """What the model thinks, below the part that is under way; None if it does not think."""
        self._unfolded = unfolded
        self._activity = Activity(model)
        self._reason = ""
        """Why the model's server is asked again, while that is waited for."""
        self._files = DisplayFiles()
        self._has_parts = False
        """True once a part is on the screen, so that an empty line precedes the next one."""
        self._lock = threading.Lock()
        """Held to read or change any of these fields, because a thread of its own draws."""
        self._closed = threading.Event()
        """Set to end the thread."""
        self._open = ExitStack()
        """What is undone when the screen is closed."""
        self._is_asking = False
        self._postponed: list[str] = []
        """Lines that came while the person was asked."""
        self._thread: threading.Thread | None = None
        """The thread that draws the live part; None while nothing is live."""

    def show(self, chunk: ChunkDict, result: ResultDict | None = None) -> None:
        """Show a chunk; with the end of a block, how it ended, if that is known."""
        with self._lock:
            self._activity.apply(chunk)
            if "thinking" in chunk:
                self._think(chunk["thinking"])
            else:
                if result is not None:
                    self._block().ending = ended(result["status"], result["seconds"])
                self._take(chunk)
        if "notice" in chunk:
            self._notify(chunk["notice"])
        self._start()

    def begin(self) -> None:
        """Start to draw; before the first chunk this shows that the model is waited for."""
        self._activity.begin()
        self._open.enter_context(after_resume(self._region.forget))
        self._start()

    def _start(self) -> None:
        """Start the thread that draws, unless it runs or nothing is to be live."""
        if self._live and self._thread is None:
            self._closed.clear()
            self._thread = threading.Thread(target=self._draw_repeatedly, daemon=True)
            self._thread.start()

    def print_above(self, line: str) -> None:
        """Put a line above the region; while the person is asked, after the answer."""
        with self._lock:
            if self._is_asking:
                self._postponed.append(line)
            else:
                self._region.put(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop drawing, and show all of the code that the person is asked about."""
        self._stop()
        if isinstance(self._part, BlockView):
            self._show_all(self._part)
        self._region.show_cursor()
        self._is_asking = True
        try:
            yield
        finally:
            self._activity.resume()
            with self._lock:
                self._is_asking = False
                postponed, self._postponed = self._postponed, []
            for line in postponed:
                self.print_above(line)

    def close(self) -> None:
        """Put all that is live on the screen for good, but for thinking that led to nothing."""
        self._stop()
        self._thinking = None
        self._finish()
        self._open.close()

    def _think(self, text: str) -> None:
        """Add a piece of the model's thinking, whose last words are live on the screen."""
        self._thinking = self._thinking or ThinkingView(self._console)
        self._thinking.add(text)

    def _notify(self, notice: NoticeDict) -> None:
        """Show a notice: above the region for good, or live if it is soon over."""
        if notice["kind"] == "retry":
            self._thinking, self._reason = None, notice["message"]  # it will think anew
        if notice["kind"] not in _LIVE_NOTICES or not self._live:
            text, style = notice_text(notice)
            gap = "\n" if self._has_parts else ""
            self.print_above(gap + styled(wrapped(text, self._console.width), style))

    def _show_all(self, block: BlockView) -> None:
        """Show all of a block's code: in the region if it fits, else for good."""
        room = self._region.room - 3
        if self._live and block.fits(room):
            self._region.draw([*self._separator, *block.live(room)])
        else:
            self._put_code(block)

    def _put_code(self, block: BlockView) -> None:
        """Put the code of a block on the screen for good, if it has not been."""
        separator = self._separator
        if code := block.put_code():
            self._put(separator, "\n".join(code))

    def _stop(self) -> None:
        """End the thread that draws."""
        if self._thread is not None:
            self._closed.set()
            self._thread.join()
            self._thread = None

    def _take(self, chunk: ChunkDict) -> None:
        """Take in a chunk: begin, extend or end the part under way."""
        match chunk:
            case {"message": text}:
                self._message().add(text)
            case {"language": language}:
                self._finish_both()
                self._part = BlockView(self._console, language)
            case {"code": text}:
                self._block().add_code(text)
            case {"executing": {"code": code, "language": language}}:
                self._executing(code, language)
            case {"active_line": line}:
                self._block().line = line
                self._block().has_run = True
            case {"output": text}:
                self._block().add_output(text)
            case {"display": data}:
                self._display(data)
            case {"end_of_execution": True}:
                self._block().has_run = True
                self._finish()
            case {"declined": _}:
                self._block().is_declined = True
                self._finish()

    def _message(self) -> MarkdownStream:
        """The message under way; a new one if there is none."""
        if not isinstance(self._part, MarkdownStream):
            self._finish_both()
            self._part = MarkdownStream()
        self._thinking = None  # it was folded, or the message goes on as if it had not been
        return self._part

    def _block(self) -> BlockView:
        """The block under way; a new one if there is none."""
        if not isinstance(self._part, BlockView):
            self._finish_both()
            self._part = BlockView(self._console, "")
        self._thinking = None
        return self._part

    def _executing(self, code: str, language: str) -> None:
        """Show all code of a block that is about to run, or that the person is asked about."""
        if isinstance(self._part, BlockView) and self._part.has_run:
            self._finish()
        block = self._block()
        block.replace_code(code, language)
        if not self._live:
            self._put_code(block)

    def _display(self, data: Bundle) -> None:
        """Add a picture, table or page to the block under way."""
        name = data.get(DISPLAY_ID)
        self._block().add_display(name, words(data, self._files.keep(data)), inline(data))

    def _finish_both(self) -> None:
        """Put the part that is under way on the screen, and a line for the thinking after it."""
        self._finish()
        thinking, self._thinking = self._thinking, None
        if thinking is not None:
            text = thinking.whole() if self._unfolded else []
            self._put(self._separator, "\n".join([thinking.summary(), *text]))

    def _finish(self) -> None:
        """Put the part that is under way on the screen for good."""
        match self._part:
            case MarkdownStream() as message:
                self._put_markdown(message.take_finished())
                self._put_markdown(message.rest)
            case BlockView() as block:
                self._put(self._separator, block.put_rest())
            case None:
                self._region.put("")
        self._part, self._files = None, DisplayFiles()

    def _put_markdown(self, text: str) -> None:
        """Put finished Markdown on the screen for good."""
        if text.strip():
            self._put(self._separator, "\n".join(self._markdown(text)))

    def _put(self, separator: list[str], text: str) -> None:
        """Put a text on the screen for good. The lines of `separator` come before it."""
        self._region.put("\n".join([*separator, text]))
        self._has_parts = True

    def _markdown(self, text: str) -> list[str]:
        """The lines of a Markdown text as they are shown."""
        lines = paint(self._console, _Markdown(visible(text).strip("\n"), code_theme=theme()))
        return "\n".join(lines).strip("\n").split("\n")

    def _draw_repeatedly(self) -> None:
        """Draw frames until `_closed` is set. Runs in a thread."""
        pause = 0.0
        while not self._closed.wait(pause):
            began = time.monotonic()
            with self._lock:
                self._draw()
            pause = max(_FRAME, _REST * (time.monotonic() - began))

    def _draw(self) -> None:
        """Draw a frame: the part under way, and below it what is waited for."""
        lines, activity = self._part_lines(), self._activity_lines()
        gap = [""] if activity and isinstance(self._part, MarkdownStream) and lines else []
        self._region.draw([*self._separator, *lines, *gap, *activity])

    def _part_lines(self) -> list[str]:
        """The lines of the part under way; a message's finished blocks are put above them first."""
        match self._part:
            case MarkdownStream() as message:
                self._put_markdown(message.take_finished())
                return self._markdown(message.rest) if message.rest.strip() else []
            case BlockView() as block:
                return block.live(self._region.room - 2)
            case None:
                return []

    def _activity_lines(self) -> list[str]:
        """The lines below the part: a spinner with what is waited for, if anything is.

        A retry's reason stands above it, the last words of thinking below.
        """
        kind = self._activity.kind
        if kind in _QUIET:
            return []
        words = f"{_spinner()} {self._activity.words}"
        is_long = "," in words or kind == "running"
        has_room = cell_len(words + _STOP_HINT) <= self._console.width
        lines = [self._cropped(words + _STOP_HINT if is_long and has_room else words)]
        if kind == "retrying":
            reason = wrapped(visible(self._reason), self._console.width).split("\n")
            lines = [*map(self._cropped, reason[:_REASON_LINES]), *lines]
        return [*lines, *(self._thinking.live() if self._thinking else [])]

    def _cropped(self, text: str) -> str:
        """A dim line that fits on the screen."""
        line = Text(text)
        line.truncate(self._console.width, overflow="ellipsis")
        return styled(line.plain, "dim")

    @property
    def _separator(self) -> list[str]:
        """The lines between the last part and this one: an empty line, or none."""
        is_continued = isinstance(self._part, BlockView) and self._part.code_is_put
        return [""] if self._has_parts and not is_continued else []


class _Heading(markdown.Heading):
    """A heading at the left, where rich would centre it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Table(markdown.TableElement):
    """A table whose cells are folded where rich would cut them, as in Chinese and Japanese."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column in part.columns:
                    column.overflow = "fold"
            yield part


class _Markdown(markdown.Markdown):
    """Markdown with our headings and tables."""

    elements: ClassVar = {
        **markdown.Markdown.elements,
        "heading_open": _Heading,
        "table_open": _Table,
    }


def _spinner() -> str:
    """The sign that turns, as it is now."""
    return _SPINNER[int(time.monotonic() / _FRAME) % len(_SPINNER)]
