"""Write what the extension takes from the daemon: the wire's types and the settings.

`src/protocol.ts` mirrors the protocol's schema; the settings go to `package.json` and their words
to `package.nls.json`. With `--check` nothing is written: the exit code says whether all is current.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oi_daemon import settings
from oi_daemon.protocol import schema as protocol

ROOT = Path(__file__).parent.parent
NOT_HERE = {"api_key", "conversation_filename"}
"""A key belongs in the secret storage; a file name belongs to one conversation."""

ABOUT = "// Mirrors oi_daemon/protocol/methods.py. Written by scripts/generate.py: do not edit.\n"


def type_of(shape: Mapping[str, Any]) -> str:
    """A JSON Schema as a TypeScript type."""
    if ref := shape.get("$ref"):
        return str(ref).rpartition("/")[2]
    if choices := shape.get("oneOf") or shape.get("anyOf"):
        return " | ".join(dict.fromkeys(type_of(choice) for choice in choices))
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
        return f"{{ {' '.join(fields(shape))} }}"
    simple = {"integer": "number", "object": "Record<string, unknown>"}
    kind = str(shape.get("type", "unknown"))
    return simple.get(kind, kind)


def fields(shape: Mapping[str, Any]) -> list[str]:
    required = shape.get("required", ())
    return [
        f"{name}{'' if name in required else '?'}: {type_of(field)};"
        for name, field in shape["properties"].items()
    ]


def interface(name: str, shape: Mapping[str, Any]) -> str:
    if "enum" in shape:
        return f"export type {name} = {type_of(shape)};\n"
    if not shape.get("properties"):
        return f"export type {name} = Record<string, never>;\n"
    lines = "".join(f"  {field}\n" for field in fields(shape))
    return f"export interface {name} {{\n{lines}}}\n"


def types() -> str:
    """The module `src/protocol.ts`."""
    schema = protocol.schema()
    shapes = dict(schema["$defs"])
    shared = {name: shapes.pop(name) for name in ("Chunk", "StoredMessage")}
    parts = [ABOUT]
    parts += [f"export type {name} =\n  | {_union(shape)};\n" for name, shape in shared.items()]
    text = "\n".join([*parts, *(interface(name, shape) for name, shape in shapes.items())])
    return text + "\n" + methods(schema["methods"])


def _union(shape: Mapping[str, Any]) -> str:
    return "\n  | ".join(type_of(choice) for choice in shape.get("oneOf") or shape["anyOf"])


def methods(table: Mapping[str, Any]) -> str:
    """Method -> params and result."""
    lines = "".join(
        f'  "{name}": {{ {" ".join(f"{part}: {type_of(shape[part])};" for part in shape)} }};\n'
        for name, shape in table.items()
    )
    return f"export interface Methods {{\n{lines}}}\n"


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def configuration() -> tuple[dict[str, Any], dict[str, str]]:
    """The manifest's properties, and the descriptions that they name."""
    properties: dict[str, Any] = {}
    words: dict[str, str] = {}
    for name, field in settings.schema()["properties"].items():
        if name in NOT_HERE:
            continue
        key = f"oi.{camel(name)}"
        properties[key] = setting(field) | {"markdownDescription": f"%{key}%"}
        words[key] = field["description"]
    properties["oi.systemMessage"]["editPresentation"] = "multilineText"
    for key in ("oi.python", "oi.autoRun", "oi.apiBase"):
        properties[key]["scope"] = "machine-overridable"
    return properties, words


def setting(field: Mapping[str, Any]) -> dict[str, Any]:
    """A setting as the manifest has it: type, bounds and default."""
    shown: dict[str, Any] = {}
    for shape in field.get("anyOf", [field]):
        kinds = shape.get("type", "string")
        shown.setdefault("type", [] if "anyOf" in field else kinds)
        if "anyOf" in field:
            shown["type"].append(kinds)
        bounds = ("enum", "minimum", "maximum", "minLength", "pattern")
        shown |= {bound: shape[bound] for bound in bounds if bound in shape}
    return shown | {"default": field["default"]}


def manifest(text: str, properties: Mapping[str, Any]) -> str:
    """`package.json` with these settings before its own."""
    package = json.loads(text)
    section = package["contributes"]["configuration"]
    own = {k: v for k, v in section["properties"].items() if v.get("tags") == ["client"]}
    section["properties"] = {**own, **properties}
    return as_json(package)


def messages(text: str, words: Mapping[str, str]) -> str:
    """`package.nls.json` with these descriptions in place of earlier ones."""
    own = {k: v for k, v in json.loads(text).items() if not k.startswith("oi.") or k in words}
    return as_json({**own, **words})


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    properties, words = configuration()
    package, nls = ROOT / "package.json", ROOT / "package.nls.json"
    written = {
        ROOT / "src/protocol.ts": types(),
        package: manifest(package.read_text(encoding="utf-8"), properties),
        nls: messages(nls.read_text(encoding="utf-8"), words),
    }
    stale = [p for p, text in written.items() if not p.exists() or p.read_text("utf-8") != text]
    if "--check" in sys.argv:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"{names}: not as the daemon has it. Run scripts/generate.py." if stale else 0)
    for path in stale:
        path.write_text(written[path], encoding="utf-8")


if __name__ == "__main__":
    main()
