"""Makes a Jupyter MIME bundle of a value: all its representations, always with `text/plain`."""

from __future__ import annotations

from types import MethodType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_REPRESENTATIONS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
    "_repr_pdf_": "application/pdf",
}
_SOURCES = ("text/markdown", "text/latex")
"""Representations that are shown as plain text where `repr` is only `<... object at 0x...>`."""
_NO_METHOD = "_ipython_canary_method_should_not_exist_"
"""A name that no class defines, the same as IPython's: what has it answers to every name."""


def represent(value: object) -> dict[str, object]:
    """Return the value's MIME bundle, with binary data as base64 text."""
    bundle: dict[str, object] = {}
    if not isinstance(value, type):
        bundle.update(_whole(value))
        for method, mime in _REPRESENTATIONS.items():
            if mime not in bundle and not (mime == "image/jpeg" and bundle.get("image/png")):
                bundle[mime] = _call(value, method)
        if bundle.get("image/png") is None:
            bundle["image/png"] = _figure(value)
    if bundle.get("text/plain") is None:
        bundle["text/plain"] = _plain(value, bundle)
    return encoded(bundle)


def encoded(bundle: dict[str, object]) -> dict[str, object]:
    """Return the bundle without representations that are None, and with bytes as base64 text."""
    return {str(mime): _encode(data) for mime, data in bundle.items() if data is not None}


def own_method(value: object, name: str) -> Callable[..., object] | None:
    """Return the value's method of this name, or None if it has none.

    An object that answers to every name, such as a `Mock`, has no method of its own by that: it is
    not called, because it would record the call. One that passes names on to another object has
    the bound methods of that object.
    """
    try:
        if _is_defined(value, name):
            found = getattr(value, name)
            return found if callable(found) else None
        if getattr(value, _NO_METHOD, None) is not None:
            return None
        found = getattr(value, name, None)
        return found if type(found) is MethodType else None
    except Exception:
        return None


def _is_defined(value: object, name: str) -> bool:
    """Return True if the value or its class has this attribute, without asking the value for it."""
    if any(name in kind.__dict__ for kind in type(value).__mro__):
        return True
    try:
        return name in object.__getattribute__(value, "__dict__")
    except AttributeError:
        return False


def _whole(value: object) -> dict[str, object]:
    """Return what the value's own `_repr_mimebundle_` gives; empty if it has none or it fails."""
    function = own_method(value, "_repr_mimebundle_")
    if function is None:
        return {}
    try:
        bundle = _data(function(include=None, exclude=None))
    except Exception:
        return {}
    return dict(bundle) if isinstance(bundle, dict) else {}


def _plain(value: object, bundle: dict[str, object]) -> object:
    """Return the value's `text/plain`: its `repr`, or Markdown or LaTeX where that says more."""
    text = repr(value)
    says_little = text.startswith("<") and (" object at 0x" in text or text.endswith(" object>"))
    sources = [bundle[mime] for mime in _SOURCES if bundle.get(mime)] if says_little else []
    return sources[0] if sources else text


def _call(value: object, method: str) -> object:
    """Return one representation, or None if the value has no such method or the method fails."""
    function = own_method(value, method)
    if function is None:
        return None
    try:
        return _data(function())
    except Exception:
        return None


def _data(result: object) -> object:
    """Return a representation without its metadata; a method may return both as a tuple."""
    return result[0] if isinstance(result, tuple) else result


def _figure(value: object) -> bytes | None:
    """Return a matplotlib figure as PNG, because it has no `_repr_png_`; None for other values."""
    if type(value).__module__ != "matplotlib.figure":
        return None
    import io

    picture = io.BytesIO()
    value.savefig(picture, format="png", bbox_inches="tight")  # type: ignore[attr-defined]
    return picture.getvalue()


def _encode(data: object) -> object:
    """Return bytes as base64 text, and any other value as it is."""
    if not isinstance(data, bytes):
        return data
    from base64 import b64encode

    return b64encode(data).decode()
