"""Reads the protocol's schema for the writers of types."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Shape = Mapping[str, Any]
"""A part of a JSON Schema."""

SCHEMA = Path(__file__).parents[2] / "docs/schema.json"


@dataclass(frozen=True)
class Wire:
    """The types of the protocol."""

    shapes: Mapping[str, Shape]
    """Every type by its name. Those that refer to another do so by `$ref`."""
    methods: Mapping[str, Mapping[str, Shape]]
    """`params` and `result` of every method."""


def read() -> Wire:
    """Reads docs/schema.json."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Wire(schema["$defs"], schema["methods"])


def choices(shape: Shape) -> list[Shape]:
    """The alternatives of a shape; empty if it has none."""
    return list(shape.get("oneOf") or shape.get("anyOf") or [])


def reference(shape: Shape) -> str | None:
    """Name of the type that a shape refers to."""
    ref = shape.get("$ref")
    return str(ref).rpartition("/")[2] if ref else None


def is_optional(name: str, shape: Shape) -> bool:
    """Whether an object of this shape may lack a field."""
    return name not in shape.get("required", ())
