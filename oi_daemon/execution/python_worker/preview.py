"""Texts of values: short, made in a bounded time, without running any code of the user's."""

from __future__ import annotations

from _collections import deque  # type: ignore[import-not-found]
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from . import arrays
from .static import (
    NOTHING,
    attribute,
    class_member,
    class_name,
    dictionary,
    is_c_function,
    is_class,
    library_class,
    members,
    mro,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Text = Callable[[Any, int], str]

LONGEST = 120
"""Characters of a preview."""
CUT = "…"
"""Stands where a preview leaves something out."""
_DEPTH = 3
"""Most levels of containers in containers that are shown."""
_ITEMS = 8
"""Most items of a container that are shown."""
_CHARACTERS = 80
"""Most characters of a text that are shown."""
_BITS = 256
"""Bits of a number that is shown in digits: larger ones take long to convert."""


def preview(value: Any) -> str:
    """Return a text for the value, of at most LONGEST characters."""
    return shortened(text(value, _DEPTH), LONGEST)


def shortened(text: str, longest: int) -> str:
    """Return the text on one line, cut to this many characters."""
    if "\n" in text or "\r" in text:
        text = text.replace("\r", " ").replace("\n", " ")
    return text if len(text) <= longest else f"{text[: longest - 1]}{CUT}"


def text(value: Any, depth: int = 1) -> str:
    """Return a text for the value; containers inside `depth` others are left out."""
    kind = type(value)
    exact = _TEXTS.get(kind)
    if exact is not None:
        return exact(value, depth)
    for base in mro(kind):
        inherited = _TEXTS.get(base)
        if inherited is not None:
            return _derived(value, base, inherited, depth)
    return _array(value, depth) or _known(value, depth) or _instance(value, depth)


def _derived(value: Any, base: type, inherited: Text, depth: int) -> str:
    """Return the text of a value whose class is derived from a builtin one."""
    if base is type or base is ModuleType:
        return inherited(value, depth)
    name = class_name(type(value))
    if member := _enum_member(value):
        return f"{name}.{member}"
    fields = class_member(type(value), "_fields")
    if base is tuple and type(fields) is tuple:
        pairs = zip(fields, tuple.__iter__(value))
        return f"{name}({_joined(f'{field}={text(item, depth - 1)}' for field, item in pairs)})"
    if base is float and arrays.is_scalar(value):
        return inherited(value, depth)
    return f"{name}({inherited(value, depth)})"


def _joined(texts: Iterator[str]) -> str:
    """Return the first texts, separated by commas."""
    parts: list[str] = []
    room = LONGEST
    try:
        for part in texts:
            if room <= 0 or len(parts) >= _ITEMS:
                parts.append(CUT)
                break
            parts.append(part)
            room -= len(part) + 2
    except RuntimeError:  # another thread has changed the container
        parts.append(CUT)
    return ", ".join(parts)


def _items(items: Iterable[object], depth: int) -> str:
    """Return the texts of the first items of a container."""
    return _joined(text(item, depth - 1) for item in items) if depth > 0 else CUT


def _int(value: Any, depth: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _BITS else f"an integer of {bits:,} bits"


def _str(value: Any, depth: int) -> str:
    start = str.__getitem__(value, _START)
    return repr(start) if len(start) <= _CHARACTERS else f"{start[:_CHARACTERS]!r}{CUT}"


def _bytes(value: Any, depth: int) -> str:
    start = bytes.__getitem__(value, _START)
    return repr(start) if len(start) <= _CHARACTERS else f"{start[:_CHARACTERS]!r}{CUT}"


_START = slice(0, _CHARACTERS + 1)


def _bytearray(value: Any, depth: int) -> str:
    start = bytearray.__getitem__(value, _START)
    return f"bytearray({_bytes(bytes(start), depth)})"


def _list(value: Any, depth: int) -> str:
    return f"[{_items(list.__iter__(value), depth)}]"


def _tuple(value: Any, depth: int) -> str:
    comma = "," if tuple.__len__(value) == 1 else ""
    return f"({_items(tuple.__iter__(value), depth)}{comma})"


def _set(value: Any, depth: int) -> str:
    size = set.__len__(value)
    return f"{{{_items(set.__iter__(value), depth)}}}" if size else "set()"


def _frozenset(value: Any, depth: int) -> str:
    return f"frozenset({{{_items(frozenset.__iter__(value), depth)}}})"


def _deque(value: Any, depth: int) -> str:
    return f"deque([{_items(deque.__iter__(value), depth)}])"


def _dict(value: Any, depth: int) -> str:
    if depth <= 0:
        return f"{{{CUT}}}"
    pairs = dict.items(value)
    return f"{{{_joined(f'{text(key, 0)}: {text(item, depth - 1)}' for key, item in pairs)}}}"


def _range(value: Any, depth: int) -> str:
    numbers: range = value
    step = "" if numbers.step == 1 else f", {text(numbers.step)}"
    return f"range({text(numbers.start)}, {text(numbers.stop)}{step})"


def _slice(value: Any, depth: int) -> str:
    part: slice = value
    return f"slice({_items((part.start, part.stop, part.step), depth)})"


def _class(value: Any, depth: int) -> str:
    return f"class {class_name(value)}"


def _module(value: Any, depth: int) -> str:
    name = dictionary(value).get("__name__")
    return f"module {name}" if type(name) is str else "module"


def _function(value: Any, depth: int) -> str:
    function: FunctionType = value
    return f"{function.__name__}({', '.join(parameters(function))})"


def _c_function(value: Any, depth: int) -> str:
    function: BuiltinFunctionType = value
    return f"{function.__name__}(…)"


def _method(value: Any, depth: int) -> str:
    method: MethodType = value
    return text(attribute(method, "__func__"), depth)


def parameters(function: FunctionType) -> list[str]:
    """Return the parameters of a function, as they are written in its signature."""
    code = function.__code__
    names, count = code.co_varnames, code.co_argcount
    keywords = code.co_kwonlyargcount
    defaults = function.__defaults__ or ()
    texts = list(names[:count])
    for index, default in zip(range(count - len(defaults), count), defaults):
        texts[index] += f"={text(default)}"
    if code.co_posonlyargcount:
        texts.insert(code.co_posonlyargcount, "/")
    rest = list(names[count + keywords :])
    if code.co_flags & _VARARGS:
        texts.append(f"*{rest.pop(0)}")
    elif keywords:
        texts.append("*")
    keyword_defaults = function.__kwdefaults__ or {}
    for name in names[count : count + keywords]:
        default = dict.get(keyword_defaults, name, NOTHING)
        texts.append(name if default is NOTHING else f"{name}={text(default)}")
    if code.co_flags & _VARKEYWORDS:
        texts.append(f"**{rest.pop(0)}")
    return texts


_VARARGS, _VARKEYWORDS = 4, 8  # inspect.CO_VARARGS, inspect.CO_VARKEYWORDS


def _exception(value: Any, depth: int) -> str:
    arguments = BaseException.__dict__["args"].__get__(value)
    return f"{class_name(type(value))}({_items(arguments, depth)})"


_TEXTS: dict[type, Text] = {
    type(None): lambda value, depth: "None",
    bool: lambda value, depth: "True" if value is True else "False",
    type(...): lambda value, depth: "...",
    int: _int,
    float: lambda value, depth: float.__repr__(value),
    complex: lambda value, depth: complex.__repr__(value),
    str: _str,
    bytes: _bytes,
    bytearray: _bytearray,
    list: _list,
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
    deque: _deque,
    dict: _dict,
    range: _range,
    slice: _slice,
    type: _class,
    ModuleType: _module,
    FunctionType: _function,
    BuiltinFunctionType: _c_function,
    MethodType: _method,
}
"""What makes the text of a value of these classes, and of classes derived from them."""


def _array(value: Any, depth: int) -> str:
    """Return the text of an array, a table or a number of numpy; empty for other values."""
    if arrays.is_scalar(value):
        plain = arrays.plain(value)
        return class_name(type(value)) if arrays.is_scalar(plain) else text(plain, depth)
    known = arrays.facts(value)
    if known is None:
        return ""
    size = "×".join(map(str, known.shape)) or "one value"
    if known.columns is not None:
        return f"{size}: {_joined(label_text(label) for label, _ in known.columns)}"
    values = "" if known.values is None else f": {_items(known.values, depth)}"
    more = f", {CUT}" if known.values and len(known.values) == arrays.VALUES else ""
    return f"{size} {known.kind}{values}{more}"


def label_text(label: object) -> str:
    """Return the text for the label of a column."""
    return shortened(label if type(label) is str else text(label, 2), _CHARACTERS)


def _known(value: Any, depth: int) -> str:
    """Return the text of a value of the standard library that is worth a form of its own."""
    bases = mro(type(value))
    if BaseException in bases:
        return _exception(value, depth)
    if member := _enum_member(value):
        return f"{class_name(type(value))}.{member}"
    for (module, name), make in _STANDARD.items():
        cls = library_class(module, name)
        if cls is not None and cls in bases:
            return make(value)
    return ""


def _enum_member(value: Any) -> str:
    """Return the name of a member of an enumeration; empty for other values."""
    enum = library_class("enum", "Enum")
    name = dictionary(value).get("_name_") if enum in mro(type(value)) else None
    return name if type(name) is str else ""


def _number(value: Any, *names: str) -> list[int]:
    """Return these attributes, which are small numbers."""
    return [attribute(value, name) for name in names]


def _date(value: Any) -> str:
    return "{:04}-{:02}-{:02}".format(*_number(value, "year", "month", "day"))


def _time(value: Any) -> str:
    hour, minute, second, micro = _number(value, "hour", "minute", "second", "microsecond")
    return f"{hour:02}:{minute:02}:{second:02}" + (f".{micro:06}" if micro else "")


def _timedelta(value: Any) -> str:
    days, seconds, micro = _number(value, "days", "seconds", "microseconds")
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{days} days, {hours}:{minutes:02}:{seconds % 60:02}" + (
        f".{micro:06}" if micro else ""
    )


def _path(value: Any) -> str:
    whole = attribute(value, "_str")
    if type(whole) is str:
        return _str(whole, 0)
    parts = attribute(value, "_raw_paths")
    if type(parts) is not list:
        parts = attribute(value, "_parts")
    if type(parts) is not list:
        return ""
    names = [part for part in parts if type(part) is str]
    return _str("/".join(names).replace("//", "/"), 0)


def _decimal(value: Any) -> str:
    """Return the digits of a decimal number, if it has few and its class is written in C."""
    write, size = (class_member(type(value), name) for name in ("__str__", "__sizeof__"))
    if not is_c_function(write) or not is_c_function(size) or size.__get__(value)() > 200:
        return ""
    return str(write.__get__(value)())


_STANDARD: dict[tuple[str, str], Callable[[Any], str]] = {
    ("datetime", "datetime"): lambda value: f"{_date(value)} {_time(value)}",
    ("datetime", "date"): _date,
    ("datetime", "time"): _time,
    ("datetime", "timedelta"): _timedelta,
    ("pathlib", "PurePath"): _path,
    ("decimal", "Decimal"): _decimal,
}
"""Classes of the standard library, and what makes the text of their values."""


def _instance(value: Any, depth: int) -> str:
    """Return the text of any other value: its class, and its public attributes."""
    name = class_name(type(value))
    if depth <= 0 or is_class(value):
        return f"{name}({CUT})"
    fields = islice(_fields(value), _ITEMS + 1)
    shown = _joined(f"{field}={text(item, depth - 1)}" for field, item in fields)
    return f"{name}({shown})" if shown else f"<{name}>"


def _fields(value: Any) -> Iterator[tuple[str, object]]:
    """Yield the public attributes that the value itself has: in its dictionary and its slots."""
    for name in list(islice(dictionary(value), 100)):
        if type(name) is str and not name.startswith("_"):
            yield name, dictionary(value).get(name)
    for base in mro(type(value)):
        slots = members(base).get("__slots__")
        for name in slots if type(slots) in (tuple, list) else ():
            found = NOTHING if type(name) is not str or name[:1] == "_" else attribute(value, name)
            if found is not NOTHING:
                yield name, found
