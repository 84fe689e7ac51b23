"""Where settings come from outside of a call: defaults < settings file < environment."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from oi_daemon.errors import InvalidError
from oi_daemon.settings.paths import config_path
from oi_daemon.settings.settings import NAMES, Settings, change


class ConfigurationWarning(UserWarning):
    """A mistake in the configuration, told to a program that uses the library."""


class Loaded(NamedTuple):
    """Settings as configured, and what was wrong on the way: each problem a line for a person."""

    settings: Settings
    problems: list[str]


def load_settings(environ: Mapping[str, str] = os.environ, path: Path | None = None) -> Loaded:
    """The settings before any call: defaults, then the file, then the environment.

    A mistake never stops the load: it is told in `problems`, never with the value, and what is
    below it applies. Empty text unsets a setting in the file, and is no value in the environment.
    """
    problems: list[str] = []
    settings = _from_file(Settings(), path or config_path(), problems)
    for variable, name in _variables().items():
        if value := environ.get(variable, "").strip():
            settings = _apply(settings, name, value, variable, problems, lax=True)
    return Loaded(settings, problems)


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
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return settings
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(f"{path} cannot be read: {reason}. The defaults apply.")
        return settings
    for name, value in _parse(text, path, problems).items():
        where = f"{path}, line {_line_of(name, text)}"
        settings = _apply(settings, name, value, where, problems)
    return settings


def _parse(text: str, path: Path, problems: list[str]) -> dict[str, Any]:
    """What TOML there is: a line that is none is left out, so that it does not cost the others."""
    lines = text.split("\n")
    mistakes: list[str] = []
    while True:
        try:
            values = tomllib.loads("\n".join(lines) + "\n")
        except tomllib.TOMLDecodeError as error:
            reason, _, place = str(error).partition(" (at line ")
            line = int(place.partition(",")[0] or 0)
            name = _SETTING.match(lines[line - 1]) if line else None
            if name is None:
                problems.append(f"{path}: {error}. The defaults apply.")
                return {}
            mistakes.append(
                f"{path}, line {line}: {name[1]}: not valid TOML ({reason}); text stands in quotes."
                " It is left out."
            )
            lines[line - 1] = ""
        else:
            problems += mistakes
            return values


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
        mistake = str(error).removeprefix("settings.")
        problems.append(f"{where}: {mistake}{'' if mistake.endswith('?') else '.'} It is left out.")
        return settings


def _line_of(name: str, text: str) -> int:
    """The line on which a top-level key or table stands, counted from 1; 1 if it is not found."""
    key = rf"^\s*\[*\s*[\"']?{re.escape(name)}[\"']?\s*[=.\]]"
    found = re.search(key, text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 1


_SETTING = re.compile(rf"\s*({'|'.join(NAMES)})\s*[=:]")
