"""A matplotlib backend: `show()` displays every open figure, and closes it.

`show(block=False)` and `plt.pause` leave it open: shown again, it takes its own place, so that what
is drawn in a loop moves.
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

    def show(self) -> None:
        """What `figure.show()` does."""
        self.display(again=False)
        Gcf.destroy(self)

    def display(self, *, again: bool) -> None:
        """Display the figure; with `again`, so that it can take this place again."""
        bundle = represent(self.canvas.figure)
        if self.handle is not None:
            self.handle.update(bundle, raw=True)
        else:
            display = builtins.display  # type: ignore[attr-defined]
            self.handle = display(bundle, raw=True, display_id=again or None)


class FigureCanvas(FigureCanvasAgg):  # type: ignore[misc]
    manager_class = FigureManager


def show(*_: Any, block: Any = None, **__: Any) -> None:
    stays = block is False
    for manager in Gcf.get_all_fig_managers():
        manager.display(again=stays)
    if not stays:
        Gcf.destroy_all()
