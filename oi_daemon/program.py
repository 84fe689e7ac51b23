"""The `interpreter` program: a conversation in the terminal, by the library as in any program."""

import argparse
import os
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
from oi_daemon.terminal.daemon_log import DaemonLog
from oi_daemon.terminal.display import is_rich
from oi_daemon.terminal.editor import open_file, open_folder
from oi_daemon.terminal.flags import parse, settings_of
from oi_daemon.terminal.line import can_draw, is_terminal
from oi_daemon.terminal.piped import ask_at_terminal, with_piped_data
from oi_daemon.terminal.printing import print_text, print_warning
from oi_daemon.terminal.session import ExitCode, Session


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    options = parse(arguments)
    try:
        return _configure() if options.config else _run(options)
    except OIError as error:
        print_warning(str(error), "error")
        return ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _end_of_output()


def _end_of_output() -> int:
    """End silently: nobody reads the output, and Python would still flush it to the closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _configure() -> int:
    """Open the settings file, and print what is wrong in it afterwards."""
    path = ensure_config()
    print_text(str(path))
    open_file(path)
    _print_problems(load_settings().problems)
    return ExitCode.DONE


def _run(options: argparse.Namespace) -> int:
    """Have the conversation that the options describe; returns the exit code."""
    loaded = load_settings()
    _print_problems(loaded.problems)
    warnings.simplefilter("ignore", ConfigurationWarning)  # they are printed already
    settings = settings_of(options)
    if options.attach is not None:
        settings["shared"] = True
    with ExitStack() as opened:
        question, nobody_to_ask = _question(options, opened)
        if nobody_to_ask and not question and not _is_about_others(options):
            print_warning("There is no question: the standard input is empty. See --help.")
            return ExitCode.NOT_ASKED
        log = opened.enter_context(DaemonLog(print_text)) if is_rich() else None
        stderr = log.stderr if log else None
        interpreter = opened.enter_context(Interpreter(stderr=stderr, **settings))
        if options.conversations and not _resume(interpreter):
            return ExitCode.DONE
        if can_draw():
            _welcome(interpreter, change(loaded.settings, settings))
        session = Session(interpreter, log=log, nobody_to_ask=nobody_to_ask)
        if options.attach is not None:
            code = session.attach(options.attach)
            if code is None:
                return ExitCode.DONE
            if nobody_to_ask and not question:
                return code
        if question:
            return session.ask(question)
        session.converse()
        return ExitCode.DONE


def _question(options: argparse.Namespace, opened: ExitStack) -> tuple[str, bool]:
    """Return the question of the command line and the standard input, and if nobody can be asked.

    Args:
        opened: keeps the file that holds large data from the standard input.
    """
    question = " ".join(options.prompt)
    if sys.stdin is None:
        return question, True
    if is_terminal(sys.stdin) or _is_about_others(options):
        return question, not is_terminal(sys.stdin)
    if not question:
        return sys.stdin.read().strip(), True
    question = with_piped_data(question, sys.stdin.buffer, opened)
    return question, not (is_terminal(sys.stdout) and ask_at_terminal())


def _is_about_others(options: argparse.Namespace) -> bool:
    """Whether a conversation that there is already is to be listed or gone on with."""
    return options.conversations or options.attach is not None


def _welcome(interpreter: Interpreter, settings: Settings) -> None:
    """Offer the ways to reach a model, if none can be reached with these settings."""
    from oi_daemon.terminal.welcome import needs_welcome, welcome

    if needs_welcome(settings):
        for name, value in welcome(interpreter.local_models).items():
            setattr(interpreter, name, value)


def _resume(interpreter: Interpreter) -> bool:
    """Let the person choose a saved conversation to go on with; False if none was chosen."""
    interpreter.start()
    from oi_daemon.terminal.conversations import (
        choose_conversation,
        print_conversations,
        show_messages,
    )

    named = interpreter.conversation_history_path
    folder = Path(named).expanduser().absolute() if named else conversations_path()
    if not can_draw():
        print_conversations(interpreter.saved, folder)
        return False
    picked = choose_conversation(interpreter.saved, folder)
    if isinstance(picked, Path):
        print_text(str(picked))
        open_folder(picked)
    if not isinstance(picked, str):
        return False
    interpreter.conversation = picked
    show_messages(interpreter.messages)
    return True


def _print_problems(problems: Sequence[str]) -> None:
    for problem in problems:
        print_warning(problem)
