"""Makes plotting and image libraries display their results here, once they are imported."""

from __future__ import annotations

import os

from .figures import stand_in_for_agg, use_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .display import Displays
    from .hooks import AfterImport


def adapt_libraries(displays: Displays, after_import: AfterImport) -> None:
    """Make libraries show their results by `displays`."""

    def ipython(functions: ModuleType) -> None:
        """Replace IPython's display functions, which would need IPython's own shell."""
        functions.display = displays.display  # type: ignore[attr-defined]
        functions.update_display = displays.update  # type: ignore[attr-defined]
        functions.publish_display_data = displays.publish  # type: ignore[attr-defined]
        functions.clear_output = displays.clear  # type: ignore[attr-defined]

    def pillow(viewers: ModuleType) -> None:
        """Register a viewer for `Image.show()`, which would start another program otherwise."""

        class Viewer(viewers.Viewer):  # type: ignore[misc, name-defined]
            def show(self, image: object, **_: object) -> int:
                """Display the image; 1 tells Pillow to try no other viewer."""
                displays.display(image)
                return 1

        viewers.register(Viewer, 0)

    def plotly(module: ModuleType) -> None:
        """Register a renderer, and make it the default unless the environment names another."""

        class Renderer(module.ExternalRenderer):  # type: ignore[misc, name-defined]
            def render(self, figure: dict[str, object]) -> None:
                """Display the figure."""
                displays.display(_plotly_bundle(module, figure), raw=True)

        module.renderers["oi"] = Renderer()
        if "PLOTLY_RENDERER" not in os.environ:
            module.renderers.default = "oi"

    def matplotlib(module: ModuleType) -> None:
        """Make matplotlib draw with the worker's backend."""
        use_backend(module)
        stand_in_for_agg(module)

    after_import.add("matplotlib", matplotlib)
    after_import.add("IPython.core.display_functions", ipython)
    after_import.add("PIL.ImageShow", pillow)
    after_import.add("plotly.io._renderers", plotly)


def _plotly_bundle(module: ModuleType, figure: dict[str, object]) -> dict[str, object]:
    """Return a figure's MIME bundle: a page that needs no network, plotly's JSON, and text."""
    import plotly.io

    traces = figure.get("data") or ()
    kinds = ", ".join(str(trace.get("type", "scatter")) for trace in traces)  # type: ignore[attr-defined]
    page = plotly.io.to_html(figure, include_plotlyjs=True, validate=False)
    data: dict[str, object] = module.PlotlyRenderer().to_mimebundle(figure)
    return {**data, "text/html": page, "text/plain": f"<Plotly figure: {kinds}>"}
