"""Which line of the program has called the library."""

import sys
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])
"""The folder of this package, whose own lines no warning should name."""


def callers_level() -> int:
    """The `stacklevel` at which the caller of this function warns of the program's own line."""
    frame = sys._getframe(1)
    level = 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level
