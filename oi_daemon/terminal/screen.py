"""A turn on a terminal that can do more than text: what may still change is live at the bottom."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from rich import markdown
from rich.console import Console, ConsoleOptions, RenderResult

from oi_daemon.messages.written import DISPLAY_ID
from oi_daemon.terminal.block import BlockView
from oi_daemon.terminal.markdown import MarkdownStream
from oi_daemon.terminal.pictures import DisplayFiles, inline, words
from oi_daemon.terminal.region import Region, paint, theme
from oi_daemon.terminal.voice import visible

_FRAME = 0.08
"""Seconds between frames, at least."""
_SHARE = 4
"""Drawing takes one part in so many of the time, at most."""
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class RichScreen:
    """Markdown and highlighted code, live.

    Chunks only change what is known; a thread draws it, so a turn never waits for the screen.
    """

    def __init__(self, console: Console, *, live: bool = True) -> None:
        """
        Args:
            live: draw what may still change; else everything appears once it is finished.
        """
        self._console = console
        self._region = Region(console)
        self._live = live
        self._part: MarkdownStream | BlockView | None = None
        self._kept = DisplayFiles()
        self._begun = False
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._asking = False
        self._noted: list[str] = []
        """What came while the person was asked."""
        self._thread: threading.Thread | None = None

    def show(self, chunk: dict[str, Any]) -> None:
        with self._lock:
            self._take(chunk)
        self.begin()

    def begin(self) -> None:
        """Start to draw: before the first chunk, that the model thinks."""
        if self._live and self._thread is None:
            self._closed.clear()
            self._thread = threading.Thread(target=self._draw_on, daemon=True)
            self._thread.start()

    def note(self, line: str) -> None:
        """Not over what the person is asked about: after that."""
        with self._lock:
            if self._asking:
                self._noted.append(line)
            else:
                self._region.put(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The code that is asked about stands still, whole, above the cursor."""
        self._stop()
        if isinstance(self._part, BlockView):
            self._stand_still(self._part)
        self._region.show_cursor()
        self._asking = True
        try:
            yield
        finally:
            with self._lock:
                self._asking = False
                noted, self._noted = self._noted, []
            for line in noted:
                self.note(line)

    def close(self) -> None:
        """All that is on the screen is finished: leave it there for good."""
        self._stop()
        self._finish()

    def _stand_still(self, block: BlockView) -> None:
        room = self._region.room - 3
        if self._live and block.fits(room):
            self._region.draw([*self._apart, *block.live(room)])
        else:
            self._put_code(block)

    def _put_code(self, block: BlockView) -> None:
        apart = self._apart
        if code := block.put_code():
            self._put(apart, "\n".join(code))

    def _stop(self) -> None:
        if self._thread is not None:
            self._closed.set()
            self._thread.join()
            self._thread = None

    def _take(self, chunk: dict[str, Any]) -> None:
        match chunk:
            case {"message": text}:
                self._message().add(text)
            case {"language": language}:
                self._finish()
                self._part = BlockView(self._console, language)
            case {"code": text}:
                self._block().add_code(text)
            case {"executing": {"code": code, "language": language}}:
                self._executing(code, language)
            case {"active_line": line}:
                self._block().line = line
                self._block().ran = True
            case {"output": text}:
                self._block().add_output(text)
            case {"display": data}:
                self._display(data)
            case {"end_of_execution": True}:
                self._block().ran = True
                self._finish()

    def _message(self) -> MarkdownStream:
        if not isinstance(self._part, MarkdownStream):
            self._finish()
            self._part = MarkdownStream()
        return self._part

    def _block(self) -> BlockView:
        if not isinstance(self._part, BlockView):
            self._finish()
            self._part = BlockView(self._console, "")
        return self._part

    def _executing(self, code: str, language: str) -> None:
        if isinstance(self._part, BlockView) and self._part.ran:
            self._finish()
        block = self._block()
        block.replace_code(code, language)
        if not self._live:
            self._put_code(block)

    def _display(self, data: dict[str, Any]) -> None:
        name = data.get(DISPLAY_ID)
        self._block().add_display(name, words(data, self._kept.keep(data)), inline(data))

    def _finish(self) -> None:
        """What stands in the region is put above it."""
        match self._part:
            case MarkdownStream() as message:
                self._put_markdown(message.take_finished())
                self._put_markdown(message.rest)
            case BlockView() as block:
                self._put(self._apart, block.put_rest())
            case None:
                self._region.put("")
        self._part, self._kept = None, DisplayFiles()

    def _put_markdown(self, text: str) -> None:
        if text.strip():
            self._put(self._apart, "\n".join(self._markdown(text)))

    def _put(self, apart: list[str], text: str) -> None:
        self._region.put("\n".join([*apart, text]))
        self._begun = True

    def _markdown(self, text: str) -> list[str]:
        lines = paint(self._console, _Markdown(visible(text).strip("\n"), code_theme=theme()))
        return "\n".join(lines).strip("\n").split("\n")

    def _draw_on(self) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            began = time.monotonic()
            with self._lock:
                self._draw()
            pause = max(_FRAME, _SHARE * (time.monotonic() - began))

    def _draw(self) -> None:
        match self._part:
            case MarkdownStream() as message:
                self._put_markdown(message.take_finished())
                lines = self._markdown(message.rest) if message.rest.strip() else []
            case BlockView() as block:
                lines = block.live(self._region.room - 2)
                if block.ran:
                    lines.append(_spinner("running; Ctrl-C stops it"))
            case None:
                lines = [_spinner("thinking")]
        self._region.draw([*self._apart, *lines])

    @property
    def _apart(self) -> list[str]:
        """Parts are set apart by an empty line."""
        goes_on = isinstance(self._part, BlockView) and self._part.code_is_put
        return [""] if self._begun and not goes_on else []


class _Heading(markdown.Heading):
    """At the left, where the text is."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Markdown(markdown.Markdown):
    elements: ClassVar = {**markdown.Markdown.elements, "heading_open": _Heading}


def _spinner(text: str) -> str:
    sign = _SPINNER[int(time.monotonic() / _FRAME) % len(_SPINNER)]
    return f"\x1b[2m{sign} {text}\x1b[0m"
