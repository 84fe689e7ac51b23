"""The `interpreter` program: a conversation in the terminal, on the library like everyone else."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from oi_daemon.client.interpreter import Interpreter
from oi_daemon.errors import OIError
from oi_daemon.settings import Settings, change
from oi_daemon.settings.file import ensure_config
from oi_daemon.settings.paths import conversations_path
from oi_daemon.settings.sources import ConfigurationWarning, load_settings
from oi_daemon.terminal.display import is_rich
from oi_daemon.terminal.editor import open_file, open_folder
from oi_daemon.terminal.flags import chosen, parse
from oi_daemon.terminal.line import can_draw
from oi_daemon.terminal.notices import Notices
from oi_daemon.terminal.session import Exit, Session
from oi_daemon.terminal.voice import tell, warn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; gives its exit code."""
    options = parse(arguments)
    try:
        return _configure() if options.config else _run(options)
    except OIError as error:
        warn(str(error), "error")
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _configure() -> int:
    """Open the settings file; what is wrong in it afterwards is told."""
    path = ensure_config()
    tell(str(path))
    open_file(path)
    _tell_problems(load_settings().problems)
    return Exit.DONE


def _run(options: argparse.Namespace) -> int:
    loaded = load_settings()
    _tell_problems(loaded.problems)
    warnings.simplefilter("ignore", ConfigurationWarning)  # they are told
    settings = chosen(options)
    with ExitStack() as opened:
        notices = opened.enter_context(Notices(tell)) if is_rich() else None
        stderr = notices.stderr if notices else None
        interpreter = opened.enter_context(Interpreter(stderr=stderr, **settings))
        if options.conversations and not _resume(interpreter):
            return Exit.DONE
        if can_draw():
            _welcome(interpreter, change(loaded.settings, settings))
        return _talk(interpreter, notices, " ".join(options.prompt))


def _talk(interpreter: Interpreter, notices: Notices | None, question: str) -> int:
    piped = not sys.stdin.isatty()
    if piped and not question:
        question = sys.stdin.read().strip()
        if not question:
            warn("Nothing was asked: the standard input is empty. `interpreter --help` says more.")
            return Exit.NOT_ASKED
    session = Session(interpreter, notices=notices, alone=piped)  # pyright: ignore[reportArgumentType]
    if question:
        return session.ask(question)
    session.converse()
    return Exit.DONE


def _welcome(interpreter: Interpreter, settings: Settings) -> None:
    from oi_daemon.terminal.welcome import needs_welcome, welcome

    if needs_welcome(settings):
        for name, value in welcome(interpreter.local_models).items():
            setattr(interpreter, name, value)


def _resume(interpreter: Interpreter) -> bool:
    """Go on with a saved conversation; False if none was chosen."""
    interpreter.start()
    from oi_daemon.terminal.conversations import choose_conversation, list_plainly, show_messages

    named = interpreter.conversation_history_path
    folder = Path(named).expanduser().absolute() if named else conversations_path()
    if not can_draw():
        list_plainly(interpreter.saved, folder)
        return False
    picked = choose_conversation(interpreter.saved, folder)
    if isinstance(picked, Path):
        tell(str(picked))
        open_folder(picked)
    if not isinstance(picked, str):
        return False
    interpreter.conversation = picked
    show_messages(interpreter.messages)
    return True


def _tell_problems(problems: Sequence[str]) -> None:
    for problem in problems:
        warn(problem)
