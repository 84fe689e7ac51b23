"""The folders and files that the application uses, by the conventions of the platform."""

from pathlib import Path

import platformdirs

APP = "oi-daemon"


def config_path() -> Path:
    """The settings file."""
    return platformdirs.user_config_path(APP, appauthor=False) / "config.toml"


def profiles_path() -> Path:
    """The folder of profiles: each a file of settings."""
    return platformdirs.user_config_path(APP, appauthor=False) / "profiles"


def conversations_path() -> Path:
    """The folder of conversations, unless a setting names another one."""
    return platformdirs.user_data_path(APP, appauthor=False) / "conversations"


def history_cache_path() -> Path:
    """Folder of the indexes and locks of all folders of conversations."""
    return platformdirs.user_cache_path(APP, appauthor=False) / "history"


def pictures_path() -> Path:
    """The folder of pictures that code has shown in a terminal."""
    return platformdirs.user_data_path(APP, appauthor=False) / "pictures"


def pages_path() -> Path:
    """The folder of HTML pages that code has shown. Old ones are deleted."""
    return platformdirs.user_cache_path(APP, appauthor=False) / "pages"


def prompt_history_path() -> Path:
    """The file of lines that were typed at the terminal's prompt."""
    return platformdirs.user_data_path(APP, appauthor=False) / "prompt_history"


def log_path() -> Path:
    """The log file."""
    return platformdirs.user_log_path(APP, appauthor=False) / "oi-daemon.log"


def models_path() -> Path:
    """The folder of downloaded models."""
    return platformdirs.user_cache_path(APP, appauthor=False) / "models"


def kept_files_path() -> Path:
    """The folder of what files held before blocks changed them, a folder for each conversation."""
    return platformdirs.user_data_path(APP, appauthor=False) / "files"


def own_folders() -> tuple[str, ...]:
    """All folders of the application."""
    names = ("config", "data", "cache", "log", "state")
    finders = (getattr(platformdirs, f"user_{name}_path") for name in names)
    return tuple(dict.fromkeys(str(find(APP, appauthor=False)) for find in finders))
