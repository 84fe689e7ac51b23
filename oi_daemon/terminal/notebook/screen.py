"""A turn below the cell of a notebook, live."""

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from oi_daemon.messages.shapes import ChunkDict, NoticeDict, ResultDict
from oi_daemon.messages.written import Bundle
from oi_daemon.terminal.activity import Activity
from oi_daemon.terminal.notebook.displays import CellDisplays, Publish, publish
from oi_daemon.terminal.notebook.parts import (
    BlockPart,
    MessagePart,
    Part,
    ThinkingPart,
    note,
)
from oi_daemon.terminal.printing import notice_text, print_warning, visible

_FRAME = 0.1
"""Seconds between two frames, at least."""
_REST = 4
"""The pause after a frame is at least this many times as long as drawing the frame has taken."""
_QUIET = ("idle", "writing", "approval", "input")
"""Activities that are not told: the text that grows, or the question, says enough."""


class NotebookScreen:
    """Shows Markdown, highlighted code, and what the code shows, as a notebook's displays.

    A chunk only changes what is known. A thread draws it, so that the turn does not wait for the
    notebook.
    """

    def __init__(
        self, *, model: str = "", sandboxed: bool = False, publish: Publish = publish
    ) -> None:
        """
        Args:
            model: the name of the model that is asked; empty if it is not known.
            sandboxed: code is restricted, so nothing that it shows may run in the notebook's page.
            publish: shows a bundle.
        """
        self._sandboxed = sandboxed
        self._displays = CellDisplays(publish)
        self._parts: list[Part] = []
        self._finished: dict[str, Bundle] = {}
        """What is seen of all parts but the last one, by a name for each bundle."""
        self._current: dict[str, Bundle] = {}
        """The same of all parts, when the last frame was drawn."""
        self._activity = Activity(model)
        self._reason = ""
        """Why the model's server is asked again, while that is waited for."""
        self._has_changed = False
        """Whether something was added since the last frame."""
        self._lock = threading.Lock()
        """Held to read or change any of these fields, because a thread of its own draws."""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        """The thread that draws; None while nothing is live."""

    def begin(self) -> None:
        """Show that the model is waited for."""
        self._activity.begin()
        self._start()

    def show(self, chunk: ChunkDict, result: ResultDict | None = None) -> None:
        """Show a chunk; with the end of a block, how it ended, if that is known."""
        with self._lock:
            self._activity.apply(chunk)
            self._take(chunk, result)
            self._has_changed = True
        self._start()

    def print_above(self, line: str) -> None:
        """Print the line on stderr."""
        print_warning(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop drawing. The question that follows stands below what is shown."""
        self._stop()
        with self._lock:
            self._draw(is_live=False)
            self._displays.settle()
            if isinstance(part := self._last, BlockPart):
                part.cut()
        yield
        self._activity.resume()
        self._start()

    def close(self) -> None:
        """Leave what is shown as it is."""
        self._stop()
        with self._lock:
            self._finish_last()
            self._draw(is_live=False)

    def _start(self) -> None:
        """Start the thread that draws. It has this one's context, by which the kernel knows the
        cell."""
        if self._thread is None:
            self._stopped.clear()
            draw = partial(contextvars.copy_context().run, self._draw_repeatedly)
            self._thread = threading.Thread(target=draw, daemon=True)
            self._thread.start()

    def _stop(self) -> None:
        """End the thread that draws."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopped.set()
            thread.join()

    def _draw_repeatedly(self) -> None:
        """Draw frames until `_stopped` is set. Runs in a thread."""
        pause = 0.0
        while not self._stopped.wait(pause):
            began = time.monotonic()
            with self._lock:
                self._draw()
            pause = max(_FRAME, _REST * (time.monotonic() - began))

    def _draw(self, *, is_live: bool = True) -> None:
        """Bring the displays up to date: the last part, and below it what is waited for."""
        status = self._status() if is_live else None
        if self._has_changed or not is_live:
            self._has_changed = False
            self._current = {**self._finished, **self._bundles_of_last()}
        self._displays.draw(self._current, status)

    def _bundles_of_last(self) -> dict[str, Bundle]:
        """What is seen of the last part, by a name for each bundle."""
        if self._last is None:
            return {}
        number = len(self._parts)
        return {f"{number} {name}": bundle for name, bundle in self._last.bundles()}

    def _status(self) -> Bundle | None:
        """What is waited for, in words; None where what is there says enough."""
        if self._activity.kind in _QUIET:
            return None
        words = self._activity.words
        if self._activity.kind == "retrying":
            words = f"{visible(self._reason)} {words}"
        return note(f"⋯ {words}")

    @property
    def _last(self) -> Part | None:
        """The part under way, or the one that ended last."""
        return self._parts[-1] if self._parts else None

    def _add(self, part: Part) -> None:
        """Begin another part; the one before it does not change any more."""
        self._finish_last()
        self._finished |= self._bundles_of_last()
        self._parts.append(part)

    def _finish_last(self) -> None:
        """The last part does not change any more."""
        if isinstance(part := self._last, ThinkingPart | BlockPart):
            part.finish()

    def _take(self, chunk: ChunkDict, result: ResultDict | None) -> None:
        """Take in a chunk: begin, extend or end a part."""
        match chunk:
            case {"message": text}:
                self._message().add(text)
            case {"thinking": text}:
                self._thinking().add(text)
            case {"language": language}:
                self._add(BlockPart(language, sandboxed=self._sandboxed))
            case {"code": text}:
                self._block().add_code(text)
            case {"executing": {"code": code, "language": language}}:
                self._executing(code, language)
            case {"notice": notice}:
                self._notify(notice)
            case _:
                self._run(chunk, result)

    def _run(self, chunk: ChunkDict, result: ResultDict | None) -> None:
        """Take in what a block does."""
        match chunk:
            case {"active_line": line}:
                self._block().activate(line)
            case {"output": text}:
                self._block().add_output(text)
            case {"display": data}:
                self._block().add_display(data)
            case {"declined": _}:
                self._block().decline()
            case {"end_of_execution": True} if result is not None:
                self._block().end(result["status"], result["seconds"])
            case {"end_of_execution": True}:
                self._block().end("ok")

    def _message(self) -> MessagePart:
        """The message under way; a new one if there is none."""
        if not isinstance(part := self._last, MessagePart):
            self._add(part := MessagePart())
        return part

    def _thinking(self) -> ThinkingPart:
        """The thinking under way; a new one if there is none."""
        if not isinstance(part := self._last, ThinkingPart):
            self._add(part := ThinkingPart())
        return part

    def _block(self) -> BlockPart:
        """The block under way; a new one if there is none."""
        if not isinstance(part := self._last, BlockPart):
            self._add(part := BlockPart("", sandboxed=self._sandboxed))
        return part

    def _executing(self, code: str, language: str) -> None:
        """Show the code that is about to run, or that the person is asked about."""
        if isinstance(self._last, BlockPart) and self._last.has_run:
            self._add(BlockPart(language, sandboxed=self._sandboxed))
        self._block().replace_code(code, language)

    def _notify(self, notice: NoticeDict) -> None:
        """Show a notice: as a note, or in the status if it is soon over."""
        if notice["kind"] == "retry":
            self._reason = notice["message"]
        elif notice["kind"] != "loading":
            self._finished[f"note {len(self._finished)}"] = note(notice_text(notice)[0])
