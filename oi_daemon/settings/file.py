"""The settings file: made at first need with every setting commented out, and changed in place."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from oi_daemon.errors import OIError
from oi_daemon.files import make_private, write_private
from oi_daemon.settings.mcp_servers import EXAMPLE
from oi_daemon.settings.paths import config_path
from oi_daemon.settings.settings import schema


def ensure_config() -> Path:
    """The configuration file's path; the file is written first if there is none.

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


def save_setting(name: str, value: object) -> Path:
    """Set a setting in the configuration file; returns the file's path.

    The new value takes the place of the old one, or of the line that shows the setting commented
    out. Everything else in the file stays as it is.

    Raises:
        OIError: the file cannot be read or written, or is not valid TOML. It is then not changed.
    """
    path = ensure_config().resolve()  # where it is a link, the file that it leads to is written
    line = f"{name} = {_toml(value)}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
        write_private(path, _with_setting(text, name, value).encode())
    except tomllib.TOMLDecodeError as error:
        raise OIError(
            f"{path} is not valid TOML, so it was not changed: {error}. Correct it, or delete the"
            f" line, then add: {line}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise OIError(f"{path} cannot be changed: {error}. Add this line: {line}") from error
    return path


def template() -> str:
    """The commented configuration file, made from the settings' own descriptions.

    It stays valid if the first `# ` is taken away from each line.
    """
    lines = [
        "## Settings of Open Interpreter: the terminal, Python and all editors read this file.",
        "## Take the # away from a line to change it. Order: this file < environment < the call.",
    ]
    for name, field in schema()["properties"].items():
        lines += ["", f"## {field['description']}"]
        lines += [f"# {line}".rstrip() for line in _example(name, field).splitlines()]
    return "\n".join(lines) + "\n"


def _with_setting(text: str, name: str, value: object) -> str:
    """The file's text with this value.

    Raises:
        TOMLDecodeError: the text is not valid.
    """
    import tomlkit

    if name not in tomllib.loads(text):
        text = _uncommented(text, name)
    document = tomlkit.parse(text)
    document[name] = tomlkit.value(_toml(value))
    return document.as_string()


def _uncommented(text: str, name: str) -> str:
    """The text with the comment that shows this setting turned into the setting.

    Returns the text itself if there is no such comment.
    """
    lines = text.splitlines(keepends=True)
    for first, line in enumerate(lines):
        if not re.match(rf"#\s*{name}\s*=", line):
            continue
        for last in range(first, len(lines)):
            if not lines[last].startswith("#"):
                break
            setting = [re.sub(r"^# ?", "", each) for each in lines[first : last + 1]]
            changed = "".join([*lines[:first], *setting, *lines[last + 1 :]])
            if _only_adds(name, text, changed):
                return changed
    return text


def _only_adds(name: str, before: str, after: str) -> bool:
    """Whether the second text sets this setting, and is otherwise the same as the first.

    It is not if the line that was changed stands inside of a longer text or a table.
    """
    try:
        values = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    return values.pop(name, None) is not None and values == tomllib.loads(before)


def _example(name: str, field: Mapping[str, object]) -> str:
    """A line of TOML with the default, or with an example if there is no default.

    An example of MCP servers is a table.
    """
    value = field["default"]
    examples = field.get("examples")
    if value is None and isinstance(examples, list):
        value = examples[0]
    if name == "mcp":
        return _table(name, EXAMPLE)
    return f"{name} = {_toml(value)}"


def _table(name: str, value: Mapping[str, object]) -> str:
    import tomlkit

    return tomlkit.dumps({name: value}).strip()


def _toml(value: object) -> str:
    """The value as TOML. A text of several lines begins on a line of its own."""
    import tomlkit

    if isinstance(value, str) and "\n" in value:
        quoted = tomlkit.string(value, multiline=True).as_string()
        has_own_line = value.startswith("\n")  # tomlkit has begun a line for it
        return quoted if has_own_line else quoted.replace('"""', '"""\n', 1)
    return tomlkit.item(value).as_string()
