"""Loads the settings: the defaults, then the settings file, then the environment."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from oi_daemon import keys
from oi_daemon.errors import InvalidError
from oi_daemon.settings.explanations import GOT_TEXT
from oi_daemon.settings.paths import config_path
from oi_daemon.settings.settings import NAMES, Settings, change, schema


class ConfigurationWarning(UserWarning):
    """Warns a program that uses the library about a mistake in the configuration."""


class Loaded(NamedTuple):
    """The configured settings, and the mistakes that were found."""

    settings: Settings
    problems: list[str]
    """A line for a person about each mistake."""


def load_settings(environ: Mapping[str, str] | None = None, path: Path | None = None) -> Loaded:
    """The settings from all sources. The environment overrides the file, the file the defaults.

    A mistake is reported in `problems`, without the value, which may be a key, and the next source
    applies instead. An empty text in the file unsets a setting; an empty variable is ignored.
    """
    problems: list[str] = []
    settings = change(Settings(), settings_in(path or config_path(), problems))
    environ = keys.environ() if environ is None else environ
    for variable, name in _variables().items():
        if value := environ.get(variable, "").strip():
            settings = _apply(settings, name, value, variable, problems, lax=True)
    return Loaded(settings, problems)


def _variables() -> dict[str, str]:
    """The setting for each environment variable. Later variables override earlier ones."""
    known = {
        "OPENAI_API_KEY": "api_key",
        "OPENAI_API_BASE": "api_base",
        "OPENAI_BASE_URL": "api_base",
    }
    return known | {f"OI_{name.upper()}": name for name in NAMES}


def settings_in(path: Path, problems: list[str]) -> dict[str, Any]:
    """The settings that a file sets, those that fit; none if there is no such file.

    Args:
        problems: gets a line for a person about each mistake.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(f"{path} cannot be read: {reason}. The defaults apply.")
        return {}
    accepted: dict[str, Any] = {}
    for name, value in _parse(text, path, problems).items():
        if name == "mcp" and isinstance(value, dict):
            if servers := _accepted_servers(value, text, path, problems):
                accepted[name] = servers
            continue
        known = len(problems)
        _apply(Settings(), name, value, f"{path}, line {_line_of(name, text)}", problems)
        if len(problems) == known:
            accepted[name] = value
    return accepted


def _accepted_servers(
    servers: dict[str, Any], text: str, path: Path, problems: list[str]
) -> dict[str, Any]:
    """Those MCP servers of the file that fit. Each mistake costs one server."""
    accepted: dict[str, Any] = {}
    for name, server in servers.items():
        try:
            change(Settings(), {"mcp": {name: server}})
        except InvalidError as error:
            mistake = str(error).removeprefix("settings.")
            key = mistake.partition(":")[0].removeprefix(f"mcp.{name}").strip(".")
            line = _line_in_table(f"mcp.{name}", key.partition("[")[0].partition(".")[0], text)
            problems.append(f"{path}, line {line}: {mistake}. The server is left out.")
        else:
            accepted[name] = server
    return accepted


def _parse(text: str, path: Path, problems: list[str]) -> dict[str, Any]:
    """The values in the file. Lines that are not valid TOML are skipped; the others still apply."""
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
                f"{path}, line {line}: {name[1]}: {_mistake(name[1], reason)}. It is left out."
            )
            lines[line - 1] = ""
        else:
            problems += mistakes
            return values


def _mistake(name: str, reason: str) -> str:
    """What is wrong with a setting's line that is not valid TOML.

    Args:
        reason: the parser's own words.
    """
    field = schema()["properties"][name]
    kinds = {field.get("type"), *(each.get("type") for each in field.get("anyOf", ()))}
    for kind, words in _EXPECTED.items():
        if kind in kinds:
            return f"expected {words}"
    return f"not valid TOML ({reason}); text stands in quotes"


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
        mistake = mistake.removesuffix(GOT_TEXT) if lax else mistake
        problems.append(f"{where}: {mistake}{'' if mistake.endswith('?') else '.'} It is left out.")
        return settings


def _line_of(name: str, text: str) -> int:
    """Number of the line that holds a top-level key or table, from 1; 1 if it is not found."""
    key = rf"^\s*\[*\s*[\"']?{re.escape(name)}[\"']?\s*[=.\]]"
    found = re.search(key, text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 1


def _line_in_table(table: str, key: str, text: str) -> int:
    """Number of the line that holds a key of a table, from 1; that of the table if it is empty."""
    parts = table.split(".")
    name = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in parts)
    found = re.search(rf"^\s*\[\s*{name}\s*[\].]", text, re.MULTILINE)
    if found is None:
        return _line_of(parts[0], text)
    end = re.compile(r"^\s*\[", re.MULTILINE).search(text, found.end())
    rest = text[found.end() : end.start() if end else None]
    inside = re.search(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", rest, re.MULTILINE)
    position = found.end() + inside.end() if key and inside else found.end()
    return text.count("\n", 0, position) + 1


_EXPECTED = {
    "boolean": "true or false, in small letters and without quotes",
    "integer": "a whole number, such as 16000",
    "number": "a number, such as 0.5",
}
"""How the values of settings are written, by their type in JSON Schema."""
_SETTING = re.compile(rf"\s*({'|'.join(NAMES)})\s*[=:]")
