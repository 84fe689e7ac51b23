"""`import interpreter` gives an `Interpreter`, as in the reference, in place of a module."""

import sys

from oi_daemon.client.interpreter import Interpreter


def load_ipython_extension(shell: object) -> None:
    """`%load_ext interpreter`: give IPython the magics `%oi`, `%%oi`, `%chat` and `%%chat`."""
    from oi_daemon.client.notebook_magics import load

    load(shell, _interpreter)  # type: ignore[arg-type]


_interpreter = Interpreter()
for _name in ("__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"):
    setattr(_interpreter, _name, globals().get(_name))  # import tools read these of a module
for _name, _value in {
    "Interpreter": Interpreter,
    "OpenInterpreter": Interpreter,  # its name in Open Interpreter 0.2 to 0.4
    "interpreter": _interpreter,  # as these versions import it
    "load_ipython_extension": load_ipython_extension,
}.items():
    object.__setattr__(_interpreter, _name, _value)
sys.modules[__name__] = _interpreter  # type: ignore[assignment]
