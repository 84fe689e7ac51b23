"""Shapes, columns and types of arrays and tables: of numpy, pandas and polars.

Nothing is computed or copied, and no Python code of these libraries is run: it may not be ready for
a thread that reads while another one writes.
"""

from __future__ import annotations

from itertools import islice
from types import MethodDescriptorType

from .static import NOTHING, attribute, class_member, class_name, is_class, library_class, mro

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

COLUMNS = 100
"""Most columns of a table that are named."""
_BLOCKS = 1000
"""Most blocks of a pandas table that are looked at."""
VALUES = 6
"""How many values of an array are shown."""


class Facts:
    """What is known of an array or a table."""

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        kind: str = "",
        size: int | None = None,
        columns: list[tuple[object, str]] | None = None,
        values: list[object] | None = None,
    ) -> None:
        """
        Args:
            kind: the type of its elements, as in `float64`.
            size: bytes, without what it only refers to; None if that is not known.
            columns: the label and the type of each of the first columns of a table.
            values: its first values; None if they are not looked at.
        """
        self.shape = shape
        self.kind = kind
        self.bytes = size
        self.columns = columns
        self.values = values


def facts(value: Any) -> Facts | None:
    """Return what is known of an array or a table; None for other values."""
    for base in mro(type(value)):
        for module, read in _READERS.get(class_name(base), ()):
            if library_class(module, class_name(base)) is base:
                try:
                    return read(value)
                except Exception:  # another thread is changing it, or it is of a new version
                    return None
    return None


def is_scalar(value: Any) -> bool:
    """Return whether the value is a number, text or time of numpy."""
    generic = library_class("numpy", "generic")
    return generic is not None and generic in mro(type(value))


def plain(value: Any) -> Any:
    """Return a number, text or time of numpy as one of Python; itself if there is none."""
    item = class_member(type(value), "item")
    return item.__get__(value)() if type(item) is MethodDescriptorType else value


def _get(value: Any, name: str) -> Any:
    """Return an attribute that is there.

    Raises:
        AttributeError: it is not, or only Python code could tell.
    """
    found = attribute(value, name)
    if found is NOTHING:
        raise AttributeError(name)
    return found


def _array(value: Any) -> Facts:
    """Read an array of numpy."""
    dtype = _get(value, "dtype")
    return Facts(
        _get(value, "shape"),
        kind=_dtype(dtype),
        size=_get(value, "nbytes"),
        values=_first_values(value),
    )


def _first_values(value: Any) -> list[object] | None:
    """Return the first values of an array of numpy; None if they may be on a disk."""
    mapped = library_class("numpy", "memmap")
    if mapped in mro(type(value)):
        return None
    # Slices of a derived class's array call its `__array_finalize__`. Single elements do not.
    return list(islice(_get(value, "flat"), VALUES))


_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex", "V": "void"}
_NAMES = {"b": "bool", "O": "object", "S": "bytes", "U": "str", "T": "str"}


def _dtype(dtype: Any) -> str:
    """Return the name of a numpy dtype."""
    kind = _get(dtype, "kind")
    if kind in "mM":
        text: str = _get(dtype, "str")
        return f"{'timedelta64' if kind == 'm' else 'datetime64'}{text[3:]}"
    if kind in _KINDS:
        return f"{_KINDS[kind]}{8 * _get(dtype, 'itemsize')}"
    return _NAMES.get(kind, str(kind))


def _frame(value: Any) -> Facts:
    """Read a DataFrame of pandas."""
    manager = _get(value, "_mgr")
    columns, rows = _get(manager, "axes")
    blocks = list(islice(_get(manager, "blocks"), _BLOCKS))
    width = _length(columns)
    kinds = _column_kinds(blocks)
    names = _labels(columns, min(width, COLUMNS))
    return Facts(
        (_length(rows), width),
        size=_block_bytes(blocks),
        columns=[(name, kinds.get(i, "")) for i, name in enumerate(names)],
    )


def _series(value: Any) -> Facts:
    """Read a Series of pandas."""
    manager = _get(value, "_mgr")
    (rows,) = _get(manager, "axes")
    blocks = _get(manager, "blocks")
    values = _get(blocks[0], "values")
    array, is_coded = _ndarray(values), class_name(type(values)) == "Categorical"
    return Facts(
        (_length(rows),),
        kind=_values_kind(values),
        size=_block_bytes(blocks),
        values=None if array is None or is_coded else _first_values(array),
    )


def _index(value: Any) -> Facts:
    """Read an Index of pandas."""
    values = attribute(value, "_data")
    kind = "int64" if values is NOTHING else _values_kind(values)
    return Facts((_length(value),), kind=kind)


def _column_kinds(blocks: list[Any]) -> dict[int, str]:
    """Return the type of each of the first columns, by its position."""
    kinds = {}
    for block in blocks:
        kind = _values_kind(_get(block, "values"))
        places = _get(_get(block, "_mgr_locs"), "as_array")
        for place in islice(_get(places, "flat"), COLUMNS):
            kinds[plain(place)] = kind
    return kinds


def _ndarray(values: Any) -> Any:
    """Return the array of numpy in which pandas keeps these values, if they are in one."""
    ndarray = library_class("numpy", "ndarray")
    for found in (values, attribute(values, "_ndarray"), attribute(values, "_data")):
        if ndarray is not None and ndarray in mro(type(found)):
            return found
    return None


