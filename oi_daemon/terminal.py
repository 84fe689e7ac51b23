"""The `interpreter` program: a conversation in the terminal, on the library like everyone else."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from oi_daemon import __version__
from oi_daemon.client import Interpreter
from oi_daemon.config import ensure_config, load_settings
from oi_daemon.errors import OIError
from oi_daemon.prompt import ask, converse
from oi_daemon.settings import NAMES, Settings, change, descriptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; gives its exit code."""
    options = _parser().parse_args(arguments)
    errors = Console(stderr=True)
    for problem in load_settings().problems:
        errors.print(problem, style="yellow", markup=False)
    if options.config:
        Console().print(str(ensure_config()), markup=False, soft_wrap=True)
        return 0
    question = " ".join(options.prompt) or ("" if sys.stdin.isatty() else sys.stdin.read().strip())
    try:
        with Interpreter(**_chosen(options)) as interpreter:
            if question:
                return ask(interpreter, question, errors)
            converse(interpreter)
            return 0
    except OIError as error:
        errors.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130


_SHORT = {
    "system_message": "-s",
    "local": "-l",
    "auto_run": "-y",
    "debug_mode": "-d",
    "model": "-m",
    "temperature": "-t",
    "context_window": "-c",
    "max_tokens": "-x",
    "max_budget": "-b",
    "api_base": "-ab",
    "api_key": "-ak",
}


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings given as flags, each in its own type."""
    texts = {name: getattr(options, name) for name in NAMES}
    given = {name: text for name, text in texts.items() if text is not None}
    settings = change(Settings(), given, lax=True)
    return {name: getattr(settings, name) for name in given}


def _parser() -> argparse.ArgumentParser:
    """A flag for every setting, made from the settings themselves."""
    parser = argparse.ArgumentParser(
        prog="interpreter",
        description="Ask in plain words: a language model writes code, which runs if you say yes.",
    )
    parser.add_argument("prompt", nargs="*", help="ask this and leave; without it, converse")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--config", action="store_true", help="say where the settings file is")
    defaults = Settings()
    for name, description in descriptions().items():
        names = [_SHORT[name], f"--{name}"] if name in _SHORT else [f"--{name}"]
        if isinstance(getattr(defaults, name), bool):
            kind: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
        else:
            kind = {"metavar": "VALUE"}
        parser.add_argument(*names, default=None, help=description.replace("%", "%%"), **kind)
    return parser
