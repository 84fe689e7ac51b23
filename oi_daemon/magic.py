"""Magic commands: their names, and the words in which they answer in every place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import wrap

from oi_daemon.errors import InvalidError
from oi_daemon.messages.documents import DOCUMENTS, as_script
from oi_daemon.messages.shapes import (
    MessageDict,
    VariableDict,
)

DEFAULT_FILE = "messages.json"
"""The file that is saved to and loaded from where no path is given."""
NO_VARIABLES = "There are no variables."
_SWITCHES = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
_DEFINITIONS = ("module", "function", "builtin_function_or_method", "type", "class")
"""Types of what is not data. Only the names of these are shown."""
_MODELS = 20
"""Most names of models that are listed."""
_DOCUMENT_PATHS = {
    "markdown": "conversation.md",
    "jupyter": "conversation.ipynb",
    "script": "script.py",
}
"""The file that each command writes where no path is given."""
_SCRIPT_LANGUAGES = {
    ".sh": "shell",
    ".bash": "shell",
    ".zsh": "zsh",
    ".js": "javascript",
    ".r": "r",
    ".ps1": "powershell",
    ".applescript": "applescript",
    ".html": "html",
}
"""The language of a script by its suffix; of others, Python."""
_OWN_CODE = {
    "! COMMAND": "run a shell command of your own in the session",
    "%% CODE": "run Python code of your own; %%LANGUAGE CODE, in another language",
}
"""What runs code of one's own, and what the help says of it."""
_NARROW = 30
"""Columns below which there is no room for a help beside a command."""
_NAMES = 30
"""Most characters of a name, a type or a language that are aligned in columns."""


@dataclass(frozen=True, slots=True)
class MagicHelp:
    """What the help says of a command."""

    argument: str
    """How the command's argument is written; empty if it takes none."""
    help: str
    """What the command does."""


COMMANDS = {
    "auto_run": MagicHelp("[true/false]", "show or change whether code runs unasked"),
    "debug": MagicHelp("[true/false]", "toggle debug mode"),
    "reset": MagicHelp("", "reset the current session"),
    "compact": MagicHelp("", "summarise the oldest part, to free room for more"),
    "undo": MagicHelp(
        "[files]", "remove the last message and its response; with `files`, undo changes of files"
    ),
    "redo": MagicHelp("[PATH]", "undo the last %undo files"),
    "files": MagicHelp("[PATH or NUMBER]", "show what code has done to files"),
    "save_message": MagicHelp("[path]", "save messages to a JSON file"),
    "load_message": MagicHelp("[path]", "load messages from a JSON file"),
    "history": MagicHelp("", "list the messages of this conversation"),
    "markdown": MagicHelp("[path]", "write the conversation to a Markdown file"),
    "jupyter": MagicHelp("[path]", "write the conversation to a Jupyter notebook"),
    "script": MagicHelp("[path]", "write the code that ran to a script, script.py"),
    "model": MagicHelp("[NAME]", "show the server's models, or change the model"),
    "budget": MagicHelp("", "what the last turn and this session have cost"),
    "cost": MagicHelp("[true/false]", "the same; true shows it after each turn"),
    "tokens": MagicHelp("", "the same as %budget"),
    "thinking": MagicHelp("", "show the model's thinking in the last turn"),
    "who": MagicHelp("[NAME...]", "list the variables of the code that was run"),
    "whos": MagicHelp("[NAME...]", "the same as %who"),
    "variables": MagicHelp("[NAME...]", "the same as %who"),
    "help": MagicHelp("", "show this help"),
}


def is_magic(text: str) -> bool:
    """Whether this is a magic command, and no message to the model."""
    return text.startswith("%")


def own_code(text: str) -> tuple[str, str] | None:
    """The language and the code of a person's own block; None if the text is no such block.

    `! COMMAND` is a shell command, `%% CODE` is Python, and `%%LANGUAGE` names another language
    for what follows.
    """
    if text.startswith("!"):
        return "shell", text[1:].strip()
    if not text.startswith("%%"):
        return None
    language = text[2:].split(maxsplit=1)[0] if text[2:3].strip() else ""
    return language or "python", text[2 + len(language) :].strip(" ").strip("\n")


