"""The settings file: made at first need with every setting commented out, and changed in place."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oi_daemon.errors import OIError
from oi_daemon.files import make_private, write_private
from oi_daemon.settings.paths import config_path
from oi_daemon.settings.settings import schema


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
