"""The input line: history, several lines, completion of magic commands."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.shortcuts import CompleteStyle

from oi_daemon.files import make_private
from oi_daemon.terminal.mentions import path_completions
from oi_daemon.terminal.printing import QUITTING

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

_LAST_WORD = re.compile(r"(?:\\.|[^\s\\])*\Z")
"""The word before the cursor; spaces in it stand after backslashes."""
_SIGN, _AUTO_RUN = "> ", "auto_run > "
"""The sign at the beginning of the line: usually, and with `auto_run`."""


class Prompt:
    """Reads what the person types, one message at a time.

    Enter sends it; Alt-Enter, or Enter after a backslash, begins another line. Ctrl-C clears the
    line, and a second one quits, as Ctrl-D does.
    """

    def __init__(
        self,
        history: Path,
        keeps: Callable[[], bool],
        commands: Sequence[str],
        auto_run: Callable[[], bool],
    ) -> None:
        """
        Args:
            history: the file of what was typed before.
            keeps: whether what is typed now may be kept in it.
            commands: what Tab completes at the beginning of a line.
            auto_run: whether code runs without a question, which the prompt shows.
        """
        self._auto_run = auto_run
        self._is_quitting = False
        """Whether Ctrl-C was pressed on an empty line: a second one quits."""
        self._session: PromptSession[str] = PromptSession(
            lambda: [("bold", self._sign())],
            multiline=True,
            prompt_continuation=lambda width, line, wrapped: "… ".rjust(width),
            history=_PrivateHistory(history, keeps),
            completer=_PromptCompleter(commands),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            reserve_space_for_menu=0,
            enable_suspend=True,
            key_bindings=self._keys(),
            output=output(),
        )
        self._session.default_buffer.on_text_changed += self._on_change

    def read(self, on_shown: Callable[[], None]) -> str:
        """Wait for the next message.

        Args:
            on_shown: called once the prompt is on the screen.

        Raises:
            EOFError: the person quits.
            KeyboardInterrupt: the person has pressed Ctrl-C right after Enter.
        """
        self._is_quitting = False
        event = self._session.app.after_render

        def once(_: "Application[str]") -> None:
            event.remove_handler(once)
            on_shown()

        event.add_handler(once)
        message = run(self._session).strip()
        if message and self._take_ctrl_c():
            signal.raise_signal(signal.SIGINT)
        return message

    def _sign(self) -> str:
        """What stands before the person's words."""
        if self._is_quitting:
            return QUITTING
        return _AUTO_RUN if self._auto_run() else _SIGN

    def _take_ctrl_c(self) -> bool:
        """Whether Ctrl-C was pressed right after Enter, while the prompt still had the keyboard.

        It is removed from the keys that were typed ahead.
        """
        app = self._session.app
        keys = [*get_typeahead(app.input), *app.key_processor.empty_queue(), *app.input.read_keys()]
        stops = [key for key in keys if key.key in (Keys.ControlC, Keys.SIGINT)]
        store_typeahead(app.input, [key for key in keys if key not in stops])
        return bool(stops)

    def _on_change(self, buffer: "Buffer") -> None:
        """The person has typed something: a Ctrl-C before it does not count any more."""
        if buffer.text:
            self._is_quitting = False

    def _keys(self) -> KeyBindings:
        """What each key does."""
        keys = KeyBindings()

        @keys.add("enter")
        def enter(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.document.text_before_cursor.endswith("\\"):
                buffer.delete_before_cursor()
                buffer.newline(copy_margin=False)
            else:
                buffer.validate_and_handle()

        @keys.add("escape", "enter")
        def another_line(event: KeyPressEvent) -> None:
            event.current_buffer.newline(copy_margin=False)

        @keys.add("c-@")
        def early(event: KeyPressEvent) -> None:
            """Quit. A Ctrl-D that was pressed before the prompt was ready arrives as this key."""
            if not event.current_buffer.text:
                event.app.exit(exception=EOFError())

        @keys.add("c-c")
        @keys.add("<sigint>")
        def clear(event: KeyPressEvent) -> None:
            if self._is_quitting:
                event.app.exit(exception=EOFError())
            event.current_buffer.reset()
            self._is_quitting = True

        return keys


def run(session: PromptSession[str]) -> str:
    """Ask at a prompt; also in a program whose asyncio loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return session.prompt()
    return session.prompt(in_thread=True)


def output() -> Output:
    """The output of a prompt on stdout.

    It never asks the terminal where its cursor is, because not every terminal answers in time.
    """
    made = create_output(stdout=sys.stdout)
    made.enable_cpr = False  # type: ignore[attr-defined]
    return made


class _PrivateHistory(FileHistory):
    """What was typed before, in a file that only the user can read."""

    def __init__(self, path: Path, keeps: Callable[[], bool]) -> None:
        super().__init__(str(path))
        self._path = path
        self._keeps = keeps

    def store_string(self, string: str) -> None:
        """Add a message to the file. If that fails, only the history is incomplete."""
        if not self._keeps():
            return
        try:
            make_private(self._path.parent)
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
            super().store_string(string)
        except OSError:
            pass  # the message itself must still be sent


class _PromptCompleter(Completer):
    """Completes magic commands at the beginning of a line, and paths elsewhere.

    A path is what follows on `@`, has a slash, or is the argument of a command.
    """

    def __init__(self, commands: Sequence[str]) -> None:
        self._commands = commands

    def get_completions(
        self, document: "Document", complete_event: "CompleteEvent"
    ) -> Iterable[Completion]:
        text = document.text_before_cursor
        is_command = text.startswith(("%", "!"))
        if is_command and not re.search(r"\s", text):
            for command in self._commands:
                if command.startswith(text):
                    yield Completion(command, start_position=-len(text))
            return
        word = _LAST_WORD.search(text)
        path = word[0] if word else ""
        if path.startswith("@") or "/" in path or is_command:
            path = path.removeprefix("@")
            for written, name in path_completions(path):
                yield Completion(written, start_position=-len(path), display=name)
