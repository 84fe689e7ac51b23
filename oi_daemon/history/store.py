"""Saving and finding conversations.

Every save writes the whole file beside the old one and puts it in its place, so a file always
loads, whenever its writer was killed. Nothing is touched before the first save.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from oi_daemon import files
from oi_daemon.errors import OIError
from oi_daemon.history import document, names, naming
from oi_daemon.history.catalog import Catalog, ConversationPage, first_words
from oi_daemon.history.document import Stamp
from oi_daemon.messages import Message


class _SavedFile(NamedTuple):
    """Where this process keeps a conversation."""

    path: Path
    asked: str
    """The file name that was asked for; the path has another if that file was not ours."""
    stamp: Stamp
    """The state in which we last read or wrote the file."""


class History:
    """The conversations of one folder.

    Several processes may share it. A save replaces a file only in the state in which this process
    last read or wrote it. If anybody else has changed it since, or it never was this
    conversation's, the messages go to a new file with an id of its own, and both are kept. From
    then on this process means the new file by the conversation's id; others know it by its own.

    `list` may run in a thread while the rest is used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[str, _SavedFile] = {}
        self._catalog = Catalog()
        self._swept = False

    def save(
        self, conversation: str, messages: Sequence[Message], *, filename: str | None = None
    ) -> Path | None:
        """Keep all messages of a conversation; None if it is new and there is nothing to keep.

        Args:
            filename: the user's choice of a name (`conversation_filename`). Without one, the name
                is made of the first words and the time, once.

        Raises:
            InvalidError: the id or the file name cannot be used.
            OIError: the file cannot be written.
        """
        if conversation not in self._kept:
            naming.encode_id(conversation)
        chosen = None if filename is None else naming.chosen_name(filename)
        if not messages and self.path_of(conversation) is None:
            return None
        data = document.encode(messages)
        try:
            self._prepare()
            with files.locked(self.folder):
                path, asked = self._place(conversation, messages, chosen)
                stamp = Stamp.of(files.write_private(path, data))
            if not naming.holds_id(path.name):
                names.remember(path, conversation)
        except OSError as error:
            raise _unusable(self.folder, error) from error
        self._kept[conversation] = _SavedFile(path, asked, stamp)
        return path

    def load(self, conversation: str) -> list[Message] | None:
        """A conversation's messages; None if there is no such conversation.

        Raises:
            InvalidError: its file holds no messages, and later saves leave it as it is; or the id
                is one that could not be saved.
        """
        path = self.path_of(conversation)
        if path is None:
            naming.encode_id(conversation)
            return None
        messages, stamp = document.read(path)
        self._kept[conversation] = _SavedFile(path, path.name, stamp)
        return messages

    def path_of(self, conversation: str) -> Path | None:
        """The file of a conversation, if there is one.

        Raises:
            OIError: the folder cannot be read.
        """
        kept = self._kept.get(conversation)
        if kept is not None and kept.path.exists():
            return kept.path
        named = names.ids_in(self.folder)
        found = [name for name, held in named.items() if held == conversation]
        found = [name for name in found if (self.folder / name).is_file()]
        if not found:
            ends = naming.endings(conversation)
            others = [entry.name for entry in self._files(ends) if entry.name not in named]
            found = [name for name in others if naming.id_in(name) == conversation]
            found = found or [name for name in others if naming.stem(name) == conversation]
        return max(map(self.folder.joinpath, found), key=_changed, default=None)

    def delete(self, conversation: str) -> bool:
        """Remove a conversation's file; False if there is none.

        Raises:
            OIError: it cannot be removed.
        """
        path = self.path_of(conversation)
        self._kept.pop(conversation, None)
        if path is None:
            return False
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error
        return True

    def set_aside(self, conversation: str) -> None:
        """Let a conversation begin anew: what is kept of it stays, under an id of its own.

        Raises:
            OIError: its file cannot be renamed.
        """
        path = self.path_of(conversation)
        self._kept.pop(conversation, None)
        if path is None or not naming.holds_id(path.name):
            return
        try:
            path.rename(path.with_name(naming.with_id(path.name, naming.new_id())))
        except OSError as error:
            raise _unusable(path, error) from error

    def _prepare(self) -> None:
        files.make_private(self.folder)
        if not self._swept:
            files.sweep(self.folder)
            self._swept = True

    def _place(
        self, conversation: str, messages: Sequence[Message], chosen: str | None
    ) -> tuple[Path, str]:
        """The file to write, one that is free or ours, and the name that was asked for."""
        kept = self._kept.get(conversation)
        if kept is not None and chosen in (None, kept.asked):
            path, asked, ours = kept.path, kept.asked, kept.stamp
        else:
            path = self._wanted(conversation, messages, chosen)
            asked, ours = path.name, None
        if _stamp(path) in (None, ours):
            return path, asked
        words = first_words(messages) if chosen is None else naming.stem(chosen)
        return self.folder / naming.name_for(naming.new_id(), words), asked

    def _wanted(self, conversation: str, messages: Sequence[Message], chosen: str | None) -> Path:
        if chosen is not None:
            return self.folder / chosen
        there = self.path_of(conversation)
        return there or self.folder / naming.name_for(conversation, first_words(messages))

    def _files(self, endings: tuple[str, ...] = (".json",)) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.endswith(endings) and naming.is_text(name) and entry.is_file():
                        yield entry
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def list(
        self, limit: int = 50, cursor: str | None = None, query: str | None = None
    ) -> ConversationPage:
        """Conversations, newest first, `limit` (at least 1) at a time.

        Files that hold no messages are passed over.

        Args:
            cursor: that of the page before. It stays good while conversations come and go.
            query: only conversations that hold this text anywhere, in any case.

        Raises:
            InvalidError: that is no cursor.
        """
        ours = {kept.path.name: conversation for conversation, kept in self._kept.copy().items()}
        return self._catalog.page(
            self._files(), names.ids_in(self.folder) | ours, limit, cursor, query
        )


def _stamp(path: Path) -> Stamp | None:
    try:
        return Stamp.of(path.stat())
    except FileNotFoundError:
        return None


def _changed(path: Path) -> int:
    stamp = _stamp(path)
    return stamp.mtime_ns if stamp else 0


def _unusable(path: Path, error: OSError) -> OIError:
    return OIError(
        f"The history cannot use {path}: {error.strerror}. Set conversation_history_path to"
        " another folder, or conversation_history to false."
    )
