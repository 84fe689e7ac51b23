"""The input line: history, several lines, completion of magic commands."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.shortcuts import CompleteStyle

from oi_daemon.files import make_private

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.document import Document

_SIGN, _LEAVING = "> ", "(Ctrl-C again leaves) > "


class Prompt:
    """Reads what the person says, one message at a time.

    Enter sends it; Alt-Enter, or Enter after a backslash, begins another line. Ctrl-C clears the
    line, and a second one leaves, as Ctrl-D does.
    """

    def __init__(self, history: Path, keeps: Callable[[], bool], commands: Sequence[str]) -> None:
        """
        Args:
            history: the file of what was said before, private.
            keeps: whether what is said now may be kept in it.
            commands: what Tab completes at the beginning of a line.
        """
        self._leaving = False
        self._session: PromptSession[str] = PromptSession(
            lambda: [("bold", _LEAVING if self._leaving else _SIGN)],
            multiline=True,
            prompt_continuation=lambda width, line, wrapped: "… ".rjust(width),
            history=_PrivateHistory(history, keeps),
            completer=_Commands(commands),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            reserve_space_for_menu=0,
            key_bindings=self._keys(),
            output=output(),
        )
        self._session.default_buffer.on_text_changed += self._typed

    def read(self, shown: Callable[[], None]) -> str:
        """The next message.

        Args:
            shown: called once the prompt is on the screen.

        Raises:
            EOFError: the person leaves.
            KeyboardInterrupt: they have thought better of it.
        """
        self._leaving = False
        event = self._session.app.after_render

        def once(_: Any) -> None:
            event.remove_handler(once)
            shown()

        event.add_handler(once)
        message = run(self._session).strip()
        if message and self._hurried():
            signal.raise_signal(signal.SIGINT)
        return message

    def _hurried(self) -> bool:
        """Whether Ctrl-C came right behind Enter, while the prompt still had the keyboard."""
        app = self._session.app
        keys = [*get_typeahead(app.input), *app.key_processor.empty_queue(), *app.input.read_keys()]
        stops = [key for key in keys if key.key in (Keys.ControlC, Keys.SIGINT)]
        store_typeahead(app.input, [key for key in keys if key not in stops])
        return bool(stops)

    def _typed(self, buffer: "Buffer") -> None:
        if buffer.text:
            self._leaving = False

    def _keys(self) -> KeyBindings:
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
            """What is left of a Ctrl-D from before the prompt had the keyboard."""
            if not event.current_buffer.text:
                event.app.exit(exception=EOFError())

        @keys.add("c-c")
        @keys.add("<sigint>")
        def clear(event: KeyPressEvent) -> None:
            if self._leaving:
                event.app.exit(exception=EOFError())
            event.current_buffer.reset()
            self._leaving = True

        return keys


def run(session: PromptSession[str]) -> str:
    """Ask; also inside of a program whose asyncio loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return session.prompt()
    return session.prompt(in_thread=True)


def output() -> Output:
    """stdout, never asked where its cursor is: not every terminal answers, and some do so late."""
    made = create_output(stdout=sys.stdout)
    made.enable_cpr = False  # type: ignore[attr-defined]
    return made


class _PrivateHistory(FileHistory):
    def __init__(self, path: Path, keeps: Callable[[], bool]) -> None:
        super().__init__(str(path))
        self._path = path
        self._keeps = keeps

    def store_string(self, string: str) -> None:
        if not self._keeps():
            return
        try:
            make_private(self._path.parent)
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
            super().store_string(string)
        except OSError:
            pass  # what is typed matters more than that it is kept


class _Commands(Completer):
    def __init__(self, commands: Sequence[str]) -> None:
        self._commands = commands

    def get_completions(self, document: "Document", complete_event: Any) -> Iterable[Completion]:
        text = document.text_before_cursor
        if text.startswith("%"):
            for command in self._commands:
                if command.startswith(text):
                    yield Completion(command, start_position=-len(text))
