"""`import interpreter` gives the reference's object. Installed as the top-level module `interpreter`."""

import sys

from oi_daemon.client import Interpreter

sys.modules[__name__] = Interpreter()  # type: ignore[assignment]
