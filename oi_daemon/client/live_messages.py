"""The list of messages that a program holds, and may change in place."""

from copy import deepcopy
from typing import TYPE_CHECKING, cast

from oi_daemon.errors import InvalidError
from oi_daemon.terminal.notebook import is_notebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oi_daemon.messages.shapes import MessageDict


class LiveMessages:
    """A conversation's messages as a plain list, and what it held when it was last looked at.

    So a program may append to the list, or change a message in it: the difference is found before
    the next call, and sent to the daemon.
    """

    def __init__(self) -> None:
        self.list: list[MessageDict] = []
        """The list that the program has. It stays the same until `replace`."""
        self._seen: list[MessageDict] = []
        """A copy of what the list held when it was last taken over or set."""

    def replace(self, messages: "Sequence[MessageDict]") -> None:
        """Begin a new list. The one that the program has is not changed any more."""
        self.list = []
        self.set(messages)

    def set(self, messages: "Sequence[MessageDict]") -> None:
        """Make these the messages of the list."""
        if messages != self._seen or self.list != self._seen:
            self.list[:] = messages
            self._seen = deepcopy(self.list)

    def add(self, messages: "Sequence[MessageDict]") -> None:
        """Append what a turn has added."""
        self.list += messages
        self._seen += deepcopy([*messages])

    def take_changes(self) -> "list[MessageDict] | None":
        """Return the messages if the program has changed them since the last time; else None.

        Raises:
            InvalidError: they do not fit. The change is taken back.
        """
        if self.list == self._seen:
            return None
        try:
            self.set(stored(self.list))
        except InvalidError as error:
            self.set(self._seen)
            error.args = (f"The list of messages was changed, and does not fit: {error}",)
            raise
        return self.list


class ShownMessages(list["MessageDict"]):
    """Messages that a notebook has shown, so as the value of a cell they show nothing."""

    def _ipython_display_(self) -> None:
        """IPython calls this in place of showing the list."""


def shown_messages(messages: "list[MessageDict]") -> "list[MessageDict]":
    """Return the messages of a conversation whose turn was shown to the person."""
    return ShownMessages(messages) if is_notebook() else messages


def stored(messages: "Sequence[object]") -> "list[MessageDict]":
    """Return messages in the documentation's shape.

    Raises:
        InvalidError: they do not fit.
    """
    from oi_daemon.messages import dump, load

    return [cast("MessageDict", dump(message)) for message in load(messages)]
