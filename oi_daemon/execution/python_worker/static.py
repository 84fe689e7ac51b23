"""Reads values without running any code of the user's.

`getattr`, `isinstance`, `len` and `repr` may call a property, a `__getattr__`, a `__class__`, a
metaclass. So classes are read through the slots of `type` itself, and instances through descriptors
that are written in C, or through their dictionary.
"""

from __future__ import annotations

import sys
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    ModuleType,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

mro: Any = type.__dict__["__mro__"].__get__
"""Returns a class's base classes, itself first."""
members: Any = type.__dict__["__dict__"].__get__
"""Returns what a class itself defines, as a read-only mapping."""
_class_name: Any = type.__dict__["__name__"].__get__
_module_name: Any = type.__dict__["__module__"].__get__
_module_members: Any = members(ModuleType)["__dict__"].__get__
_function_members: Any = members(FunctionType)["__dict__"].__get__
_C_DESCRIPTORS = (GetSetDescriptorType, MemberDescriptorType)
NOTHING = object()
"""What `attribute` returns if there is no such attribute, or if it cannot be read without code."""


def is_class(value: Any) -> bool:
    """Return whether the value is a class, whatever its `__class__` says."""
    return type in mro(type(value))


def is_module(value: Any) -> bool:
    """Return whether the value is a module."""
    return ModuleType in mro(type(value))


def class_name(cls: type) -> str:
    """Return the name of a class."""
    name: str = _class_name(cls)
    return name


def module_name(cls: type) -> str:
    """Return the name of the module of a class; empty if it is not a text."""
    name = _module_name(cls)
    return name if type(name) is str else ""


def class_member(cls: type, name: str) -> Any:
    """Return what a class or one of its bases defines under this name, or NOTHING."""
    for base in mro(cls):
        found = members(base).get(name, NOTHING)
        if found is not NOTHING:
            return found
    return NOTHING


def dictionary(value: Any) -> dict[str, object]:
    """Return the attributes that an instance or a module itself has. Do not change them."""
    kind = type(value)
    if ModuleType in mro(kind):
        found = _module_members(value)
    elif kind is FunctionType:
        found = _function_members(value)
    else:
        descriptor = class_member(kind, "__dict__")
        if type(descriptor) not in _C_DESCRIPTORS or is_class(value):
            return {}
        found = descriptor.__get__(value)
    return found if type(found) is dict else {}


def attribute(value: Any, name: str) -> Any:
    """Return an attribute, or NOTHING if it is not there or only somebody's code could tell."""
    member = class_member(type(value), name)
    if type(member) in _C_DESCRIPTORS:
        try:
            return member.__get__(value)
        except AttributeError:  # a slot that is not filled
            return NOTHING
    if is_class(value):
        own = class_member(value, name)
        return _plain(own if own is not NOTHING else member)
    own = dictionary(value).get(name, NOTHING)
    return _plain(member) if own is NOTHING else own


def _plain(member: Any) -> object:
    """Return what a class's member stands for; NOTHING if its own code decides that."""
    if type(member) in (staticmethod, classmethod):
        return member.__func__
    getter = class_member(type(member), "__get__")
    return NOTHING if type(getter) is FunctionType or type(member) is property else member


def attribute_names(value: Any) -> set[str]:
    """Return the names of all attributes of the value, without asking its `__dir__`."""
    names = {name for name in list(dictionary(value)) if type(name) is str}
    bases = mro(value) if is_class(value) else () if is_module(value) else mro(type(value))
    for base in bases:
        names.update(name for name in list(members(base)) if type(name) is str)
    return names


def library_class(module: str, name: str) -> Any:
    """Return this class of a library, if the library has been imported."""
    loaded = sys.modules.get(module)
    found = dictionary(loaded).get(name) if type(loaded) is ModuleType else None
    return found if is_class(found) else None


def is_c_function(value: Any) -> bool:
    """Return whether the value is a function that is written in C."""
    return type(value) is BuiltinFunctionType or type(value) in _C_METHODS


def unwrapped(value: Any) -> Any:
    """Return the function that a method or a decorated function calls; else the value itself."""
    for _ in range(_LAYERS):
        inner = attribute(value, "__func__")
        if inner is NOTHING:
            inner = dictionary(value).get("__wrapped__", NOTHING)
        if inner is NOTHING:
            inner = attribute(value, "_implementation")  # of functions of numpy
        if type(inner) is not FunctionType:
            break
        value = inner
    return value


_LAYERS = 10
"""Most decorators that are looked through."""
_C_METHODS = (
    type(str.join),
    type(str.__repr__),
    type("".__repr__),
    type(dict.__dict__["fromkeys"]),
)
"""The types of methods that are written in C."""


def docstring(value: Any) -> str:
    """Return the documentation of the value, or of its class; empty if there is none."""
    if is_class(value):
        return _class_docstring(value)
    if is_module(value) or type(value) is FunctionType or is_c_function(value):
        found = attribute(value, "__doc__")
        return found if type(found) is str else ""
    function, cls = unwrapped(value), type(value)
    if function is not value:
        return docstring(function)
    return "" if module_name(cls) == "builtins" else _class_docstring(cls)


def _class_docstring(cls: type) -> str:
    """Return the documentation of a class. For those that are made in C, a descriptor has it."""
    found = members(cls).get("__doc__")
    if type(found) is not str and not _flags(cls) & _HEAP_TYPE:
        found = _class_doc(cls)
    return found if type(found) is str else ""


_flags: Any = type.__dict__["__flags__"].__get__
_class_doc: Any = type.__dict__["__doc__"].__get__
_HEAP_TYPE = 1 << 9
"""The flag of classes that are made while the program runs, and not in C."""
