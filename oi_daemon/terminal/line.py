"""Reads one line, for a question that does not belong to the history of what was typed."""

import os
import sys
from typing import TextIO


def read_line(prompt: str, *, password: bool = False) -> str | None:
    """Ask for a line; returns it without its end, or None at the end of input."""
    if can_draw():
        try:
            return _read_with_keys(prompt, password)
        except EOFError:
            return None
    if not _is_notebook():
        sys.stderr.write(prompt)  # stdout may be a pipe
        sys.stderr.flush()
        prompt = ""
    return read_plain_line(prompt, password=password)


def read_plain_line(prompt: str, *, password: bool = False) -> str | None:
    """A line from standard input; None at its end, and where there is no input.

    A notebook asks in a field of the cell. It may refuse to, and so may a test runner.
    """
    try:
        if password and (is_terminal(sys.stdin) or _is_notebook()):
            from getpass import getpass

            return getpass(prompt)
        return input(prompt)
    except (EOFError, OSError, RuntimeError, ValueError):
        return None


def can_draw() -> bool:
    """Whether stdin and stdout are a terminal that can move its cursor."""
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return has_terminal() and not is_dumb


def has_terminal() -> bool:
    """Whether stdin and stdout are a terminal."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def is_terminal(file: TextIO | None) -> bool:
    """Whether the file is a terminal. A program without a console has None in its place."""
    try:
        return file is not None and file.isatty()
    except ValueError:  # it is closed
        return False


def _is_notebook() -> bool:
    """Whether a notebook has replaced `input` by one that asks in a field of the cell."""
    return input.__module__ != "builtins"


def _read_with_keys(prompt: str, password: bool) -> str:
    """Ask below what is on the screen; the question is erased when it is answered."""
    from prompt_toolkit import PromptSession

    from oi_daemon.terminal.prompt import output, run

    return run(
        PromptSession(
            prompt,
            is_password=password,
            erase_when_done=True,
            enable_suspend=True,
            output=output(),
        )
    )
