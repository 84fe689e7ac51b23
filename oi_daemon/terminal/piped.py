"""What is piped into the program beside a question, as in `cat data.csv | interpreter "sum it"`."""

import os
import select
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from oi_daemon.messages.text import fenced
from oi_daemon.terminal.printing import print_warning
from oi_daemon.terminal.signals import before_death

_MOST_IN_WORDS = 16_000
"""Bytes; more than that is given to the code as a file, instead of to the model as text."""
_PATIENCE = 2.0
"""Seconds after which it is said that the input is waited for."""
_SHOWN = 1_000
"""Characters of such a file that the model gets to see."""


def with_piped_data(question: str, data: BinaryIO, opened: ExitStack) -> str:
    """Return the question with what the data holds, or with the file in which it is.

    Args:
        data: the standard input. It is read to its end.
        opened: keeps the file until it is closed.
    """
    if not select.select([data], [], [], _PATIENCE)[0]:
        print_warning("Waiting for the standard input, which is read to its end.")
    start = data.read(_MOST_IN_WORDS + 1)
    text = _text(start)
    if not start.strip():
        return question
    if text is not None and len(start) <= _MOST_IN_WORDS:
        return f"{question}\n\nThe standard input:\n\n{fenced(text.rstrip())}"
    file = opened.enter_context(_temporary_file())
    opened.enter_context(before_death(lambda: Path(file.name).unlink()))
    file.write(start)
    shutil.copyfileobj(data, file)
    file.flush()
    where = f"The standard input ({file.tell():,} bytes) is in the file {file.name}."
    if text is None:
        return f"{question}\n\n{where} It is not text."
    return f"{question}\n\n{where} It begins:\n\n{fenced(text[:_SHOWN].rstrip())}"


def ask_at_terminal() -> bool:
    """Make the terminal the standard input, once the piped data is read. False if there is none."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDWR)
    except OSError:
        return False
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = open(0, encoding=sys.stdin.encoding, closefd=False)  # noqa: SIM115 - it is stdin
    return True


def _temporary_file() -> "tempfile._TemporaryFileWrapper[bytes]":
    """Return a new private file, which is deleted when it is closed."""
    return tempfile.NamedTemporaryFile(prefix="stdin-")


def _text(data: bytes) -> str | None:
    """The text of the data, of which the end may be cut off; None if it is no text."""
    if b"\0" in data:
        return None
    text = data.decode("utf-8", "replace")
    return text if text.count("�", 0, -1) <= len(text) / 100 else None
