"""Writes the protocol's types for TypeScript."""

import json
from collections.abc import Iterator

from wire import Shape, Wire, choices, is_optional, reference

ABOUT = "// The types of docs/schema.json. Written by scripts/generate: do not edit.\n"
_NAMES = {"integer": "number", "object": "Record<string, unknown>"}


def types(wire: Wire) -> str:
    """The module with all types."""
    parts = [ABOUT, *(_declaration(name, shape) for name, shape in wire.shapes.items())]
    return "\n".join([*parts, _methods(wire)])


def type_of(shape: Shape) -> str:
    """A shape as an expression."""
    if name := reference(shape):
        return name
    if found := choices(shape):
        return " | ".join(dict.fromkeys(type_of(choice) for choice in found))
    if "const" in shape:
        return json.dumps(shape["const"])
    if "enum" in shape:
        return " | ".join(json.dumps(value) for value in shape["enum"])
    if isinstance(shape.get("type"), list):
        return " | ".join(type_of({"type": kind}) for kind in shape["type"])
    if shape.get("type") == "array":
        items = type_of(shape["items"]) if shape.get("items") else "unknown"
        return f"({items})[]" if " " in items else f"{items}[]"
    if "properties" in shape:
        return f"{{ {' '.join(_field(name, shape) for name in shape['properties'])} }}"
    kind = str(shape.get("type", "unknown"))
    return _NAMES.get(kind, kind)


def _declaration(name: str, shape: Shape) -> str:
    comment = _comment(shape, "")
    if found := choices(shape):
        return f"{comment}export type {name} =\n  | {_alternatives(found)};\n"
    if "enum" in shape:
        return f"{comment}export type {name} = {type_of(shape)};\n"
    if not shape.get("properties"):
        return f"{comment}export type {name} = Record<string, never>;\n"
    return f"{comment}export interface {name} {{\n{''.join(_lines(shape))}}}\n"


def _alternatives(found: list[Shape]) -> str:
    return "\n  | ".join(type_of(choice) for choice in found)


def _lines(shape: Shape) -> Iterator[str]:
    """The fields of an interface, each with what it holds."""
    for name, field in shape["properties"].items():
        yield f"{_comment(field, '  ')}  {_field(name, shape)}\n"


def _field(name: str, shape: Shape) -> str:
    mark = "?" if is_optional(name, shape) else ""
    return f"{name}{mark}: {type_of(shape['properties'][name])};"


def _comment(shape: Shape, indent: str) -> str:
    text = shape.get("description")
    return f"{indent}/** {' '.join(text.split())} */\n" if text else ""


def _methods(wire: Wire) -> str:
    """The params and the result of every method."""
    return f"export interface Methods {{\n{''.join(_method_lines(wire))}}}\n"


def _method_lines(wire: Wire) -> Iterator[str]:
    for name, parts in wire.methods.items():
        params, result = type_of(parts["params"]), type_of(parts["result"])
        yield f'  "{name}": {{ params: {params}; result: {result} }};\n'
