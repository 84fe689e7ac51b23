"""The chunks of a block that its consumer has not taken yet, in bounded memory.

A person sees the first part of a block's output as it arrives and the last part when the block
ends; a line in between says how much was left out. The program never waits for the consumer.
"""

import asyncio
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import AsyncIterator

from oi_daemon.messages import ActiveLine, Chunk, Display, Output
from oi_daemon.messages.written import CLEAR, DISPLAY_ID, Bundle

_LINE = 64
"""Bytes that an active line takes of the room for a block's output."""
_DISPLAY = 1024
"""Characters that a display takes of the room for displays, besides those of its data."""
_DISPLAYS = 32 << 20
"""Most characters of displays in one block. Displays that are replaced or cleared do not count."""
_REST_OF_LINE = 0.005
"""Seconds for which text is held back for the rest of its line, because `print` writes the newline
separately."""


class Backlog:
    """A queue of chunks: a worker adds to it, one consumer iterates over it."""

    def __init__(self, *, head: int, tail: int) -> None:
        self._chunks: deque[Chunk | list[str]] = deque()
        """The chunks that wait. A list holds the pieces of one output."""
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._room = head
        """How many more bytes of output are shown as they arrive; the rest goes to `_tail`."""
        self._tail = _Tail(tail)
        self._display_room = _DisplayRoom()
        self.active_line: int | None = None
        """The line that runs; None before the first one."""
        self._at_line_start = True
        """Whether the output so far ends with a newline."""
        self._text_complete = True
        """False while the last text is held back, because the rest of its line may come soon."""
        self._closed = False
        """Whether the block has ended, so that nothing is added any more."""
        self._changed = asyncio.Event()
        """Set when the consumer may find something to take."""

    def write(self, data: bytes) -> None:
        """Add some bytes of output."""
        if CLEAR.encode() in data and not self._displays_wait:
            self._display_room = _DisplayRoom()
        shown, rest = data[: self._room], data[self._room :]
        self._room -= len(shown)
        if shown:
            self._add_text(self._decoder.decode(shown))
        if rest:
            self._room = 0
            self._tail.write(rest)

    def set_active_line(self, number: int) -> None:
        """Add an active line. Once the room is used up, it replaces one that still waits."""
        if number == self.active_line:
            return
        self.active_line = number
        chunk = ActiveLine(number)
        if self._room > 0:
            self._room = max(0, self._room - _LINE)
        elif self._chunks and isinstance(self._chunks[-1], ActiveLine):
            self._chunks[-1] = chunk
            return
        self.add(chunk)

    def add_display(self, display: Display) -> None:
        """Add a display, or once a sentence that displays are left out from here on."""
        if self._display_room.take(display.data, refund=not self._displays_wait):
            self.add(display)
        elif not self._display_room.closed:
            self._display_room.closed = True
            self.add_sentence("Displays are left out from here on: this block has shown too many.")

    @property
    def _displays_wait(self) -> bool:
        """Whether there are displays that the consumer has not taken."""
        return any(isinstance(chunk, Display) for chunk in self._chunks)

    def add(self, chunk: Chunk) -> None:
        """Add a chunk, whatever the room."""
        self._chunks.append(chunk)
        self._release_text()

    def add_sentence(self, sentence: str) -> None:
        """Add a sentence of our own, in brackets and on its own line, whatever the room."""
        self._flush()
        self._add_text(f"{'' if self._at_line_start else chr(10)}[{sentence}]\n")

    def close(self) -> None:
        """The block has ended: add the last part of its output, and end the iteration after it."""
        self._flush()
        self._closed = True
        self._release_text()

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        """Take the chunks as they arrive, until the block has ended."""
        while self._chunks or not self._closed:
            while len(self._chunks) > 1 or (self._chunks and self._text_complete):
                chunk = self._chunks.popleft()
                yield Output("".join(chunk)) if isinstance(chunk, list) else chunk
            self._changed.clear()
            if not self._closed:
                await self._changed.wait()

    def _add_text(self, text: str) -> None:
        """Add text. It is joined with text that waits before it."""
        if not text:
            return
        self._at_line_start = text.endswith("\n")
        if self._chunks and isinstance(last := self._chunks[-1], list):
            last.append(text)
        else:
            self._chunks.append([text])
        self._text_complete = False
        if self._at_line_start:
            self._release_text()
        else:
            asyncio.get_running_loop().call_later(_REST_OF_LINE, self._release_text)

    def _release_text(self) -> None:
        """Let the consumer take the last text, even if its line is not complete."""
        self._text_complete = True
        self._changed.set()

    def _flush(self) -> None:
        """Add the last part of the output, and a line that says how much was left out before it."""
        left_out, tail = self._tail.take()
        if left_out:
            self._decoder.reset()
            self._add_text(f"\n[... {left_out:,} bytes left out ...]\n")
            tail = tail.lstrip(_CONTINUATIONS)
        self._add_text(self._decoder.decode(tail, True))
        self._decoder.reset()


_CONTINUATIONS = bytes(range(0x80, 0xC0))
"""Bytes that are never the first of a UTF-8 character."""


class _DisplayRoom:
    """Counts how much a block may still display."""

    def __init__(self) -> None:
        self._left = _DISPLAYS
        """How many more characters the block's displays may have."""
        self._sizes: dict[object, int] = {}
        """Sizes of the displays that can be replaced, by their id."""
        self.closed = False
        """Whether displays are left out from now on."""

    def take(self, bundle: Bundle, *, refund: bool) -> bool:
        """Count a display; False if there is no room for it.

        Args:
            refund: whether the display that this one replaces gives its room back.
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
    """Keeps the last bytes that are written, `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept = bytearray()
        """The last bytes. More than `_size` may be kept, up to twice as many, because each cut
        copies them."""
        self._written = 0
        """How many bytes were written in all."""

    def write(self, data: bytes) -> None:
        """Add bytes; earlier ones are dropped where they are too many."""
        self._written += len(data)
        self._kept += data[max(0, len(data) - self._size) :]
        if len(self._kept) > 2 * self._size:
            del self._kept[: len(self._kept) - self._size]

    def take(self) -> tuple[int, bytes]:
        """Returns how many bytes were dropped, and the kept ones, and begins anew."""
        kept = bytes(self._kept[max(0, len(self._kept) - self._size) :])
        lost = self._written - len(kept)
        self._kept.clear()
        self._written = 0
        return lost, kept