def _values_kind(values: Any) -> str:
    """Return the name of the type of a column's values."""
    own = attribute(values, "_dtype")
    name = class_name(type(own)) if own is not NOTHING else ""
    if name == "DatetimeTZDtype":
        return f"datetime64[{attribute(own, '_unit')}, tz]"
    array = _ndarray(values)
    if name.endswith("Dtype"):
        return _EXTENSIONS.get(name, name[: -len("Dtype")])
    if array is None:
        return class_name(type(values))
    kind = _dtype(_get(array, "dtype"))
    return kind if array is values or name else _MASKED.get(class_name(type(values)), str)(kind)


_EXTENSIONS = {"CategoricalDtype": "category", "StringDtype": "str", "BooleanDtype": "boolean"}
"""pandas' name of a type, by the class of the type."""
_MASKED: dict[str, Callable[[str], str]] = {
    "IntegerArray": lambda kind: (
        kind.replace("i", "I", 1).replace("u", "U", 1) if kind[0] == "i" else f"UI{kind[2:]}"
    ),
    "FloatingArray": str.capitalize,
    "BooleanArray": lambda kind: "boolean",
}
"""Functions that turn numpy's name of a type into pandas' name, by the class of an array that can
have missing values."""


def _block_bytes(blocks: list[Any]) -> int | None:
    """Return the bytes of all blocks; None if one of them does not tell."""
    total = 0
    for block in blocks:
        values = _get(block, "values")
        array = _ndarray(values)
        size = attribute(attribute(values, "_pa_array") if array is None else array, "nbytes")
        if type(size) is not int:
            return None
        total += size
    return total


def _length(index: Any) -> int:
    """Return how many labels an Index of pandas has."""
    numbers = attribute(index, "_range")
    if type(numbers) is range:
        return len(numbers)
    codes = attribute(index, "_codes")
    if codes is not NOTHING:
        index = list.__getitem__(codes, 0)
    values = codes if codes is NOTHING else index
    array = _ndarray(attribute(index, "_data") if values is NOTHING else values)
    if array is not None:
        length: int = _get(array, "shape")[0]
        return length
    return _arrow_length(attribute(index, "_data"))


def _arrow_length(values: Any) -> int:
    """Return how many values an array of pandas has that pyarrow keeps."""
    arrow = _get(values, "_pa_array")
    length = class_member(type(arrow), "__len__")
    found: int = length.__get__(arrow)()
    return found


def _labels(index: Any, count: int) -> list[object]:
    """Return the first labels of an Index of pandas."""
    return list(islice(_each_label(index), count))


def _each_label(index: Any) -> Iterator[object]:
    """Yield the labels of an Index of pandas."""
    numbers, values = attribute(index, "_range"), attribute(index, "_data")
    array = _ndarray(values)
    if type(numbers) is range:
        yield from numbers
    elif array is not None:
        yield from _get(array, "flat")
    elif attribute(values, "_pa_array") is not NOTHING:
        arrow = _get(values, "_pa_array")
        for i in range(_arrow_length(values)):
            item = class_member(type(arrow), "__getitem__").__get__(arrow)(i)
            yield class_member(type(item), "as_py").__get__(item)()
    else:
        yield from _combinations(index)


def _combinations(index: Any) -> Iterator[object]:
    """Yield the labels of a MultiIndex of pandas, which are tuples."""
    codes, levels = _get(index, "_codes"), _get(index, "_levels")
    labels = [_labels(level, COLUMNS) for level in list.__iter__(levels)]
    for places in zip(*(_get(code, "flat") for code in list.__iter__(codes))):
        numbers = [plain(place) for place in places]
        yield tuple(
            names[i] if i in range(len(names)) else None for names, i in zip(labels, numbers)
        )


def _polars_frame(value: Any) -> Facts:
    """Read a DataFrame of polars."""
    native = _get(value, "_df")
    names, kinds = _call(native, "columns"), _call(native, "dtypes")
    columns = [(name, _polars_kind(kind)) for name, kind in zip(names, kinds)]
    size = _call(native, "estimated_size")
    return Facts(tuple(_call(native, "shape")), size=size, columns=columns[:COLUMNS])


def _polars_series(value: Any) -> Facts:
    """Read a Series of polars."""
    native = _get(value, "_s")
    kind = _polars_kind(_call(native, "dtype"))
    return Facts((_call(native, "len"),), kind=kind, size=_call(native, "estimated_size"))


def _polars_kind(dtype: Any) -> str:
    """Return the name of a polars type, which is a class or an instance of one."""
    return class_name(dtype if is_class(dtype) else type(dtype))


def _call(value: Any, name: str) -> Any:
    """Call a method that is not written in Python.

    Raises:
        AttributeError: there is no such method.
    """
    method = class_member(type(value), name)
    if type(method) is not MethodDescriptorType:
        raise AttributeError(name)
    return method.__get__(value)()


_READERS: dict[str, tuple[tuple[str, Callable[[object], Facts]], ...]] = {
    "ndarray": (("numpy", _array),),
    "DataFrame": (("pandas", _frame), ("polars", _polars_frame)),
    "Series": (("pandas", _series), ("polars", _polars_series)),
    "Index": (("pandas", _index),),
}
"""What reads the values of a class, by the class's name: the module that it must be of."""
