"""A choice with the arrow keys; typing searches."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.utils import get_cwidth

from oi_daemon.errors import OIError
from oi_daemon.terminal.prompt import output

_SHOWN = 12
"""Rows that are shown at once, at most."""

_PREVIEW_LINES = 4
"""Lines of a preview that are shown, at most."""

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Row(Generic[T_co]):
    """Something to choose: what is shown of it, and the value that it stands for."""

    label: str
    value: T_co
    detail: str = ""


RowSource: TypeAlias = Callable[[str, int], Sequence[Row[T]]]
"""Returns the rows for what was typed, at most this many. It may be slow: it runs in a thread."""


class RowActions(Protocol[T_contra]):
    """What else can be done with a row. It may be slow: it runs in a thread."""

    def preview(self, value: T_contra) -> str:
        """Lines that tell more of the row with this value; empty if there is no more."""
        ...

    def delete(self, value: T_contra) -> bool:
        """Delete what the row stands for; False if it cannot be deleted."""
        ...


def choose(
    title: str,
    source: RowSource[T],
    last: Sequence[Row[T]] = (),
    actions: RowActions[T] | None = None,
    secret: Callable[[str], Row[T] | None] | None = None,
) -> Row[T] | None:
    """The row that the person chooses; None if they leave.

    Args:
        last: rows that stand at the end, whatever is searched for.
        actions: tells more of the row under the cursor, and deletes it.
        secret: the row for a text that is typed or pasted, if it is a secret, such as a key; None
            if it is a search. A secret is not shown.

    Raises:
        OIError: `source` raised it.
    """
    with ThreadPoolExecutor(1) as thread:
        return _Choice(title, source, last, actions, secret, thread).run()


def among(rows: Sequence[Row[T]]) -> RowSource[T]:
    """A source of these rows, whose labels are searched."""

    def source(query: str, count: int) -> Sequence[Row[T]]:
        return [row for row in rows if query.lower() in row.label.lower()][:count]

    return source


class _Choice(Generic[T]):
    """A list on the screen, of which the person chooses one row."""

    def __init__(
        self,
        title: str,
        source: RowSource[T],
        last: Sequence[Row[T]],
        actions: RowActions[T] | None,
        secret: Callable[[str], Row[T] | None] | None,
        thread: ThreadPoolExecutor,
    ) -> None:
        self._title = title
        self._source = source
        self._last = last
        self._actions = actions
        self._secret = secret
        self._thread = thread
        self._previewed: tuple[Row[T] | None, str] = None, ""
        """The row whose preview was asked for last, and the preview, once it has come."""
        self._is_deleting = False
        """Whether the person is asked if the row under the cursor is to be deleted."""
        self._query = ""
        """What the person has typed."""
        self._times = 0
        """How often the source's rows were asked for anew."""
        self._wanted = 4 * _SHOWN
        """Number of rows to ask the source for."""
        self._found: Sequence[Row[T]] | None = None
        """The source's rows; None until the first ones have come."""
        self._at = 0
        """Index of the row that the cursor is on."""
        self._app: Application[Row[T] | None] = Application(
            layout=Layout(Window(FormattedTextControl(self._text, show_cursor=False))),
            key_bindings=self._keys(),
            erase_when_done=True,
            output=output(),
        )
        self._app.timeoutlen = self._app.ttimeoutlen = 0.1  # react to Escape at once

    def run(self) -> Row[T] | None:
        """Show the list until a row is chosen, which is returned; None if the person leaves."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._app.run(pre_run=self._load)
        return self._app.run(pre_run=self._load, in_thread=True)

    @property
    def _rows(self) -> Sequence[Row[T]]:
        """All rows; none before the first have come, so that no key chooses an unseen row.

        A secret that was typed is the only row.
        """
        if (secret := self._typed_secret) is not None:
            return [secret]
        return [] if self._found is None else [*self._found, *self._last]

    @property
    def _typed_secret(self) -> Row[T] | None:
        """The row for the secret that was typed; None if something else was typed."""
        return self._secret(self._query) if self._secret is not None else None

    def _text(self) -> StyleAndTextTuples:
        """The list as it is shown."""
        rows, width = self._rows, self._app.output.get_size().columns
        text: StyleAndTextTuples = [("bold", self._title), ("", f"  {self._shown_query}\n")]
        if self._typed_secret is not None:
            text += _line(rows[0], chosen=True, width=width)
            return [*text, ("fg:ansibrightblack", "  Enter takes it · Backspace · Esc leaves")]
        for number in self._shown():
            text += _line(rows[number], number == self._at, width)
        if not self._found:
            text.append(("", "  ...\n" if self._found is None else "  nothing found\n"))
        text.append(("fg:ansibrightblack", f"  {self._hint}"))
        for line in self._preview_lines():
            text.append(("fg:ansibrightblack", f"\n  {_cut(line, width - 3)}"))
        return text

    @property
    def _shown_query(self) -> str:
        """What the person has typed, or a sign for each character of a secret."""
        return self._query if self._typed_secret is None else "•" * min(len(self._query), 20)

    @property
    def _hint(self) -> str:
        """What the person can press."""
        if self._is_deleting:
            return "Delete it for good? Delete again does it, any other key does not."
        delete = " · Delete deletes" if self._actions else ""
        return f"↑ ↓ move · Enter chooses · type to search{delete} · Esc leaves"

    def _preview_lines(self) -> Sequence[str]:
        """The preview of the row under the cursor, which is asked for if it is not known."""
        rows = self._rows
        if self._actions is None or not rows:
            return []
        row = rows[self._at]
        if self._previewed[0] is not row:
            self._previewed = row, ""
            self._app.create_background_task(self._load_preview(row, self._actions))
        return self._previewed[1].splitlines()[:_PREVIEW_LINES]

    async def _load_preview(self, row: Row[T], actions: RowActions[T]) -> None:
        """Ask for the preview of a row, and show it if the cursor is still there."""
        loop = asyncio.get_running_loop()
        try:
            text = await loop.run_in_executor(self._thread, actions.preview, row.value)
        except OIError as error:
            text = str(error)
        if self._previewed[0] is row:
            self._previewed = row, text
            self._app.invalidate()

    async def _delete(self, row: Row[T], actions: RowActions[T]) -> None:
        """Delete what a row stands for, and load the list again."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, actions.delete, row.value)
        except OIError as error:
            return self._app.exit(exception=error)
        self._at = min(self._at, max(0, len(self._found or ()) - 2))  # stay among what was found
        self._reload()

    def _shown(self) -> Sequence[int]:
        """Numbers of the rows that are shown: those around the cursor, and always the last ones."""
        count = len(self._found or ())
        taken = 4 + len(self._last) + (_PREVIEW_LINES if self._actions else 0)
        room = max(1, min(_SHOWN, self._app.output.get_size().rows - taken))
        first = max(0, min(self._at - room // 2, count - room))
        return [*range(first, min(count, first + room)), *range(count, len(self._rows))]

    def _keys(self) -> KeyBindings:
        """What each key does."""
        keys = KeyBindings()
        self._add_delete(keys)
        moves = {"up": -1, "c-p": -1, "down": 1, "c-n": 1, "pageup": -_SHOWN, "pagedown": _SHOWN}
        for key, by in moves.items():
            keys.add(key)(lambda event, by=by: self._move(by))

        @keys.add("enter")
        def enter(event: KeyPressEvent) -> None:
            if self._rows:
                event.app.exit(result=self._rows[min(self._at, len(self._rows) - 1)])

        @keys.add("escape")
        @keys.add("c-c")
        @keys.add("c-d")
        @keys.add("<sigint>")
        def leave(event: KeyPressEvent) -> None:
            event.app.exit(result=None)

        @keys.add("c-z")
        def suspend(event: KeyPressEvent) -> None:
            event.app.suspend_to_background()

        @keys.add("backspace")
        def shorter(event: KeyPressEvent) -> None:
            self._search(self._query[:-1])

        @keys.add("<any>")
        def longer(event: KeyPressEvent) -> None:
            self._search(self._query + "".join(filter(str.isprintable, event.data)))

        return keys

    def _add_delete(self, keys: KeyBindings) -> None:
        """Let the Delete key delete the row under the cursor, once it was pressed twice."""

        @keys.add("<any>", filter=Condition(lambda: self._is_deleting), eager=True)
        def keep(event: KeyPressEvent) -> None:
            self._is_deleting = False

        @keys.add("delete", filter=Condition(lambda: self._actions is not None), eager=True)
        def delete(event: KeyPressEvent) -> None:
            if self._actions is None or self._at >= len(self._found or ()):
                return
            if self._is_deleting:
                row = self._rows[self._at]
                event.app.create_background_task(self._delete(row, self._actions))
            self._is_deleting = not self._is_deleting

    def _move(self, by: int) -> None:
        """Move the cursor. One step goes round at the ends; a page stops there."""
        count = max(1, len(self._rows))
        at = self._at + by
        self._at = at % count if abs(by) == 1 else min(max(at, 0), count - 1)
        found = len(self._found or ())
        if self._at + 2 * _SHOWN > self._wanted and found == self._wanted:
            self._wanted *= 2
            self._load()

    def _search(self, query: str) -> None:
        """Search for this text, if it is another than before."""
        if query != self._query:
            self._query, self._at, self._wanted = query, 0, 4 * _SHOWN
            self._load()

    def _reload(self) -> None:
        """Ask the source for its rows anew, because it has other rows now."""
        self._times += 1
        self._load()

    def _load(self) -> None:
        """Ask the source for rows, in the background."""
        self._app.create_background_task(self._fill())

    async def _fill(self) -> None:
        """Load the source's rows for the query and show them. Its error ends the list."""
        query, wanted, times = self._query, self._wanted, self._times
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, self._latest, query, wanted)
        except OIError as error:
            return self._app.exit(exception=error)
        latest = self._query, self._wanted, self._times
        if found is not None and (query, wanted, times) == latest:
            self._found = found
            self._at = min(self._at, max(0, len(self._rows) - 1))
            self._app.invalidate()

    def _latest(self, query: str, wanted: int) -> Sequence[Row[T]] | None:
        """The source's rows; None if the person has typed on while this waited for the thread."""
        return self._source(query, wanted) if query == self._query else None


def _line(row: Row[object], chosen: bool, width: int) -> StyleAndTextTuples:
    """A row as it is shown: the label at the left, cut if need be, and the detail at the right."""
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
    """The text, cut to this many columns."""
    if get_cwidth(text) <= room:
        return text
    kept = ""
    for character in text:
        if get_cwidth(kept + character) > room - 1:
            break
        kept += character
    return kept + "…"
