"""Magic commands: what begins with % is for the program, not for the model."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from oi_daemon.errors import InvalidError, OIError
from oi_daemon.messages.shapes import MessageDict
from oi_daemon.terminal.conversation import TerminalConversation
from oi_daemon.terminal.printing import visible
from oi_daemon.terminal.variables import table

_FILE = "messages.json"
"""The file that is saved to and loaded from where no path is given."""
_SWITCHES = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Command:
    """A magic command."""

    argument: str
    """How the command's argument is written in the help; empty if it takes none."""
    help: str
    """What the command does, for the help."""
    run: Callable[[TerminalConversation, str], str]
    """Runs the command with the argument that was typed; returns what to print."""


def is_magic(text: str) -> bool:
    """Whether this is a magic command, and no message to the model."""
    return text.startswith("%")


def run_magic(conversation: TerminalConversation, text: str) -> str:
    """Run a magic command; returns what to print.

    Raises:
        OIError: there is no such command, or it cannot be done.
    """
    name, _, argument = text[1:].strip().partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        close = get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean %{close[0]}?" if close else ""
        raise InvalidError(f"There is no command %{name}.{hint} %help shows all.")
    return command.run(conversation, argument.strip())


def _debug(conversation: TerminalConversation, argument: str) -> str:
    """Turn debug mode on or off; without an argument, switch it."""
    on = _SWITCHES.get(argument.lower()) if argument else not conversation.debug_mode
    if on is None:
        raise InvalidError(f"%debug: expected true or false, not {argument}")
    conversation.debug_mode = on
    return f"Debug mode is {'on' if on else 'off'}."


def _auto_run(conversation: TerminalConversation, argument: str) -> str:
    """Show whether code runs unasked, or change it."""
    if argument:
        on = _SWITCHES.get(argument.lower())
        if on is None:
            raise InvalidError(f"%auto_run: expected true or false, not {argument}")
        conversation.auto_run = on
    if conversation.auto_run:
        return "Code runs without asking. `%auto_run false` asks again."
    return "You are asked before code runs. `%auto_run true` runs it without asking."


def _reset(conversation: TerminalConversation, argument: str) -> str:
    """Begin a new conversation."""
    conversation.reset()
    return "A new conversation begins."


def _undo(conversation: TerminalConversation, argument: str) -> str:
    """Remove the last question and its answer."""
    removed = conversation.undo()
    if not removed:
        return "There is nothing to undo."
    return "\n".join(["Removed:", *map(_summary, removed)])


def _compact(conversation: TerminalConversation, argument: str) -> str:
    """Let the model summarise the oldest part of the conversation."""
    added = conversation.compact()
    if not added:
        return "There is too little to summarise."
    return f"{added[-1].get('message', '').strip()}\n\n`%undo` takes the summary back."


def _save(conversation: TerminalConversation, argument: str) -> str:
    """Save the messages to a file."""
    path = Path(argument or _FILE).expanduser()
    messages = conversation.messages
    try:
        path.write_text(f"{json.dumps(messages, indent=2, ensure_ascii=False)}\n", "utf-8")
    except OSError as error:
        raise OIError(f"{path} cannot be written: {error.strerror}.") from error
    return f"Saved {len(messages)} messages to {path.absolute()}."


def _load(conversation: TerminalConversation, argument: str) -> str:
    """Load the messages from a file."""
    path = Path(argument or _FILE).expanduser()
    try:
        conversation.messages = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OIError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidError(f"{path} does not hold a conversation: {error}") from error
    return f"Loaded {len(conversation.messages)} messages from {path.absolute()}."


def _history(conversation: TerminalConversation, argument: str) -> str:
    """List the messages."""
    return "\n".join(map(_summary, conversation.messages)) or "There are no messages yet."


def _model(conversation: TerminalConversation, argument: str) -> str:
    """Show or change the model."""
    if argument:
        conversation.model = argument
    return f"The model is {conversation.model}."


def _budget(conversation: TerminalConversation, argument: str) -> str:
    """Show what the last turn and the session have cost."""
    turn = conversation.last_turn
    parts = [f"Last turn: {_costs(**turn['usage'])}."] if "usage" in turn else []
    return " ".join(
        [*parts, f"This session: {_costs(**conversation.usage)}.", _limit(conversation)]
    )


def _costs(
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


def _limit(conversation: TerminalConversation) -> str:
    """What the session may cost, in words."""
    limit = conversation.max_budget
    return "There is no limit (max_budget)." if limit is None else f"max_budget is ${limit}."


def _thinking(conversation: TerminalConversation, argument: str) -> str:
    """Show what the model told of its thinking in the last turn."""
    text = conversation.last_turn.get("thinking", "")
    return visible(text) or "The model told nothing of its thinking in the last turn."


def _who(conversation: TerminalConversation, argument: str) -> str:
    """List the variables; with names, those whose names begin with one of them."""
    wanted = tuple(argument.split())
    found = conversation.variables()
    return table([each for each in found if not wanted or each["name"].startswith(wanted)])


def _help(conversation: TerminalConversation, argument: str) -> str:
    """Show all commands."""
    usages = {f"%{name} {command.argument}".strip(): command for name, command in COMMANDS.items()}
    width = max(map(len, usages)) + 2
    lines = [f"  {usage:{width}}{command.help}" for usage, command in usages.items()]
    keys = "Alt-Enter begins another line. Ctrl-C stops the turn. Ctrl-D or exit quits."
    return "\n".join([*lines, keys])


def _summary(message: MessageDict) -> str:
    """A message in one line: who wrote it, and how it begins."""
    who = message.get("language") or {"user": "you"}.get(message["role"], "model")
    text = " ".join((message.get("code") or message.get("message") or "").split())
    return f"  {who:>10}  {text if len(text) <= 66 else text[:65] + '…'}"


COMMANDS = {
    "auto_run": Command("[true/false]", "show or change whether code runs unasked", _auto_run),
    "debug": Command("[true/false]", "toggle debug mode", _debug),
    "reset": Command("", "reset the current session", _reset),
    "compact": Command("", "summarise the oldest part, to free room for more", _compact),
    "undo": Command("", "remove the last message and its response", _undo),
    "save_message": Command("[path]", "save messages to a JSON file", _save),
    "load_message": Command("[path]", "load messages from a JSON file", _load),
    "history": Command("", "list the messages of this conversation", _history),
    "model": Command("[NAME]", "show or change the model", _model),
    "budget": Command("", "what the last turn and this session have cost", _budget),
    "tokens": Command("", "the same as %budget", _budget),
    "thinking": Command("", "show the model's thinking in the last turn", _thinking),
    "who": Command("[NAME...]", "list the variables of the code that was run", _who),
    "whos": Command("[NAME...]", "the same as %who", _who),
    "help": Command("", "show this help", _help),
}
