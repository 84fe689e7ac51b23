"""The folders and files that the application uses, by the platform's own conventions."""

from pathlib import Path

import platformdirs

APP = "oi-daemon"


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
