"""Answers the daemon's questions about variables, in a thread of its own.

So they are answered while the main thread runs a block, unless that holds the interpreter's lock.
Nothing of the user's is run for an answer: see `static`.
"""

from __future__ import annotations

import os
from _thread import allocate_lock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .channel import Channel
    from .files import Files

_LARGEST = 1 << 16
"""Most bytes of a lookup; each is one datagram."""


class Lookups:
    """Receives lookups over a socket of their own, and sends the answers over the control socket.

    A lookup is its number, its kind, a position and a limit, a line break, and code.
    """

    def __init__(self, channel: Channel, namespace: dict[str, object], files: Files) -> None:
        """
        Args:
            namespace: the user's variables.
            files: gives the names of blocks.
        """
        self._channel = channel
        self._namespace = namespace
        self._files = files
        self._socket = int(os.environ.pop("OI_DAEMON_LOOKUPS", "-1"))
        """Descriptor of the socket; -1 if there is none."""
        self._answering = allocate_lock()
        """Held while a lookup is answered, because a fork meanwhile would copy locks as held."""
        if self._socket >= 0:
            os.set_inheritable(self._socket, False)
        self.start()

    @property
    def descriptors(self) -> set[int]:
        """The descriptor of the socket."""
        return {self._socket}

    def start(self) -> None:
        """Start the thread; also needed in a fork, which has only the thread that forked."""
        if self._socket >= 0:
            start_new_thread(self._serve, ())

    def before_fork(self) -> None:
        """Wait until no lookup is answered, and hold up further ones."""
        self._answering.acquire()

    def after_fork(self) -> None:
        """Answer lookups again."""
        self._answering.release()

    def close(self) -> None:
        """Close the socket, in a fork that the user's code has made."""
        if self._socket >= 0:
            os.close(self._socket)

    def _serve(self) -> None:
        """Answer lookups until the user's code closes a socket."""
        try:
            while lookup := os.read(self._socket, _LARGEST):
                with self._answering:
                    self._answer(lookup)
        except OSError:
            pass

    def _answer(self, lookup: bytes) -> None:
        """Send the answer to one lookup; an empty one if it fails."""
        head, _, code = lookup.partition(b"\n")
        number, kind, position, limit = head.split()
        try:
            answer = self._found(kind.decode(), code.decode(), int(position), int(limit))
        except Exception:  # what is looked at may change at any moment
            answer = "{}"
        self._channel.send_answer(int(number), answer)

    def _found(self, kind: str, code: str, position: int, limit: int) -> str:
        """Return the answer as JSON."""
        if kind == "variables":
            from .variables import listing

            return listing(self._namespace, limit)
        if kind == "complete":
            from .completion import completions

            return completions(self._namespace, code, position, limit)
        from .description import description

        return self._files.shown(description(self._namespace, code, position))
