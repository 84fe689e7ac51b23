"""`import interpreter` gives an `Interpreter`, as in the reference, in place of a module."""

import sys

from oi_daemon.client.interpreter import Interpreter

_interpreter = Interpreter()
for _name in ("__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"):
    setattr(_interpreter, _name, globals().get(_name))  # import tools read these of a module
sys.modules[__name__] = _interpreter  # type: ignore[assignment]
