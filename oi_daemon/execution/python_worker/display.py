"""What is shown beside text: `display` and its kin, as IPython has them."""

from __future__ import annotations

import builtins
import sys

from .bundle import encoded, represent
from .figures import close_figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .channel import Channel
    from .streams import OutputStream

_LARGEST = 32 << 20
"""Characters of one display."""
_ID = "application/vnd.oi.display-id"
"""In a bundle: it takes the place of the one with the same id."""
_CLEAR = "\x1b[H\x1b[2J"


class Displays:
    def __init__(self, channel: Channel, output: OutputStream) -> None:
        self._channel: Channel | None = channel
        self._output = output
        self._names = 0

    def install(self) -> None:
        builtins.display = self.display  # type: ignore[attr-defined]
        sys.displayhook = self.echo

    def in_child(self) -> None:
        """In a forked copy: what it displays is written as text."""
        self._channel = None

    def display(
        self,
        *values: object,
        raw: bool = False,
        clear: bool = False,
        display_id: object = None,
        **_: object,
    ) -> Handle | None:
        """The builtin: show each value in the richest form it has.

        With `display_id`, the display can be replaced; True makes an id. `raw` values are bundles.
        """
        if clear:
            self.clear(wait=True)
        name = self.new_name() if display_id is True else display_id
        for value in values:
            self._show(value, name, raw)
        return None if name is None else Handle(self, str(name))

    def update(self, value: object, *, display_id: object, **options: bool) -> None:
        """Show it in the place of what has this id."""
        self.display(value, display_id=display_id, **options)

    def publish(
        self, data: dict[str, object], *_: object, transient: object = None, **__: object
    ) -> None:
        """Show a bundle, as IPython's publish_display_data does."""
        name = transient.get("display_id") if isinstance(transient, dict) else None
        self._send(encoded(data), name)

    def clear(self, wait: bool = False) -> None:
        """Take away what the block has shown; with `wait`, once there is something new."""
        if wait:
            self._output.before_next(_CLEAR)
        else:
            self._output.write(_CLEAR)

    def echo(self, value: object) -> None:
        """sys.displayhook: the value of a block's last expression."""
        if value is not None:
            builtins._ = value  # type: ignore[attr-defined]
            self._show(value)

    def new_name(self) -> str:
        """An id for a display."""
        self._names += 1
        return f"display-{self._names}"

    def _show(self, value: object, name: object = None, raw: bool = False) -> None:
        if raw and isinstance(value, dict):
            self._send(encoded(value), name)
        elif not _shows_itself(value):
            self._send(represent(value), name)
            close_figure(value)

    def _send(self, bundle: dict[str, object], name: object = None) -> None:
        text = bundle.get("text/plain", "")
        size = sum(len(str(part)) for part in bundle.values())
        if self._channel is None or (name is None and list(bundle) == ["text/plain"]):
            sys.stdout.write(f"{text}\n")
        elif size > _LARGEST:
            sys.stdout.write(f"{text}\n[{_TOO_LARGE.format(size >> 20, _LARGEST >> 20)}]\n")
        else:
            if name is not None:
                bundle = {**bundle, _ID: str(name)}
            self._output.here()
            self._output.release()
            self._output.mark("D", self._channel.send(display=bundle))
            self._output.flush()


class Handle:
    """A display that can be replaced."""

    def __init__(self, displays: Displays, name: str) -> None:
        self._displays = displays
        self.display_id = name

    def __repr__(self) -> str:
        return f"<display {self.display_id}>"

    def display(self, value: object, **options: bool) -> None:
        self._displays.display(value, display_id=self.display_id, **options)

    update = display


def _shows_itself(value: object) -> bool:
    """Whether it has displayed itself in its own way; one that fails is shown as others are."""
    function = getattr(value, "_ipython_display_", None)
    if isinstance(value, type) or not callable(function):
        return False
    try:
        function()
    except Exception:
        return False
    return True


_TOO_LARGE = (
    "Too large to be displayed: {} MB of {} that are possible. Save it to a file instead, or make"
    " it smaller."
)
