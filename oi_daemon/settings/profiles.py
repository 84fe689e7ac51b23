"""Profiles: settings under a name, each a file in the application's folder."""

from pathlib import Path
from typing import NamedTuple, cast

from oi_daemon.errors import InvalidError
from oi_daemon.settings.paths import profiles_path
from oi_daemon.settings.shapes import SettingsDict
from oi_daemon.settings.sources import settings_in


class Profile(NamedTuple):
    """The settings that a profile sets, and the mistakes that were found in its file."""

    settings: SettingsDict
    problems: list[str]
    """A line for a person about each mistake."""


def load_profile(name: str) -> Profile:
    """A profile.

    Args:
        name: the name of its file without `.toml`, or the path of a file.

    Raises:
        InvalidError: there is no such file.
    """
    path = Path(name).expanduser()
    if path.suffix != ".toml":
        path = profiles_path() / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(profile_names())
        others = f"There are: {known}." if known else f"Its settings would be in {path}."
        raise InvalidError(f"There is no profile {name}. {others}")
    problems: list[str] = []
    return Profile(cast("SettingsDict", settings_in(path, problems)), problems)


def profile_names() -> list[str]:
    """The names of all profiles in the application's folder."""
    return sorted(path.stem for path in profiles_path().glob("*.toml"))
