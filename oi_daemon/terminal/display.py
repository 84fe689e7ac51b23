"""A stream of chunks as a person sees it in the terminal."""

import os
import sys
from contextlib import AbstractContextManager, closing
from typing import Any, Protocol

from oi_daemon.terminal.approval import Person
from oi_daemon.terminal.conversation import Chunks
from oi_daemon.terminal.plain import PlainScreen


class Screen(Protocol):
    """Where chunks are shown."""

    def begin(self) -> None:
        """A turn has begun, and no chunk has come."""
        ...

    def show(self, chunk: dict[str, Any]) -> None: ...

    def paused(self) -> AbstractContextManager[None]:
        """While a person is asked below what is shown."""
        ...

    def close(self) -> None:
        """All that is shown is finished."""
        ...


def show(chunks: Chunks, person: Person | None = None, *, debug: bool = False) -> Chunks:
    """Show chunks as they pass by.

    Args:
        person: who is asked before code runs, and for input. Without one, whoever takes the
            chunks decides, and may write to the screen: nothing is drawn over.
        debug: lines of the daemon appear on the screen too, so nothing may be drawn over.
    """
    screen = screen_for_stdout(live=person is not None and not debug)
    with closing(chunks), closing(screen):
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

    return RichScreen(Console(highlight=False), live=live)


def is_rich() -> bool:
    """Whether stdout is a terminal that may be drawn on."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return sys.stdout.isatty() and not plain
