"""The standard input, output and error of the program, of which a shell may have closed some."""

import os
import sys
from typing import IO


def open_closed() -> bool:
    """Open the null device in place of each closed one; returns whether there is an output.

    A file or a socket of ours would otherwise become the program's input or output. It is called
    before anything else is opened.
    """
    was_open = [_open_if_closed(descriptor) for descriptor in (0, 1, 2)]
    sys.stdin = sys.stdin or _file(0, "r")
    sys.stdout = sys.stdout or _file(1, "w")
    sys.stderr = sys.stderr or _file(2, "w")
    return was_open[1]


def discard_output() -> None:
    """Let what is still to be written to stdout disappear, because it cannot be written."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _open_if_closed(descriptor: int) -> bool:
    """Open the null device as this descriptor, if it is closed; returns whether it was open."""
    try:
        os.fstat(descriptor)
    except OSError:
        null = os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
        if null != descriptor:
            os.dup2(null, descriptor)
            os.close(null)
        return False
    return True


def _file(descriptor: int, mode: str) -> IO[str]:
    """A text file for a descriptor, which stays open when the file is closed."""
    return os.fdopen(descriptor, mode, encoding="utf-8", errors="replace", closefd=False)
