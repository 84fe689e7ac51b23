"""What a block has said and its consumer has not taken yet, in bounded memory.

A person sees the first part of a block's output as it comes and the last part at its end; a line in
between says how much was left out. The program never waits for the consumer.
"""

import asyncio
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import AsyncIterator

from oi_daemon.messages import ActiveLine, Chunk, Display, Output
from oi_daemon.messages.written import DISPLAY_ID, Bundle

_LINE = 64
"""Bytes that an active line counts as."""
_DISPLAY = 1024
"""Characters that a display counts as, besides its own."""
_DISPLAYS = 32 << 20
"""Characters of displays that one block may show, and that are neither replaced nor cleared."""
_CLEAR = b"\x1b[2J"
"""Clears the screen."""
_REST_OF_LINE = 0.005
"""Seconds for which text waits for the rest of its line: `print` writes the newline by itself."""


class Backlog:
    """Filled by a worker as its bytes arrive, emptied by one consumer."""

    def __init__(self, *, head: int, tail: int) -> None:
        self._chunks: deque[Chunk | list[str]] = deque()
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._room = head
        self._tail = _Tail(tail)
        self._display_room = _DisplayRoom()
        self.active: int | None = None
        """The line that is active."""
        self._at_line_start = True
        self._ripe = True
        """Whether the last text in the queue need not wait for the rest of its line."""
        self._closed = False
        self._changed = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Some more bytes of output."""
        if _CLEAR in data and not self._displays_wait:
            self._display_room = _DisplayRoom()
        shown, rest = data[: self._room], data[self._room :]
        self._room -= len(shown)
        if shown:
            self._say(self._decoder.decode(shown))
        if rest:
            self._room = 0
            self._tail.write(rest)

    def line(self, number: int) -> None:
        """A line is active. Where the room is used up, only the last of those that wait is kept."""
        if number == self.active:
            return
        self.active = number
        chunk = ActiveLine(number)
        if self._room > 0:
            self._room = max(0, self._room - _LINE)
        elif self._chunks and isinstance(self._chunks[-1], ActiveLine):
            self._chunks[-1] = chunk
            return
        self.put(chunk)

    def display(self, display: Display) -> None:
        """A display; or one word about it, where the room for them is used up."""
        if self._display_room.take(display.data, refund=not self._displays_wait):
            self.put(display)
        elif not self._display_room.closed:
            self._display_room.closed = True
            self.tell("Displays are left out from here on: this block has shown too many.")

    @property
    def _displays_wait(self) -> bool:
        """Whether displays take memory here; what has been told needs no room any more."""
        return any(isinstance(chunk, Display) for chunk in self._chunks)

    def put(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._ripen()

    def tell(self, sentence: str) -> None:
        """Words of our own on a line of their own, whatever the room."""
        self._flush()
        self._say(f"{'' if self._at_line_start else chr(10)}[{sentence}]\n")

    def close(self) -> None:
        """The block has ended: the consumer gets the last part of its output, then the end."""
        self._flush()
        self._closed = True
        self._ripen()

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while self._chunks or not self._closed:
            while len(self._chunks) > 1 or (self._chunks and self._ripe):
                chunk = self._chunks.popleft()
                yield Output("".join(chunk)) if isinstance(chunk, list) else chunk
            self._changed.clear()
            if not self._closed:
                await self._changed.wait()

    def _say(self, text: str) -> None:
        """Text that waits beside other text is joined with it."""
        if not text:
            return
        self._at_line_start = text.endswith("\n")
        if self._chunks and isinstance(last := self._chunks[-1], list):
            last.append(text)
        else:
            self._chunks.append([text])
        self._ripe = False
        if self._at_line_start:
            self._ripen()
        else:
            asyncio.get_running_loop().call_later(_REST_OF_LINE, self._ripen)

    def _ripen(self) -> None:
        self._ripe = True
        self._changed.set()

    def _flush(self) -> None:
        left_out, tail = self._tail.take()
        if left_out:
            self._decoder.reset()
            self._say(f"\n[... {left_out:,} bytes left out ...]\n")
            tail = tail.lstrip(_CONTINUATIONS)
        self._say(self._decoder.decode(tail, True))
        self._decoder.reset()


_CONTINUATIONS = bytes(range(0x80, 0xC0))
"""Bytes with which no UTF-8 character begins."""


class _DisplayRoom:
    """How much a block may still display."""

    def __init__(self) -> None:
        self._left = _DISPLAYS
        self._sizes: dict[object, int] = {}
        self.closed = False

    def take(self, bundle: Bundle, *, refund: bool) -> bool:
        """Whether there is room for this display; it is then taken.

        Args:
            refund: the display that this one replaces gives its room back.
        """
        size = _DISPLAY + sum(len(str(data)) for data in bundle.values())
        name = bundle.get(DISPLAY_ID)
        left = self._left + (self._sizes.get(name, 0) if refund else 0) - size
        if self.closed or left < 0:
            return False
        self._left = left
        if name is not None:
            self._sizes[name] = size
        return True


class _Tail:
    """Keeps the end of what is written, in at most twice its size."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept = bytearray()
        self._written = 0

    def write(self, data: bytes) -> None:
        self._written += len(data)
        self._kept += data[max(0, len(data) - self._size) :]
        if len(self._kept) > 2 * self._size:
            del self._kept[: len(self._kept) - self._size]

    def take(self) -> tuple[int, bytes]:
        """How many bytes are lost, and those that are kept."""
        kept = bytes(self._kept[max(0, len(self._kept) - self._size) :])
        lost = self._written - len(kept)
        self._kept.clear()
        self._written = 0
        return lost, kept
