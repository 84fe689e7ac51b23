"""What libraries show by: made to display here, once they are imported."""

from __future__ import annotations

import os

from .figures import stand_in_for_agg, use_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .display import Displays
    from .hooks import AfterImport


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
        stand_in_for_agg(module)

    after_import.add("matplotlib", matplotlib)
    after_import.add("IPython.core.display_functions", ipython)
    after_import.add("PIL.ImageShow", pillow)
    after_import.add("plotly.io._renderers", plotly)


def _plotly_bundle(module: ModuleType, figure: dict[str, object]) -> dict[str, object]:
    import plotly.io

    traces = figure.get("data") or ()
    kinds = ", ".join(str(trace.get("type", "scatter")) for trace in traces)  # type: ignore[attr-defined]
    page = plotly.io.to_html(figure, include_plotlyjs=True, validate=False)
    data: dict[str, object] = module.PlotlyRenderer().to_mimebundle(figure)
    return {**data, "text/html": page, "text/plain": f"<Plotly figure: {kinds}>"}
