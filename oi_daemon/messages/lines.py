"""Output as it looks in a terminal, where a line that was overwritten appears as it was last.

`docs/protocol.md` ("Output as lines") has the rule, which is small because every client implements
it: the screen is as large as the output, and carriage return, backspace and the usual control
sequences move the cursor on it. Colours take no column. All other control characters are dropped.
"""

import re

FARTHEST = 999
"""The last column to which a control sequence can move the cursor beyond the end of a line."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x08\x0a-\x1f\x7f]+)"
    r"|(?P<newline>\r?\n)"
    r"|(?P<colour>\x1b\[[0-9;:]{0,64}m)"
    r"|\x1b\[(?P<numbers>[0-?]{0,64})[ -/]{0,8}(?P<final>[@-~])"
    r"|(?P<string>\x1b[\]PX^_])"
    r"|\x1b[ -/]{0,8}[0-~]"
    r"|(?P<one>[\x00-\x1f\x7f])"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[ -/]{0,8})\Z")
_STRING = re.compile(r"[^\x07\x1b\n]*(\x07)?")
"""Matches the rest of a control string, by which a program sets the terminal's title, for instance.
Group 1 is the character that ends the string, if it is there."""
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_CELL = re.compile(r"(?:\x1b\[[0-9;:]*m)*[^\x1b](?:(?:\x1b\[[0-9;:]*m)+\Z)?")


def as_shown(output: str) -> str:
    """The output as it looks in a terminal, with its colours."""
    if not _CONTROL.search(output):
        return output
    lines = Lines()
    lines.write(output)
    return str(lines)


def plain(output: str) -> str:
    """The output as it looks in a terminal, without colours."""
    return _COLOUR.sub("", as_shown(output))


class Lines:
    """The screen of a terminal: `write` adds output, and `str` gives the text that is shown."""

    def __init__(self) -> None:
        self._begin()
        self._unfinished = ""
        self._in_string = False

    def _begin(self) -> None:
        self._rows = [""]
        self._row = 0
        self._pieces: list[str] = []
        """The cursor's row: pieces of any length, or one for each cell if `_column` is set."""
        self._column: int | None = None
        """The cursor's column; None while the cursor has not moved and is at the end of the row."""
        self._colour = ""
        """Colour sequences that will be put before the next cell, or at the end of the row."""
        self._changed = False
        """True if something was overwritten or erased: blanks at line ends are then removed."""

    def __str__(self) -> str:
        self._store_row()
        ends = " " if self._changed else ""
        return "\n".join(row.rstrip(ends) for row in self._rows)

    def last(self, count: int) -> list[str]:
        """The last `count` lines, not counting empty lines at the end."""
        self._store_row()
        end = len(self._rows)
        while end and not self._rows[end - 1]:
            end -= 1
        return self._rows[max(0, end - count) : end]

    def write(self, text: str) -> None:
        """Add output. A control sequence may be split between two calls."""
        text, self._unfinished = self._unfinished + text, ""
        if self._only_appends(text):
            self._append(text)
            return
        if unfinished := _UNFINISHED.search(text):
            self._unfinished = unfinished[0]
            text = text[: unfinished.start()]
        at = 0
        while at < len(text):
            at = self._skip_string(text, at) if self._in_string else self._apply_token(text, at)

    def _only_appends(self, text: str) -> bool:
        at_end = self._column is None and self._row == len(self._rows) - 1
        return at_end and not self._in_string and not _CONTROL.search(text)

    def _append(self, text: str) -> None:
        first, *more = text.split("\n")
        self._pieces.append(first)
        if more:
            self._store_row()
            self._rows += more
            self._row = len(self._rows) - 1
            self._pieces = [more[-1]]

    def _skip_string(self, text: str, at: int) -> int:
        found = _STRING.match(text, at)
        assert found is not None
        self._in_string = found.end() == len(text) and not found[1]
        return found.end()

    def _apply_token(self, text: str, at: int) -> int:
        """Apply the token at this position. Returns where the next one begins."""
        token = _TOKEN.match(text, at)
        assert token is not None
        match token.lastgroup:
            case "text":
                self._put(token[0])
            case "newline":
                self._end_line()
            case "colour" if self._column is None:
                self._pieces.append(token[0])
            case "colour":
                self._colour += token[0]
            case "final":
                self._apply(token["final"], token["numbers"])
            case "string":
                self._in_string = True
            case "one" if token[0] == "\r":
                self._move(self._row, 0)
            case "one" if token[0] == "\b":
                self._move(self._row, self._cell_column() - 1)
        return token.end()

    def _put(self, text: str) -> None:
        if self._column is None:
            self._pieces.append(text)
            return
        end = self._column + len(text)
        self._pieces += " " * (self._column - len(self._pieces))
        self._pieces[self._column : end] = [self._colour + text[0], *text[1:]]
        self._column, self._colour, self._changed = end, "", True

    def _end_line(self) -> None:
        if self._row < len(self._rows) - 1:
            self._move(self._row + 1, 0)
        else:
            self._store_row()
            self._rows.append("")
            self._row, self._pieces, self._column, self._colour = self._row + 1, [], None, ""

    def _apply(self, final: str, numbers: str) -> None:
        """Apply a control sequence. Those that neither move the cursor nor erase do nothing."""
        first, _, second = numbers.partition(";")
        number = int(first) if first.isdigit() else 0
        count = max(number, 1)
        if final in _STEPS:
            down, right = _STEPS[final]
            column = 0 if final in "EF" else self._cell_column()
            self._move(self._row + down * count, column + right * count)
        elif final == "G":
            self._move(self._row, count - 1)
        elif final in "Hf":
            self._move(count - 1, max(int(second) if second.isdigit() else 0, 1) - 1)
        elif final == "K":
            self._erase(number)
        elif final == "J" and number == 0:
            self._erase(0)
            del self._rows[self._row + 1 :]
        elif final == "J" and number == 2:
            self._begin()

    def _erase(self, which: int) -> None:
        """Erase in the cursor's row: from the cursor on (0), up to the cursor (1), or all (2)."""
        column = self._cell_column()
        if which == 0:
            del self._pieces[column:]
        elif which == 1:
            self._pieces[: column + 1] = " " * (column + 1)
        elif which == 2:
            self._pieces = []
        self._changed = True

    def _cell_column(self) -> int:
        """The cursor's column. Splits the row into cells if that has not been done."""
        if self._column is None:
            row = "".join(self._pieces)
            self._pieces = _CELL.findall(row)
            self._column = len(self._pieces)
            if not self._pieces:
                self._colour = row
        return self._column

    def _move(self, row: int, column: int) -> None:
        """Move the cursor, within the existing rows."""
        self._cell_column()
        row = min(max(row, 0), len(self._rows) - 1)
        if row != self._row:
            self._store_row()
            self._row, self._colour = row, ""
            self._pieces = _CELL.findall(self._rows[row])
        self._column = min(max(column, 0), max(FARTHEST, len(self._pieces)))

    def _store_row(self) -> None:
        self._rows[self._row] = "".join(self._pieces) + self._colour


_STEPS = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1), "E": (1, 0), "F": (-1, 0)}
"""Rows down and columns right, by the sequence's final character."""
