"""Every setting, defined once, and the sources of its value."""

from oi_daemon.settings.settings import (
    DEFAULT_SYSTEM_MESSAGE,
    NAMES,
    OPTIONAL,
    Settings,
    change,
    descriptions,
    json_object,
    public,
    schema,
)

__all__ = [
    "DEFAULT_SYSTEM_MESSAGE",
    "NAMES",
    "OPTIONAL",
    "Settings",
    "change",
    "descriptions",
    "json_object",
    "public",
    "schema",
]