def split_magic(text: str, more: Mapping[str, MagicHelp] | None = None) -> tuple[str, str]:
    """Return a command's name, and the argument that was typed.

    Args:
        more: further commands of the place that asks.

    Raises:
        InvalidError: there is no such command.
    """
    name, _, argument = text[1:].strip().partition(" ")
    known = {**COMMANDS, **(more or {})}
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f" Did you mean %{close[0]}?" if close else ""
        raise InvalidError(f"There is no command %{name}.{hint} %help shows all.")
    return name, argument.strip()


def switch(name: str, argument: str, *, current: bool) -> bool:
    """Return what a switch is set to; without an argument, the opposite of what it is.

    Raises:
        InvalidError: the argument is not true or false.
    """
    if not argument:
        return not current
    on = _SWITCHES.get(argument.lower())
    if on is None:
        raise InvalidError(f"%{name}: expected true or false, not {argument}")
    return on


def help_lines(more: Mapping[str, MagicHelp] | None = None, columns: int = 0) -> list[str]:
    """Return the lines that tell what each command does.

    Args:
        more: further commands of the place that asks. There, code of one's own can be typed too.
        columns: those of the screen, at which the lines are broken; 0 for one line each.
    """
    known = {**COMMANDS, **(more or {})}
    usages = {f"%{name} {each.argument}".strip(): each.help for name, each in known.items()}
    usages |= _OWN_CODE if more else {}
    width = max(map(len, usages)) + 4
    if not columns:
        return [f"  {usage}".ljust(width) + text for usage, text in usages.items()]
    is_narrow = columns - width < _NARROW
    indent = "      " if is_narrow else " " * width
    lines: list[str] = []
    for usage, text in usages.items():
        start = f"  {usage}".ljust(width)
        lines += [start.rstrip()] if is_narrow else []
        first = indent if is_narrow else start
        lines += wrap(text, columns - 1, initial_indent=first, subsequent_indent=indent)
    return lines


def debug_words(*, on: bool) -> str:
    """Say whether debug mode is on."""
    return f"Debug mode is {'on' if on else 'off'}."


def usage_words(*, on: bool) -> str:
    """Say whether the cost is shown after each turn."""
    return f"Tokens and cost are {'shown' if on else 'not shown'} after each turn, in the terminal."


def model_words(model: str, models: Sequence[str]) -> str:
    """Say which model is used, and which others there are.

    Args:
        models: those of the server, the best ones first; empty if it does not list them.
    """
    if not models:
        return f"The model is {model}."
    shown = ", ".join(models[:_MODELS])
    more = f" and {len(models) - _MODELS} more" if len(models) > _MODELS else ""
    return f"The model is {model}. The server has: {shown}{more}. `%model NAME` changes it."


def document(name: str, argument: str, messages: Sequence[MessageDict]) -> tuple[str, str]:
    """Return the path and the content of the document that a command writes.

    Args:
        name: `markdown`, `jupyter` or `script`.
        argument: the path that was typed. Of a script, its suffix says which language is wanted.

    Raises:
        InvalidError: there is nothing to write.
    """
    path = argument or _DOCUMENT_PATHS[name]
    if name != "script":
        return path, DOCUMENTS[name](messages)
    language = _SCRIPT_LANGUAGES.get(f".{path.rpartition('.')[2].lower()}", "python")
    text = as_script(messages, language)
    if not text:
        raise InvalidError(f"No {language} code has run in this conversation.")
    return path, text


def copied(argument: str, messages: Sequence[MessageDict]) -> str:
    """Return what `%copy` copies: the last answer, or the last `code` or `output`.

    Raises:
        InvalidError: there is none.
    """
    kind = argument or "message"
    if kind not in ("message", "code", "output"):
        raise InvalidError(f"%copy: expected code or output, not {argument}")
    for message in reversed(messages):
        text = message.get(kind)
        if isinstance(text, str) and text and message["role"] == "assistant":
            return text
    raise InvalidError("There is nothing to copy yet.")


def auto_run_words(*, on: bool) -> str:
    """Say whether code runs unasked."""
    if on:
        return "Code runs without asking. `%auto_run false` asks again."
    return "You are asked before code runs. `%auto_run true` runs it without asking."


