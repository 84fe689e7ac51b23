"""The first run: there is no key, and the ways on are told and offered."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from oi_daemon.settings import Settings
from oi_daemon.settings.file import keep_setting
from oi_daemon.terminal.choice import Row, among, choose
from oi_daemon.terminal.line import read_line
from oi_daemon.terminal.voice import tell

OfferedServers = Sequence[dict[str, Any]]
"""The model servers on this machine: the `api_base` and the `models` of each."""

WELCOME = """\
Welcome to Open Interpreter.

There is no key for OpenAI's models yet. These are the ways on:

  - a key from https://platform.openai.com/api-keys: set OPENAI_API_KEY, or
    paste it here once
  - a model on this machine, without any key: interpreter --local
  - another OpenAI-compatible server: interpreter --api_base URL
"""


def needs_welcome(settings: Settings) -> bool:
    """Whether no model can be reached with these settings."""
    elsewhere = settings.api_base is not None or settings.model.endswith(".gguf")
    return settings.api_key is None and not settings.local and not elsewhere


def welcome(local_models: Callable[[], OfferedServers]) -> dict[str, Any]:
    """Tell and offer the ways on; gives the settings that the chosen one takes, which are kept."""
    tell(WELCOME)
    ways = [
        Row("Paste a key", _paste_key),
        Row("Run a model on this machine", lambda: {"local": True}),
        Row("Name another server", _name_server),
        Row("Go on without", dict),
    ]

    @cache
    def all_ways() -> Sequence[Row]:
        return [*found_here(local_models()), *ways]

    settings: dict[str, Any] = {}
    while not settings:
        row = choose("How shall it go on?", lambda query, count: among(all_ways())(query, count))
        if row is None or row is ways[-1]:
            return {}
        settings = row.value()
    path = _keep(settings)
    tell(f"Kept in {path}\nwhich only you can read. `interpreter --config` opens it.\n")
    return settings


def found_here(servers: OfferedServers) -> list[Row]:
    """The models that run on this machine already: nothing is easier, so they stand first."""
    return [
        Row(f"Use {model}", partial(_use_local, model), urlsplit(server["api_base"]).netloc)
        for server in servers
        for model in server["models"]
    ]


def _use_local(model: str) -> dict[str, Any]:
    return {"local": True, "model": model}


def _paste_key() -> dict[str, Any]:
    key = (read_line("  Key (it is not shown): ", password=True) or "").strip()
    return {"api_key": key} if key else {}


def _name_server() -> dict[str, Any]:
    url = (read_line("  URL, such as http://localhost:8000/v1: ") or "").strip()
    return {"api_base": url} if url else {}


def _keep(settings: dict[str, Any]) -> Path:
    (path,) = {keep_setting(name, value) for name, value in settings.items()}
    return path
