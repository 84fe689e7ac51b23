"""Describes a value as IPython's `name?` does. Loaded when a block asks for that."""

from __future__ import annotations

import inspect

_LONGEST = 500
"""Most characters of a value's own text that are shown."""


def documentation(value: object, name: str, *, source: bool = False) -> str:
    """Return what a value is: its signature, documentation, file and type.

    Args:
        name: how the code calls the value; it stands in the signature.
        source: whether to give the source, where it is known, in place of the documentation.
    """
    code = _source(value) if source else ""
    fields = {
        "Signature": _signature(value, name),
        "Type": type(value).__name__,
        "String form": "" if _has_documentation(value) else _text(value),
        "Length": _length(value),
        "File": _file(value),
        "Docstring": "" if code else inspect.getdoc(value) or "<no docstring>",
        "Source": code,
    }
    return "".join(_field(title, text) for title, text in fields.items() if text)


def _field(title: str, text: str) -> str:
    """Return one field, with a text of several lines below its title."""
    text = text.rstrip()
    return f"{title}:\n{text}\n" if "\n" in text else f"{title + ':':<13}{text}\n"


def _has_documentation(value: object) -> bool:
    """Return True for what is documented itself: functions, classes and modules."""
    return inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value)


def _signature(value: object, name: str) -> str:
    """Return how the value is called; empty if it is not, or if that is not known."""
    try:
        return f"{name}{inspect.signature(value)}"  # type: ignore[arg-type]
    except Exception:
        return ""


def _text(value: object) -> str:
    """Return the beginning of the value's own text."""
    try:
        text = str(value)
    except Exception as error:
        return f"<{type(error).__name__} in its __str__>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _length(value: object) -> str:
    """Return how many items the value has; empty if it is no collection."""
    try:
        return "" if inspect.isclass(value) else str(len(value))  # type: ignore[arg-type]
    except Exception:
        return ""


def _file(value: object) -> str:
    """Return the file in which the value, or its class, is defined; empty if there is none."""
    try:
        owner = inspect.unwrap(value) if _has_documentation(value) else type(value)  # type: ignore[arg-type]
        return inspect.getfile(owner)
    except Exception:
        return ""


def _source(value: object) -> str:
    """Return the source of the value, or of its class; empty if it is not known."""
    for owner in (value, type(value)):
        try:
            return inspect.getsource(owner)  # type: ignore[arg-type]
        except Exception:
            continue
    return ""
