"""The first start without a key: shows and offers the ways to reach a model."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TypeAlias
from urllib.parse import urlsplit

from oi_daemon.messages.shapes import LocalServerDict
from oi_daemon.settings import Settings
from oi_daemon.settings.shapes import SettingsDict
from oi_daemon.terminal.choice import Row, among, choose
from oi_daemon.terminal.line import read_line
from oi_daemon.terminal.printing import print_text
from oi_daemon.terminal.saving import save_settings

WELCOME = """\
Welcome to Open Interpreter.

There is no key for OpenAI's models yet. You can use:

  - a key from https://platform.openai.com/api-keys: set OPENAI_API_KEY, or
    paste it here once
  - a model on this machine, without any key: interpreter --local
  - another OpenAI-compatible server: interpreter --api_base URL
"""

_KEY_STARTS = ("sk-", "sk_", "gsk_", "xai-", "AIza", "hf_")
"""How the keys of well-known servers begin."""
_KEY_LENGTH = 24
"""Characters from which on a text without spaces, but with digits, is taken for a key."""

Way: TypeAlias = Callable[[], SettingsDict]
"""A way to reach a model: asks for what it needs, and returns the settings that it takes."""


def needs_welcome(settings: Settings) -> bool:
    """Whether no model can be reached with these settings."""
    has_server = settings.api_base is not None or settings.model.endswith(".gguf")
    return settings.api_key is None and not settings.local and not has_server


def welcome(local_models: Callable[[], Sequence[LocalServerDict]]) -> SettingsDict:
    """Offer the ways to reach a model; returns the settings of the chosen one, and saves them.

    Args:
        local_models: finds the model servers on this machine.
    """
    print_text(WELCOME)
    ways: list[Row[Way]] = [
        Row("Paste a key", _paste_key),
        Row("Run a model on this machine", lambda: {"local": True}),
        Row("Name another server", _name_server),
        Row("Continue without", lambda: {}),
    ]

    @cache
    def all_ways() -> Sequence[Row[Way]]:
        return [*rows_for(local_models()), *ways]

    settings: SettingsDict = {}
    while not settings:
        row = choose(
            "What next?",
            lambda query, count: among(all_ways())(query, count),
            secret=pasted_key,
        )
        if row is None or row is ways[-1]:
            return {}
        settings = row.value()
    save_settings(settings)
    return settings


def pasted_key(text: str) -> Row[Way] | None:
    """The way that a key which was pasted at the menu stands for; None if the text is none."""
    key = text.strip()
    is_long = len(key) >= _KEY_LENGTH and " " not in key
    is_key = key.startswith(_KEY_STARTS) or (is_long and any(map(str.isdigit, key)))
    return Row("Use this key", lambda: {"api_key": key}) if is_key else None


def rows_for(servers: Sequence[LocalServerDict]) -> list[Row[Way]]:
    """A row for each model that a server on this machine has."""
    return [
        Row(f"Use {model}", partial(_use_local, model), urlsplit(server["api_base"]).netloc)
        for server in servers
        for model in server["models"]
    ]


def _use_local(model: str) -> SettingsDict:
    return {"local": True, "model": model}


def _paste_key() -> SettingsDict:
    """Ask for a key; no settings if none is given."""
    key = (read_line("  Key (it is not shown): ", password=True) or "").strip()
    return {"api_key": key} if key else {}


def _name_server() -> SettingsDict:
    """Ask for a server's URL; no settings if none is given."""
    url = (read_line("  URL, such as http://localhost:8000/v1: ") or "").strip()
    return {"api_base": url} if url else {}
