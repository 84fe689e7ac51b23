"""The command line of `interpreter`: a flag for every setting, made from the settings."""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn, cast

from oi_daemon import __version__
from oi_daemon.errors import InvalidError
from oi_daemon.settings import NAMES, Settings, change, descriptions, schema
from oi_daemon.settings.explanations import GOT_TEXT
from oi_daemon.settings.shapes import SettingsDict
from oi_daemon.terminal.completion import SHELLS, Flag, completion_script

_DESCRIPTION = """\
Ask in plain words: a language model writes code, and it runs on this machine
if you say yes. Without a question, a conversation begins."""

_EPILOG = """\
A flag without a value has an opposite, such as --no-auto_run. The settings of
the file (--config) and of the environment (OI_MODEL, OI_AUTO_RUN) hold for
what no flag says.

examples:
  interpreter                             a conversation; %help shows commands
  interpreter "What's 34/24?"             one question
  echo "What's 34/24?" | interpreter -y   plain text, and nobody is asked
  cat data.csv | interpreter "Sum it up"  data for the question, or for the code
  interpreter --continue "And of Italy?"  goes on with the latest conversation
  interpreter --local                     a model on this machine, without a key
  interpreter --api_base http://localhost:8000/v1 --model my-model

exit codes:
  0 done; 1 an error, shown on stderr; 2 wrong use, or no question;
  3 code was not run, as there was nobody to say yes; 4 max_budget was reached;
  130 interrupted; 141 nobody reads the output any more"""

LATEST = "latest"
"""The value of `--resume` that `--continue` stands for."""
_SEE_HELP = "`interpreter --help` shows all flags. A question that begins with - comes after --."
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
        *("context_window", "system_message", "custom_instructions", "agents_md", "tool_style"),
        *(
            "api",
            "vision",
            "reasoning_effort",
            "verbosity",
            "service_tier",
            "extra_body",
            "extra_headers",
        ),
    ),
    "running code": (
        *("auto_run", "max_output", "max_rounds", "max_budget", "python", "cwd"),
        *("max_seconds", "max_memory", "crash_proof", "crash_proof_memory"),
        *("sandbox", "sandbox_folders", "pass_keys", "mcp"),
        *("shared", "host", "send_keys"),
    ),
    "files": (
        *("keep_files", "keep_files_size", "keep_files_largest", "keep_files_wait"),
        "keep_files_ignore",
    ),
    "history": ("conversation_history", "conversation_filename", "conversation_history_path"),
}
"""The settings of each group of the help; those that are in none stand under "more"."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line. A mistake in it is explained and ends the program."""
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    end = given.index("--") if "--" in given else len(given)
    options = _parser().parse_intermixed_args(given[:end])  # a flag may stand among the words
    options.prompt += given[end + 1 :]
    return options


def settings_of(options: argparse.Namespace) -> SettingsDict:
    """Return the settings that were given as flags, each in its own type."""
    given = {name: value for name, value in vars(options).items() if name in NAMES}
    return cast("SettingsDict", given)


def completion(shell: str) -> str:
    """The script that teaches a shell (`bash`, `zsh` or `fish`) all flags."""
    fields = schema()["properties"]
    return completion_script(
        shell,
        [
            Flag(
                tuple(action.option_strings),
                (action.help or "").replace("%%", "%"),
                action.nargs != 0,
                tuple(action.choices or fields.get(action.dest, {}).get("enum", ())),
            )
            for action in _parser()._actions
            if action.option_strings
        ],
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
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
        default=argparse.SUPPRESS,
        help=f"Use the model {_FAST_MODEL}.",
    )
    return parser


def _add_program(group: argparse._ArgumentGroup) -> None:
    """Add the arguments that are not settings."""
    group.add_argument("prompt", nargs="*", metavar="question", help="Ask this, then exit.")
    group.add_argument(
        "--continue",
        dest="resume",
        action="store_const",
        const=LATEST,
        help="Go on with the latest conversation.",
    )
    group.add_argument("--resume", metavar="ID", help="Go on with this saved conversation.")
    group.add_argument("--conversations", action="store_true", help="Choose a saved conversation.")
    group.add_argument(
        "--attach",
        nargs="?",
        const="",
        metavar="ID",
        help="Go on with a running conversation of the shared daemon.",
    )
    group.add_argument(
        "--profile",
        metavar="NAME",
        help="Use these settings: profiles/NAME.toml beside the settings file.",
    )
    group.add_argument(
        "--completion",
        metavar="SHELL",
        choices=tuple(SHELLS),
        help="Print the completion for bash, zsh or fish: see the docs.",
    )
    group.add_argument("--config", action="store_true", help="Open the settings file.")
    group.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}", help="Show the version."
    )
    group.add_argument("-h", "--help", action="help", help="Show this help.")


