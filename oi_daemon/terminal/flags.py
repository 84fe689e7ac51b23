"""The command line of `interpreter`: a flag for every setting, made from the settings."""

import argparse
from collections.abc import Sequence
from typing import Any

from oi_daemon import __version__
from oi_daemon.settings import NAMES, Settings, change, descriptions

_DESCRIPTION = """\
Ask in plain words: a language model writes code, and it runs on this machine
if you say yes. Without a question, a conversation begins."""

_EPILOG = """\
A flag without a value has an opposite, such as --no-auto_run. The settings of
the file (--config) and of the environment (OI_MODEL, OI_AUTO_RUN) hold for
what no flag says.

examples:
  interpreter                             a conversation; %help lists commands
  interpreter "What's 34/24?"             one question
  echo "What's 34/24?" | interpreter -y   plain text, and nobody is asked
  interpreter --local                     a model on this machine, without a key
  interpreter --api_base http://localhost:8000/v1 --model my-model

exit codes:
  0 done; 1 an error, told on stderr; 2 wrong use;
  3 code was not run, as there was nobody to say yes; 4 max_budget was reached;
  130 interrupted"""

_FAST_MODEL = "gpt-3.5-turbo"

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

_GROUPS = {
    "model": (
        *("model", "local", "api_key", "api_base", "temperature", "max_tokens"),
        *("context_window", "system_message", "tool_style", "vision"),
    ),
    "running code": (
        *("auto_run", "max_output", "max_rounds", "max_budget", "python", "cwd"),
        *("max_seconds", "max_memory", "crash_proof", "crash_proof_memory"),
        *("sandbox", "sandbox_folders"),
    ),
    "history": ("conversation_history", "conversation_filename", "conversation_history_path"),
}
"""Settings by what they are about; those that are named nowhere stand under "more"."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; what is wrong with it ends the program, in words."""
    return _parser().parse_args(arguments)


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings given as flags, each in its own type.

    Raises:
        InvalidError: a value that does not fit.
    """
    texts = {name: getattr(options, name) for name in NAMES}
    given = {name: text for name, text in texts.items() if text is not None}
    settings = change(Settings(), given, lax=True)
    return {name: getattr(settings, name) for name in given}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="interpreter",
        usage="%(prog)s [flags] [question ...]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=_Help,
        add_help=False,
    )
    _add_program(parser.add_argument_group("program"))
    named = {name: group for group, names in _GROUPS.items() for name in names}
    groups = {group: parser.add_argument_group(group) for group in [*_GROUPS, "more"]}
    for name, description in _ordered(descriptions()).items():
        _add_setting(groups[named.get(name, "more")], name, description)
    groups["model"].add_argument(
        *("-f", "--fast"),
        dest="model",
        action="store_const",
        const=_FAST_MODEL,
        help=f"Short for --model {_FAST_MODEL}.",
    )
    return parser


def _add_program(group: Any) -> None:
    group.add_argument("prompt", nargs="*", metavar="question", help="Ask this, and leave.")
    group.add_argument("--conversations", action="store_true", help="Choose a saved conversation.")
    group.add_argument("--config", action="store_true", help="Open the settings file.")
    group.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}", help="Say the version."
    )
    group.add_argument("-h", "--help", action="help", help="Say this.")


def _add_setting(group: Any, name: str, description: str) -> None:
    names = [_SHORT[name], f"--{name}"] if name in _SHORT else [f"--{name}"]
    if isinstance(getattr(Settings(), name), bool):
        kind: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
    else:
        kind = {"metavar": _METAVARS.get(name, "N")}
    group.add_argument(*names, default=None, help=description.replace("%", "%%"), **kind)


def _ordered(names: dict[str, str]) -> dict[str, str]:
    """In the order of the groups."""
    first = [name for group in _GROUPS.values() for name in group]
    return {name: names[name] for name in [*first, *(n for n in names if n not in first)]}


class _Help(argparse.RawDescriptionHelpFormatter):
    """Flags at the left, what they do at the right, in 80 columns and more."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-y, --auto_run`, not `-y, --auto_run, --no-auto_run`; a value is named once."""
        names = [name for name in action.option_strings if not name.startswith("--no-")]
        if not names:
            return super()._format_action_invocation(action)
        value = f" {action.metavar}" if action.metavar else ""
        return ", ".join(names) + value


_METAVARS = {
    "model": "NAME",
    "api_key": "KEY",
    "api_base": "URL",
    "system_message": "TEXT",
    "tool_style": "STYLE",
    "vision": "WHEN",
    "max_budget": "DOLLARS",
    "python": "PATH",
    "cwd": "FOLDER",
    "sandbox": "MODE",
    "sandbox_folders": "FOLDERS",
    "conversation_filename": "NAME",
    "conversation_history_path": "FOLDER",
}
