"""Writes the daemon's settings into the manifest of the VS Code extension."""

import json
from collections.abc import Mapping
from typing import Any

from oi_daemon import settings

NOT_HERE = {"api_key", "conversation_filename", "host", "send_keys", "shared"}
"""A key belongs in the secret storage, a file name to one conversation; the rest is for Python."""


def configuration() -> tuple[dict[str, Any], dict[str, str]]:
    """The manifest's properties, and the descriptions that they name."""
    properties: dict[str, Any] = {}
    words: dict[str, str] = {}
    for name, field in settings.schema()["properties"].items():
        if name in NOT_HERE:
            continue
        key = f"oi.{_camel(name)}"
        properties[key] = _setting(field) | {"markdownDescription": f"%{key}%"}
        words[key] = field["description"]
    properties["oi.systemMessage"]["editPresentation"] = "multilineText"
    for key in ("oi.python", "oi.autoRun", "oi.apiBase", "oi.extraBody", "oi.extraHeaders"):
        properties[key]["scope"] = "machine-overridable"
    return properties, words


def package(text: str, properties: Mapping[str, Any]) -> str:
    """`package.json` with these settings after the extension's own."""
    manifest = json.loads(text)
    section = manifest["contributes"]["configuration"]
    own = {k: v for k, v in section["properties"].items() if v.get("tags") == ["client"]}
    section["properties"] = {**own, **properties}
    return _as_json(manifest)


def messages(text: str, words: Mapping[str, str]) -> str:
    """`package.nls.json` with these descriptions in place of earlier ones."""
    own = {k: v for k, v in json.loads(text).items() if not k.startswith("oi.") or k in words}
    return _as_json({**own, **words})


def _setting(field: Mapping[str, Any]) -> dict[str, Any]:
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


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
