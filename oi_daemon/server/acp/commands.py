"""Magic commands as slash commands: `/who` and `%who` in a prompt are for us, not for the model."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from oi_daemon import file_words, magic
from oi_daemon.errors import InvalidError, OIError
from oi_daemon.messages.shapes import MessageDict, VariableDict
from oi_daemon.messages.text import fenced, without_controls
from oi_daemon.protocol.methods import (
    ConversationParams,
    FilesParams,
    FilesUndoParams,
    HistorySetParams,
    NoParams,
    VariablesParams,
)
from oi_daemon.server.acp.session import AcpSession
from oi_daemon.server.acp.types import CommandInput, CommandsKnown, SlashCommand

AVAILABLE = CommandsKnown(
    available_commands=[
        SlashCommand(
            name=name,
            description=command.help.replace("%", "/"),
            input=CommandInput(hint=command.argument) if command.argument else None,
        )
        for name, command in magic.COMMANDS.items()
    ]
)
"""All commands, as clients offer them."""


def is_command(message: str) -> bool:
    """Whether a prompt is a command: a known name after a slash, or anything after `%`."""
    name = message[1:].partition(" ")[0].rstrip()
    return magic.is_magic(message) or (message.startswith("/") and name in magic.COMMANDS)


async def run_command(session: AcpSession, message: str) -> str:
    """Run a command, and return what to answer, in Markdown.

    Raises:
        OIError: there is no such command, or it cannot be done.
    """
    name, argument = magic.split_magic(message)
    return await RUN[name](session, argument)


async def _debug(session: AcpSession, argument: str) -> str:
    settings = await session.settings()
    on = magic.switch("debug", argument, current=settings["debug_mode"])
    await session.choose({"debug_mode": on})
    return magic.debug_words(on=on)


async def _auto_run(session: AcpSession, argument: str) -> str:
    if argument:
        await session.choose({"auto_run": magic.switch("auto_run", argument, current=False)})
    return magic.auto_run_words(on=(await session.settings())["auto_run"])


async def _reset(session: AcpSession, argument: str) -> str:
    await session.methods.history_reset(_this(session))
    session.thinking, session.last = "", None
    return "A new conversation begins."


async def _undo(session: AcpSession, argument: str) -> str:
    files = magic.asks_for_files(argument)
    if files is not None:
        return await _undo_files(session, files, redo=False)
    removed = await session.methods.history_undo(_this(session))
    return fenced(magic.undo_words(_messages(removed.removed)))


async def _redo(session: AcpSession, argument: str) -> str:
    return await _undo_files(session, argument, redo=True)


async def _undo_files(session: AcpSession, argument: str, *, redo: bool) -> str:
    wanted = file_words.wanted_files(argument)
    params = FilesUndoParams(conversation=session.id, redo=redo, **wanted)
    undone = msgspec.to_builtins(await session.methods.files_undo(params))
    return fenced(without_controls(file_words.files_undone_words(undone)))


async def _files(session: AcpSession, argument: str) -> str:
    params = FilesParams(conversation=session.id, **file_words.wanted_files(argument))
    diffs = msgspec.to_builtins((await session.methods.files_diff(params)).files)
    shown = [fenced(without_controls(file_words.file_diffs_words(diffs)), "diff")]
    if argument:
        return shown[0]
    blocks = msgspec.to_builtins((await session.methods.files_list(_this(session))).blocks)
    listed = fenced(without_controls(file_words.file_blocks_words(blocks)))
    return "\n\n".join([*(shown if diffs else []), listed])


async def _compact(session: AcpSession, argument: str) -> str:
    """The summary has been shown while the model wrote it."""
    result = await session.methods.history_compact(_this(session))
    words = magic.compact_words(_messages(result.messages))
    return f"\n\n{words.splitlines()[-1]}" if result.messages else words


async def _save(session: AcpSession, argument: str) -> str:
    path = _file(session, argument)
    stored = (await session.methods.history_get(_this(session))).messages
    try:
        path.write_text(f"{json.dumps(stored, indent=2, ensure_ascii=False)}\n", "utf-8")
    except OSError as error:
        raise OIError(f"{path} cannot be written: {error.strerror}.") from error
    return f"Saved {len(stored)} messages to `{path}`."


async def _load(session: AcpSession, argument: str) -> str:
    path = _file(session, argument)
    try:
        messages = json.loads(path.read_text("utf-8"))
        params = HistorySetParams(messages=messages, conversation=session.id)
        await session.methods.history_set(params)
    except OSError as error:
        raise OIError(f"{path} cannot be read: {error.strerror}.") from error
    except (InvalidError, ValueError) as error:
        raise InvalidError(f"{path} does not hold a conversation: {error}") from error
    return f"Loaded {len(messages)} messages from `{path}`."


async def _history(session: AcpSession, argument: str) -> str:
    found = await session.methods.history_get(_this(session))
    return fenced(magic.history_words(_messages(found.messages)))


async def _model(session: AcpSession, argument: str) -> str:
    if argument:
        await session.choose({"model": argument})
        return f"The model is {argument}."
    params = ConversationParams(conversation=session.id)
    found = await session.methods.models(params)
    names = found.server.models if found.server else []
    return magic.model_words((await session.settings())["model"], names)


def _writer(name: str) -> Callable[[AcpSession, str], Awaitable[str]]:
    """Return what writes a document of this kind."""

    async def write(session: AcpSession, argument: str) -> str:
        stored = await session.methods.history_get(_this(session))
        typed, text = magic.document(name, argument, _messages(stored.messages))
        path = _file(session, typed)
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            raise OIError(f"{path} cannot be written: {error.strerror}.") from error
        return f"Written to `{path}`."

    return write


async def _budget(session: AcpSession, argument: str) -> str:
    status = await session.methods.status(NoParams())
    used = [each.usage for each in status.conversations if each.conversation == session.id]
    total = magic.costs(**msgspec.structs.asdict(used[0])) if used else magic.costs(0, 0, 0.0)
    last = magic.costs(**msgspec.structs.asdict(session.last.usage)) if session.last else None
    return magic.budget_words(last, total, (await session.settings())["max_budget"])


async def _cost(session: AcpSession, argument: str) -> str:
    if not argument:
        return await _budget(session, argument)
    on = magic.switch("cost", argument, current=False)
    await session.choose({"show_usage": on})
    return magic.usage_words(on=on)


async def _thinking(session: AcpSession, argument: str) -> str:
    return magic.thinking_words(session.thinking)


async def _who(session: AcpSession, argument: str) -> str:
    found = await session.methods.variables(VariablesParams(conversation=session.id))
    listed = cast("list[VariableDict]", msgspec.to_builtins(found.variables))
    return fenced(magic.table(listed, argument, without_controls))


async def _help(session: AcpSession, argument: str) -> str:
    return fenced("\n".join(magic.help_lines()))


def _this(session: AcpSession) -> ConversationParams:
    return ConversationParams(conversation=session.id)


def _file(session: AcpSession, argument: str) -> Path:
    """Return the path that was typed, in the session's folder."""
    return Path(session.cwd) / Path(argument or magic.DEFAULT_FILE).expanduser()


def _messages(stored: list[dict[str, Any]]) -> list[MessageDict]:
    return cast("list[MessageDict]", stored)


RUN: Mapping[str, Callable[[AcpSession, str], Awaitable[str]]] = {
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
"""Runs each command with the argument that was typed; returns what to answer."""
