"""A stream of chunks as a person sees it in the terminal."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Protocol

from oi_daemon.messages.shapes import ChunkDict, ChunkStream, ResultDict
from oi_daemon.terminal.approval import Person
from oi_daemon.terminal.daemon_log import DaemonLog
from oi_daemon.terminal.notebook import is_notebook
from oi_daemon.terminal.plain import PlainScreen


class Screen(Protocol):
    """Where chunks are shown."""

    def begin(self) -> None:
        """Show that a turn has begun, before its first chunk."""
        ...

    def show(self, chunk: ChunkDict, result: ResultDict | None = None) -> None:
        """Show a chunk; with the end of a block, how it ended, if that is known."""
        ...

    def print_above(self, line: str) -> None:
        """Show a line that is not part of the turn. It may be called from any thread."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """Stop drawing while a person is asked below what is shown."""
        ...

    def close(self) -> None:
        """Leave all that is shown on the screen for good."""
        ...


def show(
    chunks: ChunkStream,
    person: Person | None = None,
    *,
    log: DaemonLog | None = None,
    debug: bool = False,
    model: str = "",
    sandboxed: bool = False,
    result: Callable[[], ResultDict | None] = lambda: None,
) -> ChunkStream:
    """Show chunks as they pass by, and ask the person where one waits for an answer.

    Args:
        person: who is asked. Without one, the caller decides and may write to the screen, so
            nothing is drawn that would be replaced later.
        log: holds the daemon's log lines. Without it, the daemon writes them to the screen.
        debug: the daemon logs many lines. Without `log`, nothing is drawn that would be replaced
            later, because these lines would come in between. The model's thinking is shown whole.
        model: the name of the model that is asked; empty if it is not known.
        sandboxed: code is restricted, so what it shows is, too, in a notebook.
        result: returns how the latest block ended.
    """
    is_undisturbed = log is not None or not debug
    live = person is not None and is_undisturbed
    screen = screen_for_stdout(live=live, model=model, unfolded=debug, sandboxed=sandboxed)
    lines_shown = log.shown_by(screen.print_above) if log else nullcontext()
    with closing(chunks), closing(screen), lines_shown:
        screen.begin()
        for chunk in chunks:
            screen.show(chunk, result() if "end_of_execution" in chunk else None)
            if person is not None and person.is_asked(chunk):
                with screen.paused():
                    person.answer(chunk)
            yield chunk


def screen_for_stdout(
    *, live: bool = True, model: str = "", unfolded: bool = False, sandboxed: bool = False
) -> Screen:
    """The screen for stdout: plain text where it is no terminal or must not have colours.

    In a notebook, displays below the cell.

    Args:
        live: see `RichScreen`; so are `model` and `unfolded`.
        sandboxed: see `show`.
    """
    if is_notebook():
        from oi_daemon.terminal.notebook.screen import NotebookScreen

        return NotebookScreen(model=model, sandboxed=sandboxed)
    if not is_rich():
        return PlainScreen()
    from rich.console import Console

    from oi_daemon.terminal.screen import RichScreen

    console = Console(highlight=False, _environ=_without_size(os.environ))
    return RichScreen(console, live=live, model=model, unfolded=unfolded)


def _without_size(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the terminal's size, which a shell may have exported long ago."""
    return {name: environ[name] for name in environ if name not in ("COLUMNS", "LINES")}


def is_rich() -> bool:
    """Whether stdout is a terminal that may be drawn on, in colours."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return sys.stdout.isatty() and not plain
