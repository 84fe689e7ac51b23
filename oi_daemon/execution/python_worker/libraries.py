"""What libraries show by: made to display here, once they are imported."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .display import Displays
    from .hooks import AfterImport

BACKEND = f"module://{__package__}.matplotlib_backend"


def show_by(displays: Displays, after_import: AfterImport) -> None:
    """Have libraries show what they show by these displays."""

    def ipython(functions: ModuleType) -> None:
        """IPython's own functions need its shell."""
        functions.display = displays.display  # type: ignore[attr-defined]
        functions.update_display = displays.update  # type: ignore[attr-defined]
        functions.publish_display_data = displays.publish  # type: ignore[attr-defined]
        functions.clear_output = displays.clear  # type: ignore[attr-defined]

    def pillow(viewers: ModuleType) -> None:
        """`Image.show()` would start another program."""

        class Viewer(viewers.Viewer):  # type: ignore[misc, name-defined]
            def show(self, image: object, **_: object) -> int:
                displays.display(image)
                return 1

        viewers.register(Viewer, 0)

    def plotly(module: ModuleType) -> None:
        """Figures are pages that need no network, unless the environment names a renderer."""

        class Renderer(module.ExternalRenderer):  # type: ignore[misc, name-defined]
            def render(self, figure: dict[str, object]) -> None:
                displays.display(_plotly_bundle(module, figure), raw=True)

        module.renderers["oi"] = Renderer()
        if "PLOTLY_RENDERER" not in os.environ:
            module.renderers.default = "oi"

    def matplotlib(module: ModuleType) -> None:
        use_backend(module)
        _stand_in_for_agg(module)

    after_import.add("matplotlib", matplotlib)
    after_import.add("IPython.core.display_functions", ipython)
    after_import.add("PIL.ImageShow", pillow)
    after_import.add("plotly.io._renderers", plotly)


def use_backend(matplotlib: ModuleType) -> None:
    """Figures are displayed by `show()`, unless the code itself has chosen a backend."""
    matplotlib.rcParams["backend"] = BACKEND


def _stand_in_for_agg(matplotlib: ModuleType) -> None:
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


def _plotly_bundle(module: ModuleType, figure: dict[str, object]) -> dict[str, object]:
    import plotly.io

    traces = figure.get("data") or ()
    kinds = ", ".join(str(trace.get("type", "scatter")) for trace in traces)  # type: ignore[attr-defined]
    page = plotly.io.to_html(figure, include_plotlyjs=True, validate=False)
    data: dict[str, object] = module.PlotlyRenderer().to_mimebundle(figure)
    return {**data, "text/html": page, "text/plain": f"<Plotly figure: {kinds}>"}
