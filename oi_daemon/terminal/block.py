"""A block of code on the screen: highlighted, the active line marked, its output under it."""

from functools import cached_property

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from oi_daemon.messages.written import DISPLAY_ID, Written
from oi_daemon.terminal.printing import visible
from oi_daemon.terminal.region import theme

_MARGIN = len("❱ ") + 1
"""Columns that the mark of the active line and the space behind a line's number take."""
_LIVE_OUTPUT = 15
"""Lines of output that are shown while more may come."""
_LIVE_LINE = 2000
"""Most characters of a line of output that are shown; earlier ones are cut off."""
_ESCAPES = "escapes"
"""Key in a display that was made for this terminal: the escape sequences that show the picture."""


class BlockView:
    """One block. `put_code` and `put_rest` give what stays on the screen, `live` what changes."""

    def __init__(self, console: Console, language: str) -> None:
        self._console = console
        self._language = language
        self._code = ""
        self._written = Written()
        self.code_is_put = False
        """Whether the code stands on the screen for good."""
        self.line: int | None = None
        """The active line, counted from 1; None if no line runs."""
        self.has_run = False
        self.ending = ""
        """How the block ended, in words; empty if that is not worth telling."""
        self.is_declined = False
        """Whether the block will not run, because a person said no or nobody could be asked."""

    def add_code(self, text: str) -> None:
        """Add code as the model writes it."""
        self._code += text
        self._forget_lines()

    def replace_code(self, code: str, language: str) -> None:
        """Set the code that is about to run, which a person may have edited."""
        if (code, language) != (self._code, self._language):
            self._code, self._language = code, language
            self.code_is_put = False
            self._forget_lines()

    def add_output(self, text: str) -> None:
        """Add output of the code."""
        self._written.write(text)

    def add_display(self, name: str | None, words: str, escapes: str) -> None:
        """Add a display.

        Args:
            name: its display id; a later display with the same id takes its place.
            words: the display in words, for the output.
            escapes: what shows it below the output, once the block has ended.
        """
        self._written.show({DISPLAY_ID: name, "text/plain": words, _ESCAPES: escapes})

    def fits(self, room: int) -> bool:
        """Whether all of the code fits in this many lines, none of which has to be cut."""
        widest = max((line.cell_len for line in self._lines), default=0) + self._gutter + _MARGIN
        return len(self._lines) + 1 <= room and widest <= self._console.width

    def put_code(self) -> list[str]:
        """The lines of the code, to be put on the screen for good; none if they have been."""
        if self.code_is_put:
            return []
        self.code_is_put = True
        numbered = [self._numbered(number) for number in range(1, len(self._lines) + 1)]
        return [self._rule(self._language), *self._paint(numbered, crop=False)]

    def put_rest(self) -> str:
        """All that has not been put on the screen yet: the code, and the output."""
        parts = [f"{line}\n" for line in self.put_code()]
        output = self._written.text.rstrip("\n")
        if output:
            title = f"output · {self.ending}" if self.ending else "output"
            parts += [self._rule(title), "\n", output, "\x1b[0m\n"]
        elif not self.has_run:
            parts += [self._rule("not run: declined" if self.is_declined else "not run"), "\n"]
        elif self.ending:
            parts += [self._rule(self.ending), "\n"]
        return "".join([*parts, *(display[_ESCAPES] for display in self._written.displays)])

    def live(self, room: int) -> list[str]:
        """The block as it is now, in this many lines at most."""
        output = self._live_output(min(_LIVE_OUTPUT, room // 2))
        code = self._live_code(room - len(output) - 1)
        return [self._rule(self._language), *code, *output]

    def _live_code(self, room: int) -> list[str]:
        """The lines of code around the active one; the last ones if there is none."""
        count, middle = len(self._lines), self.line or len(self._lines)
        first = max(0, min(middle - room // 2, count - room))
        shown = range(first + 1, min(count, first + room) + 1)
        return self._paint([self._numbered(number) for number in shown], crop=True)

    def _live_output(self, room: int) -> list[str]:
        """The last lines of the output, under a rule."""
        lines = [line[-_LIVE_LINE:] for line in self._written.last_lines(room)]
        if not lines:
            return []
        shown = self._paint([Text.from_ansi(line) for line in lines], crop=True)
        return [self._rule("output"), *shown]

    def _numbered(self, number: int) -> Text:
        """A line of code with its number, marked if it is the active one."""
        active = number == self.line
        mark = Text("❱ " if active else "  ", style="bold red")
        line = Text.assemble(mark, (f"{number:>{self._gutter}} ", "dim"), self._lines[number - 1])
        if active:
            line.stylize("bold")
        return line

    def _paint(self, lines: list[Text], *, crop: bool) -> list[str]:
        """The lines with escape sequences; cut at the screen's edge with `crop`, else wrapped."""
        if not lines:
            return []
        with self._console.capture() as captured:
            for line in lines:
                if crop:
                    self._console.print(line, no_wrap=True, overflow="ellipsis")
                else:
                    self._console.print(line, soft_wrap=True)
        return [line.rstrip(" ") for line in captured.get().removesuffix("\n").split("\n")]

    def _rule(self, title: str) -> str:
        """A dim horizontal line with a title."""
        width = min(self._console.width, 80)
        return f"\x1b[2m── {title} {'─' * (width - len(title) - 4)}\x1b[0m"

    @property
    def _gutter(self) -> int:
        """Columns that the line numbers take."""
        return len(str(len(self._lines)))

    @cached_property
    def _lines(self) -> list[Text]:
        """The code's lines, highlighted."""
        syntax = Syntax("", self._language, theme=theme())
        code = visible(self._code).rstrip("\n").expandtabs(4)
        highlighted = syntax.highlight(code)
        highlighted.right_crop(len(highlighted.plain) - len(code))
        return list(highlighted.split("\n", allow_blank=True))

    def _forget_lines(self) -> None:
        """Have `_lines` computed again, because the code has changed."""
        self.__dict__.pop("_lines", None)
