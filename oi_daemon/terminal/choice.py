"""A choice with the arrow keys; typing searches."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.utils import get_cwidth

from oi_daemon.errors import OIError
from oi_daemon.terminal.prompt import output

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Row:
    """Something to choose: what is shown of it, and what it means."""

    label: str
    value: Any
    detail: str = ""


Source = Callable[[str, int], Sequence[Row]]
"""The rows for what was typed, so many at most. It may be slow: it runs in a thread."""


def choose(title: str, source: Source, last: Sequence[Row] = ()) -> Row | None:
    """The row that the person chooses; None if they leave.

    Args:
        last: rows that stand at the end, whatever is searched for.

    Raises:
        OIError: the source's.
    """
    with ThreadPoolExecutor(1) as thread:
        return _Choice(title, source, last, thread).run()


def among(rows: Sequence[Row]) -> Source:
    """A source of these rows."""

    def source(query: str, count: int) -> Sequence[Row]:
        return [row for row in rows if query.lower() in row.label.lower()][:count]

    return source


class _Choice:
    def __init__(
        self, title: str, source: Source, last: Sequence[Row], thread: ThreadPoolExecutor
    ) -> None:
        self._title = title
        self._source = source
        self._last = last
        self._thread = thread
        self._query = ""
        self._wanted = 4 * _SHOWN
        self._found: Sequence[Row] | None = None
        self._at = 0
        self._app: Application[Row | None] = Application(
            layout=Layout(Window(FormattedTextControl(self._text, show_cursor=False))),
            key_bindings=self._keys(),
            erase_when_done=True,
            output=output(),
        )
        self._app.timeoutlen = self._app.ttimeoutlen = 0.1  # Escape alone leaves at once

    def run(self) -> Row | None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._app.run(pre_run=self._load)
        return self._app.run(pre_run=self._load, in_thread=True)

    @property
    def _rows(self) -> Sequence[Row]:
        """None before the first have come, so that no key chooses what was not seen."""
        return [] if self._found is None else [*self._found, *self._last]

    def _text(self) -> StyleAndTextTuples:
        rows, width = self._rows, self._app.output.get_size().columns
        text: StyleAndTextTuples = [("bold", self._title), ("", f"  {self._query}\n")]
        for number in self._shown():
            text += _line(rows[number], number == self._at, width)
        if not self._found:
            text.append(("", "  ...\n" if self._found is None else "  nothing found\n"))
        text.append(
            ("fg:ansibrightblack", "  ↑ ↓ move · Enter chooses · type to search · Esc leaves")
        )
        return text

    def _shown(self) -> Sequence[int]:
        """Numbers of the rows around the chosen one, and of the last ones, which always stand."""
        count = len(self._found or ())
        room = max(1, min(_SHOWN, self._app.output.get_size().rows - 4 - len(self._last)))
        first = max(0, min(self._at - room // 2, count - room))
        return [*range(first, min(count, first + room)), *range(count, len(self._rows))]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        moves = {"up": -1, "c-p": -1, "down": 1, "c-n": 1, "pageup": -_SHOWN, "pagedown": _SHOWN}
        for key, by in moves.items():
            keys.add(key)(lambda event, by=by: self._move(by))

        @keys.add("enter")
        def enter(event: KeyPressEvent) -> None:
            if self._rows:
                event.app.exit(result=self._rows[self._at])

        @keys.add("escape")
        @keys.add("c-c")
        @keys.add("c-d")
        @keys.add("<sigint>")
        def leave(event: KeyPressEvent) -> None:
            event.app.exit(result=None)

        @keys.add("backspace")
        def shorter(event: KeyPressEvent) -> None:
            self._search(self._query[:-1])

        @keys.add("<any>")
        def longer(event: KeyPressEvent) -> None:
            self._search(self._query + "".join(filter(str.isprintable, event.data)))

        return keys

    def _move(self, by: int) -> None:
        """One step goes round at the ends; a page stops there."""
        count = max(1, len(self._rows))
        at = self._at + by
        self._at = at % count if abs(by) == 1 else min(max(at, 0), count - 1)
        found = len(self._found or ())
        if self._at + 2 * _SHOWN > self._wanted and found == self._wanted:
            self._wanted *= 2
            self._load()

    def _search(self, query: str) -> None:
        if query != self._query:
            self._query, self._at, self._wanted = query, 0, 4 * _SHOWN
            self._load()

    def _load(self) -> None:
        self._app.create_background_task(self._fill())

    async def _fill(self) -> None:
        query, wanted = self._query, self._wanted
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, self._latest, query, wanted)
        except OIError as error:
            return self._app.exit(exception=error)
        if found is not None and (query, wanted) == (self._query, self._wanted):
            self._found = found
            self._at = min(self._at, max(0, len(self._rows) - 1))
            self._app.invalidate()

    def _latest(self, query: str, wanted: int) -> Sequence[Row] | None:
        """The rows; none for a search that went on while it waited for its turn."""
        return self._source(query, wanted) if query == self._query else None


def _line(row: Row, chosen: bool, width: int) -> StyleAndTextTuples:
    """The label, cut to what the detail leaves, and the detail at the right."""
    detail = _cut(row.detail, width // 2)
    room = width - 3 - (get_cwidth(detail) + 2 if detail else 0)
    label = _cut(row.label, room)
    space = " " * (room - get_cwidth(label) + 2 if detail else 0)
    style = "reverse" if chosen else ""
    return [
        (style, f"{'›' if chosen else ' '} {label}"),
        ("fg:ansibrightblack", f"{space}{detail}\n"),
    ]


def _cut(text: str, room: int) -> str:
    if get_cwidth(text) <= room:
        return text
    kept = ""
    for character in text:
        if get_cwidth(kept + character) > room - 1:
            break
        kept += character
    return kept + "…"
