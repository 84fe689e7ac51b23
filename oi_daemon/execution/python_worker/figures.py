"""Makes matplotlib draw with the worker's backend, and shows figures that code left open."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

BACKEND = f"module://{__package__}.matplotlib_backend"


def use_backend(matplotlib: ModuleType) -> None:
    """Choose the worker's backend, by which `show()` displays figures. Code may choose another."""
    matplotlib.rcParams["backend"] = BACKEND


def stand_in_for_agg(matplotlib: ModuleType) -> None:
    """Make `matplotlib.use('Agg')` choose the worker's backend.

    Much code chooses Agg because there may be no screen. The worker's backend draws with Agg too,
    and displays the figures as well.
    """
    choose = matplotlib.use

    def use(backend: str, **options: object) -> None:
        """Choose this backend, or the worker's instead of Agg; this is `matplotlib.use`."""
        choose(BACKEND if backend.lower() == "agg" else backend, **options)

    matplotlib.use = use  # type: ignore[attr-defined]


def show_figures() -> None:
    """Show the figures that the code has drawn but not shown."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_backend().lower() == BACKEND and pyplot.get_fignums():
        pyplot.show()


def close_figure(value: object) -> None:
    """Close the value if it is a figure, so that it is not shown again at the block's end."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and type(value).__module__ == "matplotlib.figure":
        pyplot.close(value)
