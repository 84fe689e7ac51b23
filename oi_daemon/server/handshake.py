"""The answer to `initialize`, made without pygls, whose import takes longer than all the rest.

pygls gets the same params right after the answer is on its way, and is used from then on. What it
would say is held equal to this by a test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from oi_daemon import __version__
from oi_daemon.protocol.methods import VERSION
from oi_daemon.settings import Settings, change


@dataclass(frozen=True, slots=True)
class Introduction:
    """What an `initialize` says that matters here."""

    process_id: int | None
    """Id of the client's process."""
    settings: dict[str, Any] | None
    """The client's settings."""
    folder: str | None
    """The client's first workspace folder that exists here."""


def introduction(params: Any) -> Introduction | None:
    """Read the params of `initialize`. None if they do not fit: pygls then says what is wrong.

    Raises:
        InvalidError: the client's settings do not fit.
    """
    given = params if isinstance(params, dict) else {}
    process_id, options = given.get("processId"), given.get("initializationOptions")
    settings = options.get("settings") if isinstance(options, dict) else None
    if not isinstance(process_id, int | None) or not isinstance(settings, dict | None):
        return None
    change(Settings(), settings or {})
    return Introduction(process_id, settings, workspace_folder(given))


def introduction_answer(languages: Sequence[str]) -> dict[str, Any]:
    """The result of `initialize`."""
    return {
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": {"openClose": False, "change": 0, "save": False},
            "experimental": {"oi": {"protocol": VERSION, "languages": list(languages)}},
        },
        "serverInfo": {"name": "oi-daemon", "version": __version__},
    }


def workspace_folder(params: Mapping[str, Any]) -> str | None:
    """The first of the client's workspace folders, then its root, that exists here."""
    listed = params.get("workspaceFolders")
    folders = listed if isinstance(listed, list) else []
    uris = [folder.get("uri") for folder in folders if isinstance(folder, dict)]
    for uri in [*uris, params.get("rootUri")]:
        path = _path_of(uri) if isinstance(uri, str) and uri.startswith("file:") else None
        if path and Path(path).is_dir():
            return path
    return None


def _path_of(uri: str) -> str | None:
    """The path that a file's URI means on this system; None if it means none."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path)
    return f"//{unquote(parts.netloc)}{path}" if parts.netloc and path else path
