"""Magic commands in the terminal and the library: what each does, by the library's object."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from oi_daemon import file_words, magic
from oi_daemon.errors import InvalidError, OIError
from oi_daemon.terminal.conversation import TerminalConversation
from oi_daemon.terminal.line import has_terminal
from oi_daemon.terminal.printing import coloured_diff, visible


def run_magic(conversation: TerminalConversation, text: str) -> str:
    """Run a magic command; returns what to print.

    Raises:
        OIError: there is no such command, or it cannot be done.
    """
    name, argument = magic.split_magic(text, HERE)
    return {**RUN, **_RUN_HERE}[name](conversation, argument)


def _debug(conversation: TerminalConversation, argument: str) -> str:
    """Turn debug mode on or off; without an argument, switch it."""
    on = magic.switch("debug", argument, current=conversation.debug_mode)
    conversation.debug_mode = on
    return magic.debug_words(on=on)


def _auto_run(conversation: TerminalConversation, argument: str) -> str:
    """Show whether code runs unasked, or change it."""
    if argument:
        conversation.auto_run = magic.switch("auto_run", argument, current=False)
    return magic.auto_run_words(on=conversation.auto_run)


def _reset(conversation: TerminalConversation, argument: str) -> str:
    """Begin a new conversation."""
    conversation.reset()
    return "A new conversation begins."


def _undo(conversation: TerminalConversation, argument: str) -> str:
    """Remove the last question and its answer."""
    files = magic.asks_for_files(argument)
    if files is None:
        return magic.undo_words(conversation.undo())
    undone = conversation.undo_files(**file_words.wanted_files(files))
    return visible(file_words.files_undone_words(undone))


def _redo(conversation: TerminalConversation, argument: str) -> str:
    """Take an undo of files back."""
    undone = conversation.undo_files(**file_words.wanted_files(argument), redo=True)
    return visible(file_words.files_undone_words(undone)).replace(
        "%redo takes", "%undo files takes"
    )


def _files(conversation: TerminalConversation, argument: str) -> str:
    """Show what code has done to files, or the differences."""
    listed = "" if argument else visible(file_words.file_blocks_words(conversation.file_changes()))
    diffs = conversation.file_diffs(**file_words.wanted_files(argument))
    shown = coloured_diff(visible(file_words.file_diffs_words(diffs))) if diffs or argument else ""
    return "\n\n".join(part for part in (shown, listed) if part)


def _compact(conversation: TerminalConversation, argument: str) -> str:
    """Let the model summarise the oldest part of the conversation."""
    return magic.compact_words(conversation.compact())


def _save(conversation: TerminalConversation, argument: str) -> str:
    """Save the messages to a file."""
    path = Path(argument or magic.DEFAULT_FILE).expanduser()
    messages = conversation.messages
    _write(path, f"{json.dumps(messages, indent=2, ensure_ascii=False)}\n")
    return f"Saved {len(messages)} messages to {path.absolute()}."


def _load(conversation: TerminalConversation, argument: str) -> str:
    """Load the messages from a file."""
    path = Path(argument or magic.DEFAULT_FILE).expanduser()
    try:
        conversation.messages = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OIError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidError(f"{path} does not hold a conversation: {error}") from error
    return f"Loaded {len(conversation.messages)} messages from {path.absolute()}."


def _history(conversation: TerminalConversation, argument: str) -> str:
    """List the messages."""
    return magic.history_words(conversation.messages)


def _model(conversation: TerminalConversation, argument: str) -> str:
    """Show or change the model."""
    if argument:
        conversation.model = argument
        return f"The model is {argument}."
    try:
        models = conversation.models()
    except OIError:  # the server cannot be reached now
        models = []
    return magic.model_words(conversation.model, models)


def _budget(conversation: TerminalConversation, argument: str) -> str:
    """Show what the last turn and the session have cost."""
    turn = conversation.last_turn
    last = magic.costs(**turn["usage"]) if "usage" in turn else None
    return magic.budget_words(last, magic.costs(**conversation.usage), conversation.max_budget)


def _cost(conversation: TerminalConversation, argument: str) -> str:
    """Show what was used, or whether it is shown after each turn."""
    if not argument:
        return _budget(conversation, argument)
    conversation.show_usage = magic.switch("cost", argument, current=False)
    return magic.usage_words(on=conversation.show_usage)


def _copy(conversation: TerminalConversation, argument: str) -> str:
    """Copy the last answer, code or output to the clipboard."""
    from oi_daemon.terminal.clipboard import copy

    text = magic.copied(argument, conversation.messages)
    copy(text)
    count = len(text)
    return f"Copied {count:,} character{'s' if count != 1 else ''} to the clipboard."


def _writer(name: str) -> Callable[[TerminalConversation, str], str]:
    """What writes a document of this kind."""

    def write(conversation: TerminalConversation, argument: str) -> str:
        typed, text = magic.document(name, argument, conversation.messages)
        path = Path(typed).expanduser()
        _write(path, text)
        return f"Written to {path.absolute()}."

    return write


def _write(path: Path, text: str) -> None:
    """Write a text to a file.

    Raises:
        OIError: that cannot be done.
    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise OIError(f"{path} cannot be written: {error.strerror}.") from error


def used_by_turn(conversation: TerminalConversation) -> str:
    """Return what the last turn has cost, as a sentence."""
    turn = conversation.last_turn
    return f"Last turn: {magic.costs(**turn['usage'])}." if "usage" in turn else ""


def _thinking(conversation: TerminalConversation, argument: str) -> str:
    """Show what the model told of its thinking in the last turn."""
    return magic.thinking_words(visible(conversation.last_turn.get("thinking", "")))


def _who(conversation: TerminalConversation, argument: str) -> str:
    """List the variables; with names, those whose names begin with one of them."""
    return magic.table(conversation.variables(), argument, visible)


def _help(conversation: TerminalConversation, argument: str) -> str:
    """Show all commands."""
    columns = shutil.get_terminal_size().columns if has_terminal() else 0
    keys = "Alt-Enter begins another line. Ctrl-C stops the turn. Ctrl-D or exit quits."
    return "\n".join([*magic.help_lines(HERE, columns), keys])


HERE = {
    "attach": magic.MagicHelp("[ID]", "go on with a running conversation of the shared daemon"),
    "retry": magic.MagicHelp("", "ask the last question again"),
    "edit": magic.MagicHelp("[text]", "write the next message in your editor"),
    "copy": magic.MagicHelp("[code/output]", "copy the last answer, code or output"),
}
"""The commands that only the terminal has. `Session` runs those that lead to a turn."""


RUN: dict[str, Callable[[TerminalConversation, str], str]] = {
    "auto_run": _auto_run,
    "debug": _debug,
    "reset": _reset,
    "compact": _compact,
    "undo": _undo,
    "redo": _redo,
    "files": _files,
    "save_message": _save,
    "load_message": _load,
    "history": _history,
    "markdown": _writer("markdown"),
    "jupyter": _writer("jupyter"),
    "script": _writer("script"),
    "model": _model,
    "budget": _budget,
    "cost": _cost,
    "tokens": _budget,
    "thinking": _thinking,
    "who": _who,
    "whos": _who,
    "variables": _who,
    "help": _help,
}
"""Runs each command with the argument that was typed; returns what to print."""
_RUN_HERE: dict[str, Callable[[TerminalConversation, str], str]] = {"copy": _copy}
"""The same for commands that only the terminal has."""
