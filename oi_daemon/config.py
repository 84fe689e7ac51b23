"""Where settings come from outside of a call: defaults < configuration file < environment.

Also the folders that the application uses, by the platform's own conventions.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from oi_daemon.errors import InvalidError, OIError
from oi_daemon.files import make_private, write_private
from oi_daemon.settings import NAMES, Settings, change, schema

APP = "oi-daemon"


class ConfigurationWarning(UserWarning):
    """A mistake in the configuration, told to a program that uses the library."""


class Loaded(NamedTuple):
    """Settings as configured, and what was wrong on the way: each problem a line for a person."""

    settings: Settings
    problems: list[str]


def config_path() -> Path:
    return platformdirs.user_config_path(APP, appauthor=False) / "config.toml"


def conversations_path() -> Path:
    return platformdirs.user_data_path(APP, appauthor=False) / "conversations"


def pictures_path() -> Path:
    """Folder of the pictures that a terminal could not show, or showed."""
    return platformdirs.user_data_path(APP, appauthor=False) / "pictures"


def pages_path() -> Path:
    """Folder of the HTML pages that were shown; the oldest are forgotten."""
    return platformdirs.user_cache_path(APP, appauthor=False) / "pages"


def prompt_history_path() -> Path:
    """File of what was typed at the terminal's prompt."""
    return platformdirs.user_data_path(APP, appauthor=False) / "prompt_history"


def log_path() -> Path:
    return platformdirs.user_log_path(APP, appauthor=False) / "oi-daemon.log"


def models_path() -> Path:
    """Folder of the downloaded models."""
    return platformdirs.user_cache_path(APP, appauthor=False) / "models"


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


def ensure_config() -> Path:
    """The configuration file's path; written first, all commented out, if there is none.

    Raises:
        OIError: it cannot be written.
    """
    path = config_path()
    if not path.exists():
        try:
            make_private(path.parent)
            write_private(path, template().encode())
        except OSError as error:
            raise OIError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def keep_setting(name: str, value: Any) -> Path:
    """Set a setting in the configuration file for good; gives the file's path.

    Takes the place of the line that sets it, or shows it commented out. The rest, comments too,
    stays as it is.

    Raises:
        OIError: the file cannot be read or written.
    """
    path = ensure_config().resolve()  # where it is a link, what it leads to is written
    line = f"{name} = {_toml(value)}"
    try:
        text = path.read_text(encoding="utf-8-sig")
        write_private(path, _with_line(text, name, line).encode())
    except (OSError, UnicodeDecodeError) as error:
        raise OIError(f"{path} cannot be changed: {error}. Add this line: {line}") from error
    return path


def template() -> str:
    """The commented configuration file, made from the settings' own descriptions.

    Without the first `# ` of each of its lines it is valid too.
    """
    lines = [
        "## Settings of Open Interpreter: the terminal, Python and all editors read this file.",
        "## Take the # away from a line to change it. Order: this file < environment < the call.",
    ]
    for name, field in schema()["properties"].items():
        lines += ["", f"## {field['description']}"]
        lines += [f"# {line}".rstrip() for line in _setting(name, field).splitlines()]
    return "\n".join(lines) + "\n"


def _with_line(text: str, name: str, line: str) -> str:
    """The file's text with this line, where it belongs and nothing else is changed by it."""
    lines = text.split("\n")
    for sign in ("", r"#\s*"):
        for number, found in enumerate(lines):
            if re.match(rf"{sign}{name}\s*=", found):
                changed = "\n".join([*lines[:number], line, *lines[number + 1 :]])
                if _differs_only_in(name, text, changed):
                    return changed
    return f"{line}\n{text}"


def _differs_only_in(name: str, before: str, after: str) -> bool:
    """Whether both set the same, this setting apart: a line may stand inside of a longer text."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    return name in new and old | {name: None} == new | {name: None}


def _setting(name: str, field: Mapping[str, Any]) -> str:
    """A line of TOML with the default, or an example where the default is that none is set."""
    value = field["default"]
    return f"{name} = {_toml(field['examples'][0] if value is None else value)}"


def _toml(value: Any) -> str:
    """JSON's numbers, booleans and text are TOML's; text of several lines is easier to edit so."""
    if isinstance(value, str) and "\n" in value:
        lines = (json.dumps(line, ensure_ascii=False)[1:-1] for line in value.split("\n"))
        return '"""\n' + "\n".join(lines) + '"""'
    return json.dumps(value, ensure_ascii=False)


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