def _add_setting(group: argparse._ArgumentGroup, name: str, description: str) -> None:
    """Add the flag of a setting."""
    names = [_SHORT[name], f"--{name}"] if name in _SHORT else [f"--{name}"]
    text = description.replace("%", "%%")
    if isinstance(getattr(Settings(), name), bool):
        action = argparse.BooleanOptionalAction
        group.add_argument(*names, default=argparse.SUPPRESS, help=text, action=action)
    else:
        metavar = _METAVARS.get(name, "N")
        group.add_argument(
            *names, default=argparse.SUPPRESS, help=text, action=_StoreSetting, metavar=metavar
        )


def _ordered(names: dict[str, str]) -> dict[str, str]:
    """The settings' descriptions in the order of the groups."""
    first = [name for group in _GROUPS.values() for name in group]
    return {name: names[name] for name in [*first, *(n for n in names if n not in first)]}


class _Parser(argparse.ArgumentParser):
    """Explains a mistake in the command line in plain words."""

    def error(self, message: str) -> NoReturn:
        """End the program with an explanation of the mistake."""
        self.exit(2, f"{self.prog}: error: {self._explained(message)}\n{_SEE_HELP}\n")

    def _explained(self, message: str) -> str:
        """A message of `argparse` in plain words."""
        flag, _, mistake = message.removeprefix("argument ").partition(": ")
        names = [name for name in flag.split("/") if not name.startswith("--no-")]
        flag = names[-1] if names else flag
        if message.startswith("unrecognized arguments: "):
            return self._unknown(mistake.split()[0].partition("=")[0])
        if message.startswith("ambiguous option: "):
            return f"{mistake.replace(' could match', ' may mean')}."
        if mistake.startswith("ignored explicit argument"):
            return f"{flag} takes no value."
        if mistake.startswith("invalid choice"):
            choices = mistake.partition("(choose from ")[2].rstrip(")").replace("'", "")
            return f"{flag}: expected one of {choices}"
        if mistake == "expected one argument":
            return f"{flag} needs a value."
        return message

    def _unknown(self, flag: str) -> str:
        """Say that there is no such flag, and which is the most similar one."""
        close = get_close_matches(flag, self._option_string_actions, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return f"There is no flag {flag}.{hint}"


class _StoreSetting(argparse.Action):
    """Stores the value of a setting in its own type. A wrong one is a mistake in the command."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Check and store the text that follows the flag `option_string`."""
        try:
            settings = change(Settings(), {self.dest: values}, lax=True)
        except InvalidError as error:
            mistake = str(error).removeprefix(f"settings.{self.dest}: ").removesuffix(GOT_TEXT)
            raise argparse.ArgumentError(None, f"{option_string}: {mistake}") from None
        setattr(namespace, self.dest, getattr(settings, self.dest))


class _Help(argparse.RawDescriptionHelpFormatter):
    """Formats the help: flags at the left, what they do at the right."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """How a flag is written: `-y, --auto_run`, without `--no-auto_run`."""
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
    "custom_instructions": "TEXT",
    "tool_style": "STYLE",
    "api": "NAME",
    "vision": "WHEN",
    "reasoning_effort": "EFFORT",
    "verbosity": "LEVEL",
    "service_tier": "TIER",
    "extra_body": "JSON",
    "extra_headers": "JSON",
    "max_budget": "DOLLARS",
    "python": "PATH",
    "cwd": "FOLDER",
    "host": "HOST",
    "sandbox": "MODE",
    "sandbox_folders": "FOLDERS",
    "pass_keys": "NAMES",
    "keep_files_size": "MB",
    "keep_files_largest": "MB",
    "keep_files_wait": "SECONDS",
    "keep_files_ignore": "PATTERNS",
    "conversation_filename": "NAME",
    "conversation_history_path": "FOLDER",
}
"""What the value of a setting is called in the help; "N" where none is listed."""
