"""Shows values as more than text: `display` and related functions, as IPython has them."""

from __future__ import annotations

import builtins
import sys

from .bundle import encoded, own_method, represent
from .figures import close_figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .channel import Channel
    from .streams import OutputStream

_LARGEST = 32 << 20
"""Most characters that one display may have."""
_ID = "application/vnd.oi.display-id"
"""The key of a display's id in its bundle; a display replaces an earlier one with the same id."""
_CLEAR = "\x1b[H\x1b[2J"
"""Terminal codes that clear the screen: written to the output, they clear what the block showed."""


class Displays:
    """Sends displays to the daemon, in their order with the text output."""

    def __init__(self, channel: Channel, output: OutputStream) -> None:
        self._channel: Channel | None = channel
        """The channel to the daemon; None in a fork that the user's code has made, where displays
        are written as text."""
        self._output = output
        self._names = 0
        """How many display ids have been made."""

    def install(self) -> None:
        """Make `display` a builtin, and show the value of a block's last expression by it."""
        builtins.display = self.display  # type: ignore[attr-defined]
        sys.displayhook = self.echo

    def in_child(self) -> None:
        """Write displays as text from now on, in a fork that the user's code has made."""
        self._channel = None

    def display(
        self,
        *values: object,
        raw: bool = False,
        clear: bool = False,
        display_id: object = None,
        **_: object,
    ) -> Handle | None:
        """Show each value in the richest form that it has; this is the builtin `display`.

        A display with a `display_id` can be replaced by the handle that is returned; True makes a
        new id. With `raw`, the values are MIME bundles.
        """
        if clear:
            self.clear(wait=True)
        name = self.new_name() if display_id is True else display_id
        for value in values:
            self._show(value, name, raw)
        return None if name is None else Handle(self, str(name))

    def update(self, value: object, *, display_id: object, **options: bool) -> None:
        """Show the value in the place of the display with this id."""
        self.display(value, display_id=display_id, **options)

    def publish(
        self, data: dict[str, object], *_: object, transient: object = None, **__: object
    ) -> None:
        """Show a MIME bundle, as IPython's `publish_display_data` does."""
        name = transient.get("display_id") if isinstance(transient, dict) else None
        self._send(encoded(data), name)

    def clear(self, wait: bool = False) -> None:
        """Clear what the block has shown; with `wait`, not before something new is shown."""
        if wait:
            self._output.before_next(_CLEAR)
        else:
            self._output.write(_CLEAR)

    def echo(self, value: object) -> None:
        """Show the value of a block's last expression; this is `sys.displayhook`."""
        if value is not None:
            builtins._ = value  # type: ignore[attr-defined]
            self._show(value)

    def new_name(self) -> str:
        """Return a new display id."""
        self._names += 1
        return f"display-{self._names}"

    def _show(self, value: object, name: object = None, raw: bool = False) -> None:
        """Show one value, or one bundle if `raw`, with `name` as its display id if it has one."""
        if raw and isinstance(value, dict):
            self._send(encoded(value), name)
        elif not _shows_itself(value):
            self._send(represent(value), name)
            close_figure(value)

    def _send(self, bundle: dict[str, object], name: object = None) -> None:
        """Send a bundle to the daemon; write text to stdout instead where no display is needed."""
        text = bundle.get("text/plain", "")
        size = sum(len(str(part)) for part in bundle.values())
        if self._channel is None or (name is None and list(bundle) == ["text/plain"]):
            sys.stdout.write(f"{text}\n")
        elif size > _LARGEST:
            sys.stdout.write(f"{text}\n[{_TOO_LARGE.format(size >> 20, _LARGEST >> 20)}]\n")
        else:
            if name is not None:
                bundle = {**bundle, _ID: str(name)}
            self._output.mark_caller()
            self._output.release()
            self._output.mark("D", self._channel.send(display=bundle))
            self._output.flush()


class Handle:
    """Refers to a display, so that it can be replaced."""

    def __init__(self, displays: Displays, name: str) -> None:
        self._displays = displays
        self.display_id = name

    def __repr__(self) -> str:
        return f"<display {self.display_id}>"

    def display(self, value: object, **options: bool) -> None:
        """Show this value in the display's place."""
        self._displays.display(value, display_id=self.display_id, **options)

    update = display


def _shows_itself(value: object) -> bool:
    """Call the value's own `_ipython_display_`; return True if it has one that did not fail."""
    function = None if isinstance(value, type) else own_method(value, "_ipython_display_")
    if function is None:
        return False
    try:
        function()
    except Exception:
        return False
    return True


_TOO_LARGE = (
    "Too large to be displayed: {} MB of at most {}. Save it to a file instead, or make it smaller."
)
