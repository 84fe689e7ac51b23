"""The list of conversations: paging, titles and search, without reading more than it must."""

import base64
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import msgspec

from oi_daemon.errors import InvalidError
from oi_daemon.history import document, naming
from oi_daemon.history.document import Stamp
from oi_daemon.messages import CodeMessage, Message, UserMessage

_MAX_TITLE = 80
_MAX_LINE = 200
_MAX_TEXT = 32 << 20
"""Bytes of conversations' text that are kept in memory between searches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A conversation in the list."""

    conversation: str
    title: str
    updated: str
    """When it was last saved: ISO 8601, UTC."""
    messages: int


class ConversationPage(NamedTuple):
    """A part of the list, and the cursor of the next; None: this was the last."""

    entries: list[Entry]
    cursor: str | None


class _Place(NamedTuple):
    """Where a file stands in the list. The order is the list's, read backwards."""

    mtime_ns: int
    name: str


class _File(NamedTuple):
    """A file as it was found: one of many thousands, of which few are looked at."""

    mtime_ns: int
    name: str
    entry: os.DirEntry[str]
    stat: os.stat_result

    @property
    def place(self) -> _Place:
        return _Place(self.mtime_ns, self.name)

    @property
    def stamp(self) -> Stamp:
        return Stamp.of(self.stat)

    @property
    def path(self) -> str:
        return self.entry.path


class _Digest(NamedTuple):
    """What the list needs to know of a file in one state."""

    stamp: Stamp
    title: str
    messages: int
    """0 where the file holds no conversation."""
    text: bytes | None
    """All of it, for searching; None: to be read again, for memory is bounded."""


class Catalog:
    """Lists a folder's conversations, and remembers what it has read of each. Thread-safe."""

    def __init__(self) -> None:
        self._digests: dict[str, _Digest] = {}
        self._room = _MAX_TEXT
        self._lock = Lock()

    def page(
        self,
        files: Iterable[os.DirEntry[str]],
        ours: Mapping[str, str],
        limit: int,
        cursor: str | None,
        query: str | None,
    ) -> ConversationPage:
        """See `History.list`.

        Args:
            ours: names of files -> the conversations that this process keeps in them.
        """
        before = None if cursor is None else _from_cursor(cursor)
        needle = _searchable((query or "").strip())
        with self._lock:
            return self._page(files, ours, limit, before, needle)

    def _page(
        self,
        files: Iterable[os.DirEntry[str]],
        ours: Mapping[str, str],
        limit: int,
        before: "_Place | None",
        needle: bytes,
    ) -> ConversationPage:
        found = _newest_first(files)
        self._forget_others({file.name for file in found})
        entries: list[Entry] = []
        last: _Place | None = None
        for file, conversation in _named(found, ours):
            if before is not None and file.place >= before:
                continue
            digest = self._digest(file)
            if not digest.messages or not _holds(digest, file.path, needle):
                continue
            if last is not None and len(entries) >= limit:
                return ConversationPage(entries, _to_cursor(last))
            entries.append(_entry(conversation, digest))
            last = file.place
        return ConversationPage(entries, None)

    def _digest(self, file: _File) -> _Digest:
        name = file.name
        known = self._digests.get(name)
        if known is None or known.stamp != file.stamp:
            self._forget(name)
            known = _read_digest(file)
            size = len(known.text or b"")
            if size > self._room:
                known, size = known._replace(text=None), 0
            self._room -= size
            self._digests[name] = known
        return known

    def _forget_others(self, names: Set[str]) -> None:
        for name in self._digests.keys() - names:
            self._forget(name)

    def _forget(self, name: str) -> None:
        digest = self._digests.pop(name, None)
        if digest is not None:
            self._room += len(digest.text or b"")


def title(messages: Sequence[Message]) -> str:
    """What a conversation is called: its first words, on one line."""
    line = " ".join(first_words(messages).split())
    return line if len(line) <= _MAX_TITLE else line[: _MAX_TITLE - 1].rstrip() + "…"


def first_words(messages: Sequence[Message]) -> str:
    """The first line of what the person said first; else of the first code or message."""
    asked = (message for message in messages if isinstance(message, UserMessage))
    texts = (_words(message) for message in (*islice(asked, 1), *messages[:1]))
    lines = (line for text in texts for line in text.splitlines() if line.strip())
    line = next(lines, "").strip()[:_MAX_LINE]
    return line if line.isprintable() else "".join(c if c.isprintable() else " " for c in line)


def _words(message: Message) -> str:
    return message.code if isinstance(message, CodeMessage) else message.message


def _newest_first(files: Iterable[os.DirEntry[str]]) -> list[_File]:
    found = []
    for entry in files:
        try:
            stat = entry.stat()
        except FileNotFoundError:
            continue
        found.append(_File(stat.st_mtime_ns, entry.name, entry, stat))
    return sorted(found, reverse=True)


def _named(files: Iterable[_File], ours: Mapping[str, str]) -> Iterator[tuple[_File, str]]:
    """Each file with its conversation.

    Where several claim one id, it means the file of this process, else the newest; the others go
    by their stems, which `History.path_of` knows too.
    """
    taken = set(ours.values())
    for file in files:
        name = file.name
        conversation = ours.get(name)
        if conversation is None:
            conversation = naming.id_in(name)
            conversation = naming.stem(name) if conversation in taken else conversation
            taken.add(conversation)
        yield file, conversation


def _read_digest(file: _File) -> _Digest:
    try:
        messages, _ = document.read(Path(file.path))
    except InvalidError:
        messages = []
    return _Digest(file.stamp, title(messages), len(messages), _text(messages))


def _holds(digest: _Digest, path: str, needle: bytes) -> bool:
    if not needle:
        return True
    if digest.text is not None:
        return needle in digest.text
    try:
        return needle in _text(document.read(Path(path))[0])
    except InvalidError:
        return False


def _text(messages: Sequence[Message]) -> bytes:
    parts: list[str] = []
    for message in messages:
        parts.append(_words(message))
        if isinstance(message, CodeMessage) and message.output:
            parts.append(message.output)
    return _searchable("\n".join(parts))


def _searchable(text: str) -> bytes:
    return text.casefold().encode(errors="surrogatepass")


def _entry(conversation: str, digest: _Digest) -> Entry:
    changed = datetime.fromtimestamp(digest.stamp.mtime_ns / 1e9, UTC)
    return Entry(
        conversation=conversation,
        title=digest.title,
        updated=changed.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        messages=digest.messages,
    )


def _to_cursor(place: _Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _from_cursor(cursor: str) -> _Place:
    try:
        return msgspec.json.decode(base64.b64decode(cursor, b"-_", validate=True), type=_Place)
    except (ValueError, msgspec.DecodeError):
        raise InvalidError(
            "cursor: not one that a list has given; leave it out to start from the newest"
        ) from None
