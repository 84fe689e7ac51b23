"""The parts of a turn as bundles: messages, thinking, blocks with their output, and notes."""

import re
import time
from collections.abc import Iterator
from html import escape
from typing import Protocol

from oi_daemon.messages.lines import Lines
from oi_daemon.messages.written import DISPLAY_ID, Bundle, Written
from oi_daemon.terminal.activity import PHRASES, duration, ended
from oi_daemon.terminal.notebook.code import NOTE, code_html, note_html
from oi_daemon.terminal.printing import visible

_PAGE = re.compile(r"<(?:!doctype|html|head|body|script)\b", re.IGNORECASE)
"""What HTML has that is a page, or a program, and no mere table."""
_NOT_SHOWN = (DISPLAY_ID, "application/vnd.jupyter.widget-view+json")
"""Types that mean nothing in the page: a widget lives in the process that has made it."""
_LIVE_LINES = 200
"""Lines of output that are shown while more may come."""
_PLAIN = ("image/", "text/plain", "text/latex", "text/markdown", "application/pdf")
"""Beginnings of the types that a notebook shows without running anything of theirs."""


class Part(Protocol):
    """A part of what is seen of a turn."""

    def bundles(self) -> Iterator[tuple[str, Bundle]]:
        """Yield what is seen of it now, and for each a name that stays the same."""
        ...


class MessagePart:
    """Words of the model: Markdown, that grows."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, text: str) -> None:
        """Add text as it comes."""
        self._text += text

    def bundles(self) -> Iterator[tuple[str, Bundle]]:
        """Yield the message."""
        text = visible(self._text)
        yield "text", {"text/markdown": text, "text/plain": text}


class ThinkingPart:
    """What the model tells of its thinking, folded into a line."""

    def __init__(self) -> None:
        self._text = ""
        self._began = time.monotonic()
        self._seconds: int | None = None
        """How long it took; None while it goes on."""

    def add(self, text: str) -> None:
        """Add text as it comes."""
        self._text += text

    def finish(self) -> None:
        """The model writes something else now."""
        self._seconds = max(1, round(time.monotonic() - self._began))

    def bundles(self) -> Iterator[tuple[str, Bundle]]:
        """Yield the line, which can be opened, once the thinking is over."""
        if self._seconds is None:
            return
        line = PHRASES["thought"].format(time=duration(self._seconds))
        text = escape(visible(self._text.strip()))
        html = (
            f'<details style="{NOTE}"><summary>{line}</summary>'
            f'<div style="white-space:pre-wrap">{text}</div></details>'
        )
        yield "thinking", {"text/html": html, "text/plain": f"[{line}]"}


class BlockPart:
    """A block: its code, what it writes and shows, and how it ended."""

    def __init__(self, language: str, *, sandboxed: bool) -> None:
        """
        Args:
            sandboxed: the code may do less than the notebook's page may, so nothing that it shows
                runs in the page.
        """
        self._language = language
        self._sandboxed = sandboxed
        self._code = ""
        self._line: int | None = None
        self._stretches = [Written()]
        """What the block has written, cut where the person was asked something."""
        self._ending = ""
        self._is_finished = False
        self.has_run = False

    def add_code(self, text: str) -> None:
        """Add code as the model writes it."""
        self._code += text

    def replace_code(self, code: str, language: str) -> None:
        """Set the code that is about to run, which a person may have edited."""
        self._code, self._language = code, language

    def activate(self, line: int | None) -> None:
        """Mark the line that runs, counted from 1; None if none does."""
        self._line, self.has_run = line, True

    def add_output(self, text: str) -> None:
        """Add output of the code."""
        self._stretches[-1].write(text)

    def add_display(self, data: Bundle) -> None:
        """Add a display, or put it in place of the one that has its id."""
        name = data.get(DISPLAY_ID)
        for stretch in self._stretches:
            if name is not None and any(it.get(DISPLAY_ID) == name for it in stretch.displays):
                return stretch.show(data)
        self._stretches[-1].show(data)

    def cut(self) -> None:
        """What is written from now on stands below the question that the person answers now."""
        if self._stretches[-1].parts:
            self._stretches.append(Written())

    def end(self, status: str, seconds: float = 0.0) -> None:
        """The block has ended, with the status of its result."""
        self.finish()
        self.has_run, self._ending = True, ended(status, seconds)

    def finish(self) -> None:
        """Nothing of it changes any more. If it runs, it was interrupted."""
        if self.has_run and not self._is_finished:
            self._ending = ended("interrupted")
        self._line, self._is_finished = None, True

    def decline(self) -> None:
        """The block will not run."""
        self.finish()
        self._ending = "not run: declined"

    def bundles(self) -> Iterator[tuple[str, Bundle]]:
        """Yield the code, what it wrote and showed in between, and how it ended."""
        code = visible(self._code)
        html = code_html(code, self._language, self._line)
        yield "code", {"text/html": html, "text/plain": code}
        for number, stretch in enumerate(self._stretches):
            for index, part in enumerate(stretch.parts):
                bundle = self._text(part) if isinstance(part, str) else self._display(part)
                if bundle is not None:
                    yield f"{number}.{index}", bundle
        if self._ending:
            yield "ending", note(self._ending)

    def _text(self, written: str) -> Bundle | None:
        """A stretch of output; while more may come, its last lines. None if nothing is seen."""
        lines = Lines()
        lines.write(written)
        text = str(lines) if self._is_finished else _last(lines)
        text = text.rstrip("\n")
        return {"text/plain": text} if text else None

    def _display(self, data: Bundle) -> Bundle:
        """A display as it is shown in the notebook's page."""
        shown = {kind: value for kind, value in data.items() if kind not in _NOT_SHOWN}
        html = shown.get("text/html")
        if isinstance(html, str) and (self._sandboxed or _PAGE.search(html)):
            shown["text/html"] = _framed(html)
        if self._sandboxed:
            known = (*_PLAIN, "text/html")
            shown = {kind: shown[kind] for kind in shown if kind.startswith(known)}
        return shown


def _last(lines: Lines) -> str:
    """The last lines of an output."""
    return "\n".join(lines.last(_LIVE_LINES))


def _framed(page: str) -> str:
    """A page in a frame of its own, which cannot reach the notebook."""
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(page)}"'
        ' style="width:100%;height:480px;border:1px solid rgba(128,128,128,.3);background:white">'
        "</iframe>"
    )


def note(text: str) -> Bundle:
    """A line beside the conversation, such as how a block ended."""
    return {"text/html": note_html(text), "text/plain": f"[{text}]"}
