"""Values that are more than text: pictures, tables, pages, as Jupyter MIME bundles."""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .channel import Channel
    from .streams import Output

_BACKEND = f"module://{__package__}.matplotlib_backend"
_LARGEST = 32 << 20

_REPRESENTATIONS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
}


class Displays:
    def __init__(self, channel: Channel, output: Output) -> None:
        self._channel: Channel | None = channel
        self._output = output

    def install(self) -> None:
        builtins.display = self.display  # type: ignore[attr-defined]
        sys.displayhook = self.echo

    def in_child(self) -> None:
        """In a forked copy: what it displays is written as text."""
        self._channel = None

    def display(self, *values: object, **_: object) -> None:
        """The builtin: show each value in the richest form it has."""
        for value in values:
            self._show(value)

    def echo(self, value: object) -> None:
        """sys.displayhook: the value of a block's last expression."""
        if value is not None:
            builtins._ = value  # type: ignore[attr-defined]
            self._show(value)

    def _show(self, value: object) -> None:
        bundle = represent(value)
        text = bundle["text/plain"]
        if len(bundle) == 1 or self._channel is None:
            self._write(str(text) + "\n")
        elif sum(len(str(part)) for part in bundle.values()) > _LARGEST:
            self._write(f"{text}\n[Too large to be displayed.]\n")
        else:
            self._output.here()
            self._output.mark("D", self._channel.send(display=bundle))
            self._output.flush()

    def _write(self, text: str) -> None:
        sys.stdout.write(text)

    def use_in_matplotlib(self, matplotlib: ModuleType) -> None:
        """Figures are displayed by `show()`, unless the code itself has chosen a backend."""
        matplotlib.rcParams["backend"] = _BACKEND

    def use_in_ipython(self, functions: ModuleType) -> None:
        """IPython's own `display` needs its shell."""
        functions.display = self.display  # type: ignore[attr-defined]

    def show_figures(self) -> None:
        """Show what the block has drawn and not shown."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None and pyplot.get_backend().lower() == _BACKEND and pyplot.get_fignums():
            pyplot.show()


def represent(value: object) -> dict[str, object]:
    """The value's MIME bundle; `text/plain` is always in it."""
    bundle: dict[str, object] = {}
    if not isinstance(value, type):
        whole = getattr(value, "_repr_mimebundle_", None)
        if callable(whole):
            bundle.update(_data(whole(include=None, exclude=None)) or {})  # type: ignore[call-overload]
        for method, mime in _REPRESENTATIONS.items():
            if mime not in bundle:
                bundle[mime] = _call(value, method)
        if bundle["image/png"] is None:
            bundle["image/png"] = _figure(value)
    bundle.setdefault("text/plain", repr(value))
    return {mime: _encode(data) for mime, data in bundle.items() if data is not None}


def _call(value: object, method: str) -> object:
    """One representation; an object whose method fails is shown without it."""
    function = getattr(value, method, None)
    if not callable(function):
        return None
    try:
        return _data(function())
    except Exception:
        return None


def _data(result: object) -> object:
    """Without the metadata that may come with it."""
    return result[0] if isinstance(result, tuple) else result


def _figure(value: object) -> bytes | None:
    """A matplotlib figure has no representation of its own."""
    if type(value).__module__ != "matplotlib.figure":
        return None
    import io

    picture = io.BytesIO()
    value.savefig(picture, format="png", bbox_inches="tight")  # type: ignore[attr-defined]
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(value)  # or the end of the block would show it again
    return picture.getvalue()


def _encode(data: object) -> object:
    if not isinstance(data, bytes):
        return data
    from base64 import b64encode

    return b64encode(data).decode()
