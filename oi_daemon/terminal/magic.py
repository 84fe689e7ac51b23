"""Magic commands: what begins with % is for the program, not for the model."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from oi_daemon.errors import InvalidError, OIError
from oi_daemon.terminal.conversation import LibraryInterpreter

_FILE = "messages.json"
_WORDS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Command:
    """`run` takes the conversation and the argument, and gives what to tell the person."""

    argument: str
    help: str
    run: Callable[[LibraryInterpreter, str], str]


def is_magic(text: str) -> bool:
    return text.startswith("%")


def run_magic(conversation: LibraryInterpreter, text: str) -> str:
    """Do what a magic command says; gives what to tell the person.

    Raises:
        OIError: there is no such command, or it cannot be done.
    """
    name, _, argument = text[1:].strip().partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        close = get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean %{close[0]}?" if close else ""
        raise InvalidError(f"There is no command %{name}.{hint} %help lists them.")
    return command.run(conversation, argument.strip())


def _debug(conversation: LibraryInterpreter, argument: str) -> str:
    on = _WORDS.get(argument.lower()) if argument else not conversation.debug_mode
    if on is None:
        raise InvalidError(f"%debug: expected true or false, not {argument}")
    conversation.debug_mode = on
    return f"Debug mode is {'on' if on else 'off'}."


def _reset(conversation: LibraryInterpreter, argument: str) -> str:
    conversation.reset()
    return "A new conversation begins."


def _undo(conversation: LibraryInterpreter, argument: str) -> str:
    removed = conversation.undo()
    if not removed:
        return "There is nothing to undo."
    return "\n".join(["Removed:", *map(_in_a_line, removed)])


def _save(conversation: LibraryInterpreter, argument: str) -> str:
    path = Path(argument or _FILE).expanduser()
    messages = conversation.messages
    try:
        path.write_text(f"{json.dumps(messages, indent=2, ensure_ascii=False)}\n", "utf-8")
    except OSError as error:
        raise OIError(f"{path} cannot be written: {error.strerror}.") from error
    return f"Saved {len(messages)} messages to {path.absolute()}."


def _load(conversation: LibraryInterpreter, argument: str) -> str:
    path = Path(argument or _FILE).expanduser()
    try:
        conversation.messages = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OIError(f"{path} cannot be read: {error.strerror}.") from error
    except (InvalidError, ValueError) as error:
        raise InvalidError(f"{path} does not hold a conversation: {error}") from error
    return f"Loaded {len(conversation.messages)} messages from {path.absolute()}."


def _history(conversation: LibraryInterpreter, argument: str) -> str:
    return "\n".join(map(_in_a_line, conversation.messages)) or "Nothing was said yet."


def _model(conversation: LibraryInterpreter, argument: str) -> str:
    if argument:
        conversation.model = argument
    return f"The model is {conversation.model}."


def _budget(conversation: LibraryInterpreter, argument: str) -> str:
    turn = conversation.last_turn
    parts = [f"Last turn: {_used(**turn['usage'])}."] if turn else []
    return " ".join([*parts, f"This session: {_used(**conversation.usage)}.", _limit(conversation)])


def _used(input_tokens: int, output_tokens: int, cost: float | None, unpriced: int = 0) -> str:
    price = "at a price that is not known" if cost is None else f"${cost:.4f}"
    if unpriced:
        price += f", and {unpriced} request{'s' * (unpriced > 1)} of which the price is not known"
    return f"{input_tokens:,} tokens in, {output_tokens:,} out, {price}"


def _limit(conversation: LibraryInterpreter) -> str:
    limit = conversation.max_budget
    return "There is no limit (max_budget)." if limit is None else f"max_budget is ${limit}."


def _help(conversation: LibraryInterpreter, argument: str) -> str:
    usages = {f"%{name} {command.argument}".strip(): command for name, command in COMMANDS.items()}
    width = max(map(len, usages)) + 2
    lines = [f"  {usage:{width}}{command.help}" for usage, command in usages.items()]
    keys = "Alt-Enter begins another line. Ctrl-C stops the turn. Ctrl-D, or exit, leaves."
    return "\n".join([*lines, keys])


def _in_a_line(message: dict[str, Any]) -> str:
    who = message.get("language") or {"user": "you"}.get(message["role"], "model")
    text = " ".join((message.get("code") or message.get("message") or "").split())
    return f"  {who:>10}  {text if len(text) <= 66 else text[:65] + '…'}"


COMMANDS = {
    "debug": Command("[true/false]", "toggle debug mode", _debug),
    "reset": Command("", "reset the current session", _reset),
    "undo": Command("", "remove the last message and its response", _undo),
    "save_message": Command("[path]", "save messages to a JSON file", _save),
    "load_message": Command("[path]", "load messages from a JSON file", _load),
    "history": Command("", "list the messages of this conversation", _history),
    "model": Command("[NAME]", "say or change the model", _model),
    "budget": Command("", "what the last turn and this session have cost", _budget),
    "tokens": Command("", "the same", _budget),
    "help": Command("", "list these commands", _help),
}
