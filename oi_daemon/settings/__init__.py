"""Every setting, said once, and where its value comes from."""

from oi_daemon.settings.settings import (
    DEFAULT_SYSTEM_MESSAGE,
    NAMES,
    OPTIONAL,
    Settings,
    change,
    descriptions,
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
    "public",
    "schema",
]
