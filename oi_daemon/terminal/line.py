"""Reads one line, for a question that does not belong to the history of what was typed."""

import os
import sys


def read_line(prompt: str, *, password: bool = False) -> str | None:
    """Ask for a line; returns it without its end, or None at the end of input."""
    try:
        if can_draw():
            return _read_with_keys(prompt, password)
        if password and sys.stdin.isatty():
            from getpass import getpass

            return getpass(prompt)
        sys.stderr.write(prompt)  # stdout may be a pipe
        sys.stderr.flush()
        return input()
    except EOFError:
        return None


def can_draw() -> bool:
    """Whether stdin and stdout are a terminal that can move its cursor."""
    dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return sys.stdin.isatty() and sys.stdout.isatty() and not dumb


def _read_with_keys(prompt: str, password: bool) -> str:
    """Ask below what is on the screen; the question is erased when it is answered."""
    from prompt_toolkit import PromptSession

    from oi_daemon.terminal.prompt import output, run

    return run(PromptSession(prompt, is_password=password, erase_when_done=True, output=output()))
