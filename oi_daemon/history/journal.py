"""A conversation's journal: the messages that its JSON file does not hold yet.

While a turn runs, each finished message is appended and flushed, which costs the same however long
the conversation is. At the end of the turn the messages are in the JSON file, and the journal is
emptied. A journal that is not empty belongs to the process that has it claimed; if that process
was killed, the next process that reads the conversation finds the messages here.

The first line is a `_JournalHeader`, each further line a `_JournalLine`. A line that was not
written whole, and what follows it, does not count.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from oi_daemon import files
from oi_daemon.history.document import Shape, decode_shape, encode_shape
from oi_daemon.messages import Message, load


class _JournalHeader(msgspec.Struct, frozen=True):
    """The first line."""

    file: str
    """Name of the conversation's JSON file."""
    count: int
    """Number of messages in the JSON file when the journal was begun."""


class _JournalLine(msgspec.Struct, frozen=True):
    """A message. It replaces the message of an earlier line with the same place."""

    at: int
    """The message's place in the conversation, counted from 0."""
    message: Any
    """The message's shape. See `document.Shape`."""


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal held when it was read."""

    file: str
    """Name of the conversation's JSON file; empty if not even the first line is whole."""
    count: int
    """Number of messages in the JSON file when the journal was begun."""
    messages: list[Message]
    """The conversation's messages from place `count` on."""
    valid: int
    """Number of bytes up to the end of the last whole line."""
    size: int
    """Size of the file in bytes."""

    def continues(self, messages: Sequence[Message]) -> bool:
        """Whether the journal goes on where these messages, of the JSON file, end.

        A JSON file that was replaced after the journal was begun holds some of the journal's
        messages, or all of them.
        """
        shared = min(len(messages) - self.count, len(self.messages))
        here = messages[self.count : self.count + shared]
        return shared >= 0 and here == self.messages[:shared]

    def after(self, messages: Sequence[Message]) -> list[Message]:
        """The messages of the JSON file, which the journal continues, and then the journal's."""
        return [*messages, *self.messages[len(messages) - self.count :]]


def read(path: Path, attach: Callable[[Any], Any] = lambda shape: shape) -> JournalContent | None:
    """The content of a journal; None if there is none, or nothing in it.

    Args:
        attach: puts the displays that are kept in files of their own into a message's shape.

    Raises:
        OSError: it cannot be read.
    """
    try:
        data, _ = files.read(path)
    except FileNotFoundError:
        return None
    return _content(data, attach) if data else None


def _content(data: bytes, attach: Callable[[Any], Any]) -> JournalContent:
    first, *rest = data.splitlines(keepends=True)
    header = _header(first)
    if header is None:
        return JournalContent("", 0, [], 0, len(data))
    messages: list[Message] = []
    valid = len(first)
    for line in rest:
        entry = _entry(line, attach, header.count, header.count + len(messages))
        if entry is None:
            break
        place, message = entry
        messages[place - header.count :] = [message]
        valid += len(line)
    return JournalContent(header.file, header.count, messages, valid, len(data))


