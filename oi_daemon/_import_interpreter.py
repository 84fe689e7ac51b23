"""`import interpreter` gives the object of the reference. Installed as the module `interpreter`."""

import sys

from oi_daemon.client import Interpreter

sys.modules[__name__] = Interpreter()  # type: ignore[assignment]
