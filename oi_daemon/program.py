"""The `interpreter` program: a conversation in the terminal, by the library as in any program."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from oi_daemon.client.interpreter import Interpreter
from oi_daemon.errors import OIError
from oi_daemon.settings import Settings, change
from oi_daemon.settings.file import ensure_config
from oi_daemon.settings.paths import conversations_path
from oi_daemon.settings.profiles import load_profile
from oi_daemon.settings.shapes import SettingsDict
from oi_daemon.settings.sources import ConfigurationWarning, load_settings
from oi_daemon.terminal.daemon_log import DaemonLog
from oi_daemon.terminal.display import is_rich
from oi_daemon.terminal.editor import open_file, open_folder
from oi_daemon.terminal.flags import LATEST, completion, parse, settings_of
from oi_daemon.terminal.host import reach
from oi_daemon.terminal.line import can_draw, is_terminal
from oi_daemon.terminal.mentions import mentioned_files
from oi_daemon.terminal.piped import ask_at_terminal, with_piped_data
from oi_daemon.terminal.printing import OutputError, print_text, print_warning, write
from oi_daemon.terminal.session import ExitCode, Session
from oi_daemon.terminal.signals import give_back_terminal
from oi_daemon.terminal.standard_files import discard_output

_NO_OUTPUT = "The standard output is closed, so there is no place for the answer."
_NO_FOLDER = (
    "The folder in which this was started does not exist any more. Go to another one (cd), or name"
    " one with --cwd."
)


def main(arguments: Sequence[str] | None = None, *, has_output: bool = True) -> int:
    """Run the program; returns its exit code.

    Args:
        has_output: whether the program was started with a standard output.
    """
    if not has_output:
        print_warning(_NO_OUTPUT, "error")
        return ExitCode.FAILED
    give_back_terminal()
    try:
        code = _main(arguments)
        write(sys.stdout, "")  # what the parser has printed
    except OutputError as error:
        discard_output()
        print_warning(str(error), "error")
        return ExitCode.FAILED
    except BrokenPipeError:
        discard_output()
        return ExitCode.PIPE
    return code


def _main(arguments: Sequence[str] | None) -> int:
    """Run the program; returns its exit code. Only errors of its own output are left."""
    try:
        options = parse(arguments)
        if options.completion is not None:
            print_text(completion(options.completion).rstrip("\n"))
            return ExitCode.DONE
        return _configure() if options.config else _run(options)
    except SystemExit as leaving:  # of the parser
        return int(leaving.code or 0)
    except OutputError:
        raise
    except OIError as error:
        print_warning(str(error), "error")
        return ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


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
    settings = _settings(options)
    _check_folder(change(loaded.settings, settings))
    with ExitStack() as opened:
        question, nobody_to_ask = _question(options, opened)
        if nobody_to_ask and not question and not _is_about_others(options):
            print_warning("There is no question: the standard input is empty. See --help.")
            return ExitCode.NOT_ASKED
        log = opened.enter_context(DaemonLog(print_text)) if is_rich() else None
        stderr = log.stderr if log else None
        interpreter = opened.enter_context(Interpreter(stderr=stderr, **settings))
        if interpreter.host is not None:
            reach(interpreter)
        if options.conversations and not _resume(interpreter):
            return ExitCode.DONE
        if options.resume is not None:
            _go_on(interpreter, options.resume, shows=not question and not nobody_to_ask)
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
            return session.ask(question, mentioned_files(" ".join(options.prompt)))
        session.converse()
        return ExitCode.DONE


def _settings(options: argparse.Namespace) -> SettingsDict:
    """The settings of the flags, and of the profile that they name.

    Raises:
        InvalidError: there is no such profile.
    """
    settings = settings_of(options)
    if options.profile is not None:
        profile = load_profile(options.profile)
        _print_problems(profile.problems)
        settings = cast("SettingsDict", {**profile.settings, **settings})
    if options.attach is not None:
        settings["shared"] = True
    return settings


def _check_folder(settings: Settings) -> None:
    """Check that there is a folder to be in.

    Raises:
        OIError: there is none.
    """
    try:
        Path.cwd()
    except OSError:
        if settings.cwd is None:
            raise OIError(_NO_FOLDER) from None
        os.chdir("/")


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


def _go_on(interpreter: Interpreter, wanted: str, *, shows: bool) -> None:
    """Go on with a saved conversation.

    Args:
        wanted: how its id begins, or `LATEST`.
        shows: show what was said before.

    Raises:
        InvalidError: there is no such conversation.
    """
    from oi_daemon.terminal.conversations import find_conversation, show_messages

    found = find_conversation(interpreter.saved, None if wanted == LATEST else wanted)
    interpreter.conversation = found
    if shows:
        show_messages(interpreter.messages)


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
    picked = choose_conversation(interpreter, folder)
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
