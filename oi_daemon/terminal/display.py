"""A stream of chunks as a person sees it in the terminal."""

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any, Protocol

from oi_daemon.terminal.approval import Person
from oi_daemon.terminal.conversation import ShownChunks
from oi_daemon.terminal.notices import Notices
from oi_daemon.terminal.plain import PlainScreen


class Screen(Protocol):
    """Where chunks are shown."""

    def begin(self) -> None:
        """A turn has begun, and no chunk has come."""
        ...

    def show(self, chunk: dict[str, Any]) -> None: ...

    def note(self, line: str) -> None:
        """Show a line that is not part of the turn, from any thread."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """While a person is asked below what is shown."""
        ...

    def close(self) -> None:
        """All that is shown is finished."""
        ...


def show(
    chunks: ShownChunks,
    person: Person | None = None,
    *,
    notices: Notices | None = None,
    debug: bool = False,
) -> ShownChunks:
    """Show chunks as they pass by.

    Args:
        person: who is asked before code runs, and for input. Without one, whoever takes the
            chunks decides, and may write to the screen: nothing is drawn over.
        notices: where the daemon's lines come from. Without them it writes to the screen itself.
        debug: there are many such lines, so that nothing may be drawn over them.
    """
    undisturbed = notices is not None or not debug
    screen = screen_for_stdout(live=person is not None and undisturbed)
    noted = notices.shown_by(screen.note) if notices else nullcontext()
    with closing(chunks), closing(screen), noted:
        screen.begin()
        for chunk in chunks:
            screen.show(chunk)
            if person is not None and person.is_asked(chunk):
                with screen.paused():
                    person.answer(chunk)
            yield chunk


def screen_for_stdout(*, live: bool = True) -> Screen:
    """Plain text where stdout is no terminal, a dumb one, or is to have no colours."""
    if not is_rich():
        return PlainScreen()
    from rich.console import Console

    from oi_daemon.terminal.screen import RichScreen

    return RichScreen(Console(highlight=False, _environ=_without_size(os.environ)), live=live)


def _without_size(environ: Mapping[str, str]) -> dict[str, str]:
    """The size is the terminal's own, which changes; a shell may have exported what it was."""
    return {name: environ[name] for name in environ if name not in ("COLUMNS", "LINES")}


def is_rich() -> bool:
    """Whether stdout is a terminal that may be drawn on."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return sys.stdout.isatty() and not plain
