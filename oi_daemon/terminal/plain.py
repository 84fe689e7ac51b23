"""A turn as text alone, for pipes and files: no colours, no cursor."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from oi_daemon.messages.lines import plain
from oi_daemon.messages.shapes import ChunkDict, ResultDict
from oi_daemon.messages.written import DISPLAY_ID, Bundle
from oi_daemon.terminal.activity import ended
from oi_daemon.terminal.pictures import DisplayFiles, words
from oi_daemon.terminal.printing import notice_text, print_warning, visible, write


class PlainScreen:
    """Prints text as it comes. A block begins with `[language]`, its output with `[output]`."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file or sys.stdout
        self._is_line_open = False
        """Whether the last line that was printed has no end yet."""
        self._is_thinking = False
        """Whether the latest chunk was thinking."""
        self._has_output = False
        """Whether some of the block's output was printed."""
        self._files = DisplayFiles()
        self._shown_displays: set[str] = set()
        """The displays of the block that were printed, in words."""
        self._pending = ""
        """The beginning of a line of output that the code may still overwrite."""

    def begin(self) -> None:
        """Do nothing, because the first chunk comes soon enough."""

    def show(self, chunk: ChunkDict, result: ResultDict | None = None) -> None:
        """Print a chunk; after a block that did not just run to its end, how it ended.

        Of thinking, a terminal gets only a line that says that it began.
        """
        is_new_thinking = "thinking" in chunk and not self._is_thinking
        self._is_thinking = "thinking" in chunk
        match chunk:
            case {"thinking": _} if is_new_thinking and self._file.isatty():
                self._print_heading("thinking")
            case {"message": text} | {"code": text}:
                self._write(visible(text))
            case {"language": language}:
                self._print_heading(language)
            case {"executing": _}:
                self._has_output = False
            case {"output": text}:
                self._print_output(text)
            case {"display": data}:
                self._display(data)
            case {"declined": _}:
                self._print_heading("not run: declined")
            case {"notice": notice}:
                print_warning(*notice_text(notice))
            case {"end_of_execution": True}:
                self._end_block(result)

    def _end_block(self, result: ResultDict | None) -> None:
        """End a block's output; a heading tells how the block ended, if it did not just run."""
        self.close()
        if result is not None and result["status"] != "ok":
            self._print_heading(ended(result["status"], result["seconds"]))
        self._has_output = False
        self._files, self._shown_displays = DisplayFiles(), set()

    def print_above(self, line: str) -> None:
        """Print the line on stderr."""
        print_warning(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """End the line that is open, so that a question can follow."""
        self.close()
        yield

    def close(self) -> None:
        """End the line that is open, if there is one."""
        pending, self._pending = self._pending, ""
        self._write(plain(pending))
        if self._is_line_open:
            self._write("\n")

    def _print_heading(self, title: str) -> None:
        """Print the title of what follows."""
        self.close()
        self._write(f"[{title}]\n")

    def _print_output(self, text: str) -> None:
        """Print output of the code, as far as the code cannot overwrite it any more."""
        if not self._has_output:
            self._print_heading("output")
            self._has_output = True
        text = self._pending + text
        end = len(text) if plain(text) == text else text.rfind("\n") + 1
        self._pending = text[end:]
        self._write(plain(text[:end]))

    def _display(self, data: Bundle) -> None:
        """Print a display in words; nothing if it replaces one that has the same words."""
        text = words(data, self._files.keep(data))
        if DISPLAY_ID not in data or text not in self._shown_displays:
            self._print_output(text)
        self._shown_displays.add(text)

    def _write(self, text: str) -> None:
        """Write a text to the file at once."""
        write(self._file, text)
        if text:
            self._is_line_open = not text.endswith("\n")
