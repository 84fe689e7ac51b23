"""Logs to stderr and to a private file in the user's log folder. Keys are never logged."""

import logging
import os
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from oi_daemon import keys
from oi_daemon.files import make_private
from oi_daemon.settings import Settings
from oi_daemon.settings.paths import log_path

_LOGGER = "oi_daemon"
_FILE_BYTES = 2 * 1024 * 1024
_FILES_KEPT = 2
_KEY = re.compile(r"\bsk-(?:[\w-]{6,}|[\w-]*\*[\w*-]*)(?:\.[\w*-]+)*|(?<=Bearer )\S+")
_SHORTEST_SECRET = 8  # placeholders such as "ollama" are words of ordinary texts

_secrets: set[str] = set()


def hide(secret: str | None) -> None:
    """Replace this text in all log lines and errors from now on. Short ones are ordinary words."""
    if secret and len(secret) >= _SHORTEST_SECRET:
        _secrets.add(secret)
        keys.add(secret)


def redact(text: str, key: str | None = None) -> str:
    """The text with all known keys, this one, and what looks like a key replaced by `[key]`."""
    for secret in (*_secrets, *([key] if key else [])):
        text = text.replace(secret, "[key]")
    return _KEY.sub("[key]", text)


def configure(*, debug: bool = False) -> None:
    """Start logging. Without a file if that cannot be opened."""
    for variable in keys.NAMES:
        hide(keys.environ().get(variable))
    logging.raiseExceptions = False  # a full disk is no reason to write tracebacks to stderr
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(_Formatter("oi-daemon: %(levelname)s: %(message)s"))
    handlers: list[logging.Handler] = [stderr]
    try:
        handlers.append(_file_handler(log_path()))
    except OSError:
        pass
    logging.basicConfig(handlers=handlers, level=logging.WARNING, force=True)
    set_debug(debug)


def apply(settings: Settings) -> None:
    """Set the log's level by `debug_mode`, and hide `api_key` in all log lines."""
    hide(settings.api_key)
    set_debug(settings.debug_mode)


def set_debug(on: bool) -> None:
    """Log every step to stderr and the file, or only warnings to stderr and less to the file."""
    logger, level = logging.getLogger(_LOGGER), logging.DEBUG if on else logging.INFO
    if logger.level != level:  # setting it empties a cache that all loggers share
        logger.setLevel(level)
    for handler in logging.getLogger().handlers:
        if not isinstance(handler, RotatingFileHandler):
            handler.setLevel(logging.DEBUG if on else logging.WARNING)


def _file_handler(path: Path) -> logging.Handler:
    make_private(path.parent)
    handler = _PrivateFile(path, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8")
    handler.setFormatter(_Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    return handler


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> IO[str]:  # type: ignore[override]
        return open(
            self.baseFilename,
            self.mode,
            encoding=self.encoding,
            opener=lambda path, flags: os.open(path, flags, 0o600),
        )


class _Formatter(logging.Formatter):
    """Replaces keys in the finished line, so that tracebacks are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
