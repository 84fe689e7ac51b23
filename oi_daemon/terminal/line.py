"""One line from the person, for a question that is not kept."""

import os
import sys


def read_line(prompt: str, *, password: bool = False) -> str | None:
    """One line without its end; None at end of input."""
    try:
        if can_draw():
            return _at_the_cursor(prompt, password)
        if password and sys.stdin.isatty():
            from getpass import getpass

            return getpass(prompt)
        sys.stderr.write(prompt)  # stdout may be a pipe
        sys.stderr.flush()
        return input()
    except EOFError:
        return None


def can_draw() -> bool:
    """Whether a person is at both ends of a terminal that can move its cursor."""
    dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return sys.stdin.isatty() and sys.stdout.isatty() and not dumb


def _at_the_cursor(prompt: str, password: bool) -> str:
    """Asks below what is on the screen, and takes the question away again."""
    from prompt_toolkit import PromptSession

    from oi_daemon.terminal.prompt import output, run

    return run(PromptSession(prompt, is_password=password, erase_when_done=True, output=output()))
