"""Where settings come from outside of a call: defaults < configuration file < environment.

Also the folders that the application uses, by the platform's own conventions.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from oi_daemon.errors import InvalidError
from oi_daemon.settings import NAMES, Settings, change, descriptions

APP = "oi-daemon"


class Loaded(NamedTuple):
    """Settings as configured, and what was wrong on the way: each problem a line for a person."""

    settings: Settings
    problems: list[str]


def config_path() -> Path:
    return platformdirs.user_config_path(APP, appauthor=False) / "config.toml"


def conversations_path() -> Path:
    return platformdirs.user_data_path(APP, appauthor=False) / "conversations"


def log_path() -> Path:
    return platformdirs.user_log_path(APP, appauthor=False) / "oi-daemon.log"


def models_path() -> Path:
    """Folder of the downloaded models."""
    return platformdirs.user_cache_path(APP, appauthor=False) / "models"


def load_settings(environ: Mapping[str, str] = os.environ, path: Path | None = None) -> Loaded:
    """The settings before any call: defaults, then the file, then the environment.

    A mistake never stops the load: it is told in `problems`, and the value below it applies.
    """
    problems: list[str] = []
    settings = _from_file(Settings(), path or config_path(), problems)
    for variable, name in _variables().items():
        if environ.get(variable):
            settings = _apply(settings, name, environ[variable], variable, problems, lax=True)
    return Loaded(settings, problems)


def ensure_config() -> Path:
    """The configuration file's path; written first, all commented out, if there is none."""
    path = config_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(template(), encoding="utf-8")
    return path


def template() -> str:
    """The commented configuration file, made from the settings' own descriptions."""
    lines = [
        "# Settings of Open Interpreter: the terminal, Python and all editors read this file.",
        "# Take the # away from a line to change it. Order: this file < environment < the call.",
        "",
    ]
    defaults = Settings()
    for name, description in descriptions().items():
        lines += [f"# {description}", f"# {name} = {_toml(getattr(defaults, name))}", ""]
    return "\n".join(lines)


def _variables() -> dict[str, str]:
    """Environment variable -> setting. Later ones win."""
    known = {
        "OPENAI_API_KEY": "api_key",
        "OPENAI_API_BASE": "api_base",
        "OPENAI_BASE_URL": "api_base",
    }
    return known | {f"OI_{name.upper()}": name for name in NAMES}


def _from_file(settings: Settings, path: Path, problems: list[str]) -> Settings:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        return settings
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: {error}. The defaults apply.")
        return settings
    for name, value in values.items():
        where = f"{path}, line {_line_of(name, text)}"
        settings = _apply(settings, name, value, where, problems)
    return settings


def _apply(
    settings: Settings,
    name: str,
    value: Any,
    where: str,
    problems: list[str],
    *,
    lax: bool = False,
) -> Settings:
    try:
        return change(settings, {name: value}, lax=lax)
    except InvalidError as error:
        problems.append(f"{where}: {str(error).removeprefix('settings.')}. It is left out.")
        return settings


def _line_of(name: str, text: str) -> int:
    """The line on which a top-level key or table stands, counted from 1; 1 if it is not found."""
    found = re.search(rf"^\s*\[?\s*[\"']?{re.escape(name)}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 1


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _toml_text(value)
    return repr(value)


def _toml_text(value: str) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