def compact_words(added: Sequence[MessageDict]) -> str:
    """Say what came of a summary.

    Args:
        added: the messages that it added.
    """
    if not added:
        return "There is too little to summarise."
    return f"{added[-1].get('message', '').strip()}\n\n`%undo` takes the summary back."


def undo_words(removed: Sequence[MessageDict]) -> str:
    """Say what was removed."""
    if not removed:
        return "There is nothing to undo."
    return "\n".join(["Removed:", *map(summary, removed)])


def asks_for_files(argument: str) -> str | None:
    """Return what follows `files` in the argument of `%undo`; None if that is not asked for.

    Raises:
        InvalidError: the argument is something else.
    """
    word, _, rest = argument.partition(" ")
    if word and word != "files":
        raise InvalidError(f"%undo: expected nothing or `files`, not {argument}")
    return rest.strip() if word else None


def history_words(messages: Sequence[MessageDict]) -> str:
    """List the messages."""
    return "\n".join(map(summary, messages)) or "There are no messages yet."


def costs(
    input_tokens: int,
    output_tokens: int,
    cost: float | None,
    unpriced: int = 0,
    about: bool = False,
) -> str:
    """What a turn or a session has used, in words."""
    dollars = "about $" if about else "$"
    price = "at a price that is not known" if cost is None else f"{dollars}{cost:.4f}"
    if unpriced:
        price += f", and {unpriced} request{'s' * (unpriced > 1)} of which the price is not known"
    return f"{input_tokens:,} tokens in, {output_tokens:,} out, {price}"


def budget_words(last: str | None, session: str, limit: float | None) -> str:
    """Say what was used.

    Args:
        last: the last turn's `costs`; None if there was none.
        session: the session's.
        limit: the setting `max_budget`.
    """
    parts = [f"Last turn: {last}."] if last else []
    limited = "There is no limit (max_budget)." if limit is None else f"max_budget is ${limit}."
    return " ".join([*parts, f"This session: {session}.", limited])


def thinking_words(text: str) -> str:
    """Return the model's thinking, or say that there is none."""
    return text or "The model told nothing of its thinking in the last turn."


def summary(message: MessageDict) -> str:
    """A message in one line: who wrote it, and how it begins."""
    who = message.get("language") or {"user": "you"}.get(message["role"], "model")
    text = " ".join((message.get("code") or message.get("message") or "").split())
    return f"  {who:>10}  {text if len(text) <= 66 else text[:65] + '…'}"


def table(variables: Sequence[VariableDict], wanted: str, clean: Callable[[str], str]) -> str:
    """Return a line for each variable that holds data, and one with the names of all others.

    Args:
        wanted: with words in it, only variables whose names begin with one of them are listed.
        clean: makes text safe to be shown.
    """
    prefixes = tuple(wanted.split())
    listed = [each for each in variables if not prefixes or each["name"].startswith(prefixes)]
    data = [variable for variable in listed if variable["type"] not in _DEFINITIONS]
    others = [variable["name"] for variable in listed if variable["type"] in _DEFINITIONS]
    several = len({variable["language"] for variable in listed}) > 1
    rows = [
        [clean(cell).replace("\n", " ") for cell in _row(variable, several=several)]
        for variable in data
    ]
    widths = [min(_NAMES, max(map(len, column))) for column in zip(*rows, strict=True)][:-1]
    lines = [
        "  ".join([*(f"{cell:{w}}" for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    if others:
        lines.append(f"Modules, functions and classes: {clean(', '.join(others))}")
    return "\n".join(lines) or NO_VARIABLES


def _row(variable: VariableDict, *, several: bool) -> list[str]:
    """Return the cells of a variable's line.

    Args:
        several: whether there are variables of several languages.
    """
    cells = [variable["name"], variable["type"], _described(variable)]
    return [variable["language"], *cells] if several else cells


def _described(variable: VariableDict) -> str:
    """Return what is known of the value, in words."""
    columns = variable.get("columns")
    if columns is None:
        return variable["preview"]
    shape = variable.get("shape") or [0]
    named = ", ".join(f"{column['name']} ({column['type']})" for column in columns)
    return f"{shape[0]:,} rows: {named}"