class Journal:
    """The journal of one conversation, for the process that saves it."""

    def __init__(self, path: Path, file: str) -> None:
        """
        Args:
            file: name of the conversation's JSON file.
        """
        self.path = path
        self._file = file
        self._descriptor: int | None = None
        self._size = 0
        """Bytes of the journal that this process has read or written."""
        self._written = 0
        """Bytes up to which the journal is valid and flushed; 0: it has no header yet."""
        self._damaged = False
        """Whether a write has failed, so that nobody knows what the file holds: `rewrite` it."""

    @property
    def is_open(self) -> bool:
        """Whether this process has claimed the journal."""
        return self._descriptor is not None

    @property
    def is_in_place(self) -> bool:
        """Whether the open journal can be found by its path, and has not been removed."""
        found = files.state(self.path)
        if self._descriptor is None or found is None:
            return False
        return found.st_ino == files.state_of(self._descriptor).st_ino

    @property
    def is_empty(self) -> bool:
        """Whether no message waits in the journal to come into the JSON file."""
        return not self._written

    @property
    def is_damaged(self) -> bool:
        """Whether a write has failed, so that `rewrite` has to come before the next `append`."""
        return self._damaged

    def expect(self, content: JournalContent | None) -> None:
        """Take note of what was read, to find out later whether another process has written."""
        self._size = content.size if content else 0
        self._written = content.valid if content else 0

    def open(self) -> bool:
        """Claim the journal; False if another process has it, or has written to it since.

        Raises:
            OSError: it cannot be opened.
        """
        is_new = files.state(self.path) is None
        descriptor = files.open_journal(self.path)
        try:
            size = files.state_of(descriptor).st_size
            if not files.claim(descriptor) or size not in (0, self._size):
                files.close(descriptor)
                return False
            if size:
                files.cut(descriptor, self._written)
            if is_new:
                files.flush_folder(self.path.parent)
        except BaseException:
            files.close(descriptor)
            raise
        self._size = self._written = min(size, self._written)
        self._descriptor = descriptor
        return True

    def append(self, count: int, place: int, shapes: Sequence[Shape]) -> None:
        """Write messages at the end; return when they survive a loss of power.

        Args:
            count: how many messages the JSON file holds.
            place: the place in the conversation of the first of these messages.
            shapes: the messages to write.

        Raises:
            OSError: they cannot be written.
        """
        assert self._descriptor is not None
        data = self._encode(count, place, shapes, begun=self._written > 0)
        self._damaged = True
        files.write(self._descriptor, data)
        files.flush(self._descriptor)
        self._damaged = False
        self._size = self._written = self._written + len(data)

    def rewrite(self, count: int, shapes: Sequence[Shape]) -> None:
        """Put a new journal in the place of a damaged one.

        A flush that has failed may have dropped what was written, so nothing that came after the
        last good flush can be relied on. What came before stays until the new file is there.

        Args:
            shapes: all messages from place `count` on.

        Raises:
            OSError: it cannot be written; the old one stays.
        """
        data = self._encode(count, count, shapes, begun=False)
        with files.draft(self.path.parent) as (descriptor, temporary):
            files.write(descriptor, data)
            files.flush(descriptor)
            files.claim(descriptor)
            files.move(temporary, self.path)
            self._close()
            self._descriptor = files.duplicate(descriptor)
        self._size = self._written = len(data)
        files.flush_folder(self.path.parent)
        self._damaged = False

    def clear(self) -> None:
        """Empty the journal and give up the claim, when its messages are in the JSON file.

        What a failure, or a loss of power, leaves in it does no harm as long as the JSON file
        holds that too.
        """
        with suppress(OSError):
            if self._descriptor is not None:
                files.cut(self._descriptor, 0)
                self._size = 0
        self._written = 0
        self._damaged = False
        self._close()

    def ensure_empty(self) -> None:
        """Return when an emptied journal stays so after a loss of power.

        That is needed before the JSON file is replaced by one that holds less.

        Raises:
            OSError: it cannot be ensured.
        """
        if files.state(self.path) is None or self.is_foreign():
            return
        descriptor = files.open_journal(self.path)
        try:
            files.cut(descriptor, 0)
            files.flush(descriptor)
        finally:
            files.close(descriptor)
        self._size = 0

    def release(self) -> None:
        """Give up the claim, and remove the file if it is empty and nobody else has it.

        Raises:
            OSError: it cannot be removed.
        """
        try:
            if self.is_empty and (self.is_open or (files.state(self.path) and self.open())):
                files.remove(self.path)
        finally:
            self._close()

    def discard(self, *, older_than: float = 0.0) -> None:
        """Remove the file with all that is in it, unless another process has it.

        Args:
            older_than: seconds since the last write that must have passed.

        Raises:
            OSError: it cannot be removed.
        """
        found = files.state(self.path)
        if found is None or time.time() - found.st_mtime < older_than:
            return
        if self.is_open or not self._is_claimed():
            files.remove(self.path)
            files.flush_folder(self.path.parent)
        self._close()

    def is_foreign(self) -> bool:
        """Whether another process has the journal, or has written to it."""
        if self.is_open:
            return False
        found = files.state(self.path)
        return found is not None and (found.st_size not in (0, self._size) or self._is_claimed())

    def _is_claimed(self) -> bool:
        descriptor = files.open_journal(self.path)
        try:
            return not files.claim(descriptor)
        finally:
            files.close(descriptor)

    def _encode(self, count: int, place: int, shapes: Sequence[Shape], *, begun: bool) -> bytes:
        """The lines of these messages; the header comes first if the journal is not begun."""
        header = [] if begun else [{"file": self._file, "count": count}]
        entries = [{"at": at, "message": shape} for at, shape in enumerate(shapes, place)]
        return b"".join(encode_shape(line) + b"\n" for line in [*header, *entries])

    def _close(self) -> None:
        if self._descriptor is not None:
            files.close(self._descriptor)
        self._descriptor = None


def _header(line: bytes) -> _JournalHeader | None:
    """Return the content of the first line; None if it was not written whole."""
    try:
        return msgspec.convert(decode_shape(line), _JournalHeader) if line.endswith(b"\n") else None
    except (ValueError, msgspec.ValidationError):
        return None


def _entry(
    line: bytes, attach: Callable[[Any], Any], first: int, next_: int
) -> tuple[int, Message] | None:
    """Return the place and the message in a line; None if the line was not written whole.

    Args:
        first: the first place that the journal may hold.
        next_: the place after the messages that were read so far.
    """
    if not line.endswith(b"\n"):
        return None
    try:
        entry = msgspec.convert(decode_shape(line), _JournalLine)
        [message] = load([attach(entry.message)])
    except (ValueError, msgspec.ValidationError):
        return None
    return (entry.at, message) if first <= entry.at <= next_ else None
