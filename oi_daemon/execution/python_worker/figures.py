"""matplotlib's figures: drawn by our backend, shown where they are not shown yet."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

BACKEND = f"module://{__package__}.matplotlib_backend"


def use_backend(matplotlib: ModuleType) -> None:
    """Figures are displayed by `show()`, unless the code itself has chosen a backend."""
    matplotlib.rcParams["backend"] = BACKEND


def stand_in_for_agg(matplotlib: ModuleType) -> None:
    """It is chosen where there is no screen, by much code. Ours draws by it, and shows too."""
    choose = matplotlib.use

    def use(backend: str, **options: object) -> None:
        choose(BACKEND if backend.lower() == "agg" else backend, **options)

    matplotlib.use = use  # type: ignore[attr-defined]


def show_figures() -> None:
    """Show what matplotlib has drawn and not shown."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_backend().lower() == BACKEND and pyplot.get_fignums():
        pyplot.show()


def close_figure(value: object) -> None:
    """A figure that has been displayed is not shown again at the block's end."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and type(value).__module__ == "matplotlib.figure":
        pyplot.close(value)
