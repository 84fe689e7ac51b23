"""A matplotlib backend: `show()` displays every open figure, and closes it.

`show(block=False)` and `plt.pause` leave the figure open. When it is shown again, it replaces its
earlier display, so that a figure drawn in a loop is animated.
"""

import builtins
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from .bundle import represent

__all__ = ["FigureCanvas", "FigureManager", "show"]


class FigureManager(FigureManagerBase):  # type: ignore[misc]
    """Shows one figure."""

    handle: Any = None
    """The handle of the figure's display; None if it was not shown, or cannot be replaced."""

    def show(self) -> None:
        """Display the figure and close it; this is `figure.show()`."""
        self.display(again=False)
        Gcf.destroy(self)

    def display(self, *, again: bool) -> None:
        """Display the figure; with `again`, so that its display can be replaced later."""
        bundle = represent(self.canvas.figure)
        if self.handle is not None:
            self.handle.update(bundle, raw=True)
        else:
            display = builtins.display  # type: ignore[attr-defined]
            self.handle = display(bundle, raw=True, display_id=again or None)


class FigureCanvas(FigureCanvasAgg):  # type: ignore[misc]
    """Draws with Agg; matplotlib finds the manager by this class."""

    manager_class = FigureManager  # pyright: ignore[reportAssignmentType]


def show(*_: Any, block: Any = None, **__: Any) -> None:
    """Display all open figures; this is `plt.show()`."""
    stays = block is False
    for manager in Gcf.get_all_fig_managers():
        manager.display(again=stays)  # pyright: ignore[reportAttributeAccessIssue]
    if not stays:
        Gcf.destroy_all()
