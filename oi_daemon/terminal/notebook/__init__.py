"""A turn in a Jupyter notebook: displays below the cell, replaced in place while they change."""

import sys


def is_notebook() -> bool:
    """Whether this program is the kernel of a notebook, which can show displays."""
    return _kernel() is not None


def can_ask() -> bool:
    """Whether the notebook's kernel can ask for a line of input in this cell."""
    return bool(getattr(_kernel(), "_allow_stdin", True))


def _kernel() -> object | None:
    """The kernel that this program is, if it is one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None)
