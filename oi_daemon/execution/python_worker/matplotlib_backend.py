"""A matplotlib backend: `show()` displays every open figure, and closes it."""

import builtins
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import (
    FigureCanvasAgg as FigureCanvas,
)

__all__ = ["FigureCanvas", "show"]


def show(*_: Any, **__: Any) -> None:
    for manager in Gcf.get_all_fig_managers():
        builtins.display(manager.canvas.figure)  # type: ignore[attr-defined]
    Gcf.destroy_all()
