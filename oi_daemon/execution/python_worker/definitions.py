"""Runs the definitions of blocks in a new process of multiprocessing. See `processes`."""

from __future__ import annotations

import io
import marshal
import pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def define(namespace: dict[str, object], path: str) -> None:
    """Run the definitions in this file, and set the values that they use.

    A value may be needed by a definition, or be of a class that is defined. What fails is left out:
    a function that needs it says so.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        codes, values = pickle.load(file)
    left = _set(namespace, values)
    for code in codes:
        try:
            exec(marshal.loads(code), namespace)
        except Exception:
            continue
    _set(namespace, left)


def _set(namespace: dict[str, object], values: dict[str, bytes]) -> dict[str, bytes]:
    """Set these pickled values, and return those that cannot be set."""
    left = {}
    for name, data in values.items():
        try:
            namespace[name] = _Unpickler(namespace, data).load()
        except Exception:
            left[name] = data
    return left


class _Unpickler(pickle.Unpickler):
    """Finds the classes and functions of blocks in the namespace that is being filled."""

    def __init__(self, namespace: dict[str, object], data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._namespace = namespace

    def find_class(self, module: str, name: str) -> Any:
        if module == "__main__":
            return self._namespace[name]
        return super().find_class(module, name)
