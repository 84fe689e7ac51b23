"""Writes the protocol's types for Lua, as annotations that its language servers understand."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wire import Shape, Wire, choices, is_optional, reference

ABOUT = """---@meta
-- The types of docs/schema.json. Written by scripts/generate: do not edit.
-- A field that is null on the wire is not there in Lua.
"""
_NAMES = {"object": "table<string, any>", "unknown": "any"}


def types(wire: Wire) -> str:
    """The module with all types."""
    parts = [ABOUT, *(_declaration(name, shape) for name, shape in wire.shapes.items())]
    return "\n".join([*parts, _methods(wire)])


def type_of(shape: Shape) -> str:
    """A shape as an expression. Null is left out: such a field is optional."""
    if name := reference(shape):
        return f"oi.{name}"
    if found := choices(shape):
        names = (type_of(choice) for choice in found if choice.get("type") != "null")
        return "|".join(dict.fromkeys("|".join(names).split("|")))
    if "const" in shape:
        return json.dumps(shape["const"])
    if "enum" in shape:
        return "|".join(json.dumps(value) for value in shape["enum"])
    if isinstance(shape.get("type"), list):
        return "|".join(type_of({"type": kind}) for kind in shape["type"] if kind != "null")
    if shape.get("type") == "array":
        items = type_of(shape["items"]) if shape.get("items") else "any"
        return f"({items})[]" if "|" in items else f"{items}[]"
    if "properties" in shape:
        fields = (f"{_key(name, shape)}: {type_of(f)}" for name, f in shape["properties"].items())
        return f"{{ {', '.join(fields)} }}"
    kind = str(shape.get("type", "unknown"))
    return _NAMES.get(kind, kind)


def _declaration(name: str, shape: Shape) -> str:
    if "enum" in shape:
        return f"---@alias oi.{name} {type_of(shape)}\n"
    if found := choices(shape):
        shape = _merged(found) | {"description": shape.get("description")}
    return f"---@class oi.{name}{_comment(shape)}\n{''.join(_lines(shape))}"


def _merged(found: list[Shape]) -> dict[str, Any]:
    """One shape with the fields of all alternatives. Only what all of them require is required."""
    properties: dict[str, Any] = {}
    for shape in found:
        for name, field in shape["properties"].items():
            known = properties.get(name)
            properties[name] = field if known in (None, field) else {"anyOf": [known, field]}
    required = set.intersection(*(set(shape["required"]) for shape in found))
    return {"properties": properties, "required": sorted(required)}


def _lines(shape: Shape) -> Iterator[str]:
    """The fields of a class, each with what it holds."""
    for name, field in shape.get("properties", {}).items():
        yield f"---@field {_key(name, shape)} {type_of(field)}{_comment(field)}\n"


def _key(name: str, shape: Shape) -> str:
    is_nullable = "null" in _kinds(shape["properties"][name])
    return f"{name}?" if is_optional(name, shape) or is_nullable else name


def _kinds(shape: Shape) -> set[str]:
    """The JSON types that a value may have."""
    kinds = shape.get("type", [])
    own = {kinds} if isinstance(kinds, str) else set(kinds)
    return own.union(*(_kinds(choice) for choice in choices(shape)))


def _comment(shape: Mapping[str, Any]) -> str:
    text = shape.get("description")
    return f" {' '.join(text.split())}" if text else ""


def _methods(wire: Wire) -> str:
    """A function that is called with a method, its params and what takes its result."""
    about = "---@class oi.Request Sends a request; the callback gets its answer.\n"
    return about + "".join(_overloads(wire))


def _overloads(wire: Wire) -> Iterator[str]:
    for name, parts in wire.methods.items():
        params, result = type_of(parts["params"]), type_of(parts["result"])
        callback = f"fun(err?: oi.Error, result?: {result})"
        yield f'---@overload fun(method: "{name}", params: {params}, callback?: {callback})\n'
