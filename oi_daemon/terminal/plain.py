"""A turn as text alone, for pipes and files: no colours, no cursor."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from oi_daemon.messages.lines import plain
from oi_daemon.messages.written import DISPLAY_ID
from oi_daemon.terminal.pictures import DisplayFiles, words
from oi_daemon.terminal.voice import visible, warn


class PlainScreen:
    """Text as it comes. A block begins with `[its language]`, its output with `[output]`."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file or sys.stdout
        self._line_open = False
        self._output_begun = False
        self._kept = DisplayFiles()
        self._told: set[str] = set()
        """What displays were told of the block, in words."""
        self._held = ""
        """The beginning of a line of output that may still be overwritten."""

    def begin(self) -> None:
        """Nothing is shown before the first chunk."""

    def show(self, chunk: dict[str, Any]) -> None:
        match chunk:
            case {"message": text} | {"code": text}:
                self._write(visible(text))
            case {"language": language}:
                self._head(language)
            case {"executing": _}:
                self._output_begun = False
            case {"output": text}:
                self._print(text)
            case {"display": data}:
                self._display(data)
            case {"end_of_execution": True}:
                self.close()
                self._output_begun = False
                self._kept, self._told = DisplayFiles(), set()

    def note(self, line: str) -> None:
        warn(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.close()
        yield

    def close(self) -> None:
        """Leave the line, if one is begun."""
        held, self._held = self._held, ""
        self._write(plain(held))
        if self._line_open:
            self._write("\n")

    def _head(self, title: str) -> None:
        self.close()
        self._write(f"[{title}]\n")

    def _print(self, text: str) -> None:
        if not self._output_begun:
            self._head("output")
            self._output_begun = True
        text = self._held + text
        end = len(text) if plain(text) == text else text.rfind("\n") + 1
        self._held = text[end:]
        self._write(plain(text[:end]))

    def _display(self, data: dict[str, Any]) -> None:
        """In words; those of one that takes another's place are told where they are new."""
        told = words(data, self._kept.keep(data))
        if DISPLAY_ID not in data or told not in self._told:
            self._print(told)
        self._told.add(told)

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
        if text:
            self._line_open = not text.endswith("\n")
