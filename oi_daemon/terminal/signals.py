"""Signals that end or suspend the program: the terminal is given back as it was."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_RESET = "\x1b[?25h\x1b[?2004l\x1b[0m"
"""Shows the cursor, ends the marks around pasted text, and ends all colours."""
_ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT")

_cleanups: list[Callable[[], object]] = []
"""What is done before a signal ends the program."""
_redraws: list[Callable[[], object]] = []
"""What is done when the program goes on after it was suspended."""


@contextmanager
def before_death(cleanup: Callable[[], object]) -> Iterator[None]:
    """While this is entered, a signal that ends the program does this first."""
    _cleanups.append(cleanup)
    try:
        yield
    finally:
        _cleanups.remove(cleanup)


@contextmanager
def after_resume(redraw: Callable[[], object]) -> Iterator[None]:
    """While this is entered, this is called when the program goes on after Ctrl-Z and `fg`."""
    _redraws.append(redraw)
    try:
        yield
    finally:
        _redraws.remove(redraw)


def give_back_terminal() -> None:
    """From now on, a signal that ends or suspends the program gives the terminal back first.

    The program then ends by that signal, as its parent expects, or is suspended.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = _attributes()
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, frame: _die(number, before))
    stop = getattr(signal, "SIGTSTP", None)
    if stop is not None and signal.getsignal(stop) == signal.SIG_DFL:
        signal.signal(stop, lambda number, frame: _suspend(number, before))


def _die(number: int, before: list[Any] | None) -> None:
    """End the program by this signal.

    Args:
        before: the terminal's attributes as they were at the start.
    """
    _restore(before)
    for cleanup in reversed(_cleanups):
        try:
            cleanup()
        except Exception:
            continue  # nobody can be told any more
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _suspend(number: int, before: list[Any] | None) -> None:
    """Suspend the program; when it goes on, draw again what was on the screen."""
    now = _attributes()
    handler = signal.getsignal(number)
    _restore(before)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.signal(number, handler)
    _set_attributes(now)
    for redraw in list(_redraws):
        redraw()
    signal.raise_signal(signal.SIGWINCH)  # a prompt draws itself again


def _restore(before: list[Any] | None) -> None:
    """Give the terminal its attributes, its cursor and its colours back."""
    _set_attributes(before)
    if before is not None and os.isatty(1):
        try:
            os.write(1, _RESET.encode())
        except OSError:
            return  # the terminal is gone


def _attributes() -> list[Any] | None:
    """The attributes of the terminal that is the standard input; None if it is none."""
    try:
        import termios
    except ImportError:  # Windows
        return None
    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None


def _set_attributes(attributes: list[Any] | None) -> None:
    """Set the attributes of the terminal that is the standard input."""
    if attributes is None:
        return
    import termios

    try:
        termios.tcsetattr(0, termios.TCSADRAIN, attributes)
    except termios.error:
        return  # the terminal is gone
