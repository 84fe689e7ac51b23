"""JSON Schema of the whole protocol: the one source of `docs/schema.json` and of editors' types."""

from typing import Any, get_args

import msgspec

from oi_daemon import settings
from oi_daemon.messages.stored import BlockStatus
from oi_daemon.protocol import chunks, offers
from oi_daemon.protocol.methods import (
    CHUNK,
    METHODS,
    SETTINGS_GET,
    SETTINGS_SET,
    VERSION,
    ChunkParams,
)

_NOTIFICATIONS: dict[str, Any] = {
    CHUNK: ChunkParams,
    offers.ASK: offers.ModelAskParams,
    offers.CANCEL: offers.ModelCancelParams,
}
_TEXT = {"type": "string"}
_STORED_MESSAGES: list[dict[str, Any]] = [
    {
        "properties": {
            "role": {"enum": ["user", "assistant"]},
            "message": _TEXT,
            "displays": {
                "type": "array",
                "items": {"type": "object"},
                "description": "Pictures that the person shows with the words.",
            },
        },
        "required": ["role", "message"],
    },
    {
        "properties": {
            "role": {"const": "assistant"},
            "language": _TEXT,
            "code": _TEXT,
            "output": {**_TEXT, "description": "Left out when the code was not run."},
            "displays": {"type": "array", "items": {"type": "object"}},
            "status": {"enum": list(get_args(BlockStatus))},
            "error": {"$ref": "#/$defs/BlockError"},
        },
        "required": ["role", "language", "code"],
    },
]


def schema() -> dict[str, Any]:
    """JSON Schema of every message of this protocol, by name."""
    types = [t for m in METHODS.values() for t in (m.params, m.result)]
    types += _NOTIFICATIONS.values()
    shapes, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    named = iter(shapes)
    methods = {name: {"params": next(named), "result": next(named)} for name in METHODS}
    for method in (SETTINGS_GET, SETTINGS_SET):
        methods[method.name]["result"] = {"$ref": "#/$defs/PublicSettings"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"oi-daemon protocol, version {VERSION}",
        "methods": methods,
        "notifications": {name: {"params": next(named)} for name in _NOTIFICATIONS},
        "$defs": components | _definitions(),
    }


def _definitions() -> dict[str, Any]:
    """The types that travel as plain objects."""
    settable = settings.schema()
    return {
        "Chunk": {
            "description": "Exactly one of these.",
            "oneOf": [
                {"type": "object", "properties": {kind: shape}, "required": [kind]}
                for kind, shape in chunks.SCHEMAS.items()
            ],
        },
        "BlockResult": chunks.RESULT_SCHEMA,
        "BlockError": chunks.ERROR_SCHEMA,
        "StoredMessage": {"anyOf": _STORED_MESSAGES},
        "Settings": {
            **settable,
            "description": "Settings to change. Those that are left out stay as they are.",
        },
        "PublicSettings": {
            "description": "All settings, as a client may see them.",
            "type": "object",
            "properties": {
                **settable["properties"],
                "api_key": {"type": "boolean", "description": "Whether a key is set."},
            },
            "required": list(settable["properties"]),
        },
    }
