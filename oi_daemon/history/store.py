"""Saving, loading and finding conversations.

While a turn runs, each finished message goes to the conversation's journal. When the turn ends,
the JSON file is replaced whole, so it loads whenever its writer was killed. After a block of the
person's own, and where the file is large, that waits until no save has come for a while. Nothing
is touched before the first save.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock

from oi_daemon import files
from oi_daemon.errors import DiskError
from oi_daemon.history import journal, naming
from oi_daemon.history.catalog import Catalog, ConversationPage, PassedOver
from oi_daemon.history.conversation_file import ConversationFile, Merge
from oi_daemon.history.folder import ConversationFolder
from oi_daemon.history.indexer import Change, Indexer
from oi_daemon.history.pictures import collector
from oi_daemon.history.recovery import recover
from oi_daemon.history.resolver import Resolver
from oi_daemon.history.summary import first_words
from oi_daemon.messages import Message

logger = logging.getLogger(__name__)


class History:
    """The conversations of one folder.

    Several processes may share it. A save replaces a file only in the state in which this process
    last read or wrote it. If another program has changed it since, or it never was this
    conversation's, the messages go to a new file with an id of its own, and both are kept. From
    then on this process means the new file by the conversation's id; others know it by its own.

    All methods block on the disk, so an event loop calls them in threads. Any number of threads
    may be at work; for one conversation, they wait for each other.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._folder = ConversationFolder(folder)
        self._indexer = Indexer(self._folder)
        self._resolver = Resolver(self._folder, self._indexer)
        self._catalog = Catalog(self._folder, self._indexer, self._resolver)
        self._files: dict[str, ConversationFile] = {}
        """The conversations that this process has read or saved, by their ids."""
        self._locks: defaultdict[str, RLock] = defaultdict(RLock)
        """Conversation id -> held by the thread that works with the conversation."""
        self._is_prepared = False

    def save(
        self,
        conversation: str,
        messages: Sequence[Message],
        *,
        filename: str | None = None,
        merge: Merge = "now",
    ) -> Path | None:
        """Keep all messages of a conversation; return when they survive a loss of power.

        Returns:
            The JSON file; None if the conversation is new and there is nothing to keep.

        Args:
            filename: the user's choice of a name (`conversation_filename`). Without one, the name
                is made of the first words and the time, once.
            merge: when the messages come into the JSON file. A large file is left for `merge`.

        Raises:
            InvalidError: the id or the file name cannot be used.
            OIError: the messages cannot be written. What was saved before is still there.
        """
        chosen = None if filename is None else naming.chosen_name(filename)
        with self._locks[conversation]:
            file = self._files.get(conversation)
            if file is None:
                naming.encode_id(conversation)
            if not messages and self.path_of(conversation) is None:
                return None
            try:
                self._prepare()
                if file is None or chosen not in (None, file.asked):
                    file = self._new_file(conversation, messages, chosen)
                try:
                    file.save(messages, merge=merge)
                finally:
                    if file.is_known:
                        self._files[conversation] = file
            except OSError as error:
                raise _unusable(self.folder, error) from error
            return file.path

    def merge(self, conversation: str) -> None:
        """Bring what waits in a conversation's journal into its JSON file.

        Raises:
            OIError: the file cannot be written. Nothing is lost: the journal stays.
        """
        with self._locks[conversation]:
            try:
                if file := self._files.get(conversation):
                    file.merge()
            except OSError as error:
                raise _unusable(self.folder, error) from error

    def needs_merge(self, conversation: str) -> bool:
        """Whether messages wait in the conversation's journal."""
        file = self._files.get(conversation)
        return file is not None and file.needs_merge

    def holds(self, conversation: str, messages: Sequence[Message]) -> bool:
        """Whether these messages, and no others, are saved for a conversation by this process.

        They survive a loss of power then, in the JSON file or the journal.
        """
        file = self._files.get(conversation)
        return file is not None and file.holds(messages)

    def take_notices(self, conversation: str) -> list[str]:
        """Return the notices about where the conversation is kept that were not shown yet."""
        file = self._files.get(conversation)
        if file is None:
            return []
        notices, file.notices = file.notices, []
        return notices

    def load(self, conversation: str) -> list[Message] | None:
        """A conversation's messages; None if there is no such conversation.

        Raises:
            InvalidError: its file holds no messages, and later saves leave it as it is; or the id
                is one that could not be saved.
            OIError: the folder or the file cannot be read now.
        """
        with self._locks[conversation]:
            file = self._files.get(conversation)
            if file is None or not file.is_at_work:
                path = self.path_of(conversation)
                if path is None:
                    naming.encode_id(conversation)
                    return None
                notices = file.notices if file else []
                file = self._file(conversation, path.name)
                try:
                    file.read()
                except OSError as error:
                    raise _unusable(Path(error.filename or path), error) from error
                file.notices += notices
                self._files[conversation] = file
            return [*file.messages]

    def with_pictures(self, messages: Sequence[Message]) -> "list[Message]":
        """These messages, which may come from a conversation's file, with their displays put back.

        A file refers to the pictures that are kept beside it.

        Raises:
            OIError: a picture cannot be read now.
        """
        try:
            return [self._folder.pictures.put_back(message) for message in messages]
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def path_of(self, conversation: str) -> Path | None:
        """The JSON file of a conversation, if there is one.

        Raises:
            OIError: the folder cannot be read.
        """
        file = self._files.get(conversation)
        try:
            if file is not None and files.state(file.path):
                return file.path
            return self._resolver.path_of(conversation, self._ours())
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def delete(self, conversation: str) -> bool:
        """Remove a conversation's files; False if there is none. See also `sweep_pictures`.

        Raises:
            OIError: they cannot be removed.
        """
        with self._locks[conversation]:
            path = self.path_of(conversation)
            file = self._files.pop(conversation, None)
            if path is None:
                return False
            file = file or self._file(conversation, path.name)
            try:
                file.discard()
                with self._folder.lock():
                    before = self._folder.mtime()
                    files.remove(path)
                    self._indexer.note(Change(before, self._folder.mtime(), path.name))
                files.flush_folder(self.folder)
            except OSError as error:
                raise _unusable(path, error) from error
            return True

    def clear(self, conversation: str) -> None:
        """Remove the files of a conversation that holds no messages any more.

        If another program has changed the conversation, its file stays, and a notice says so.

        Raises:
            OIError: they cannot be removed.
        """
        with self._locks[conversation]:
            file = self._files.get(conversation)
            try:
                if file is not None and file.is_ours():
                    self.delete(conversation)
                elif file is not None:
                    file.notices.append(_CHANGED.format(file.path))
            except OSError as error:
                raise _unusable(self.folder, error) from error

    def set_aside(self, conversation: str) -> str | None:
        """Let a conversation begin anew: what is kept of it stays, under an id of its own.

        Returns that id; None if nothing is kept of it.

        Raises:
            OIError: its file cannot be written or renamed.
        """
        with self._locks[conversation]:
            self.merge(conversation)
            path = self.path_of(conversation)
            file = self._files.pop(conversation, None)
            if path is None:
                return None
            id = naming.new_id()
            try:
                is_ours = file is not None and file.is_ours()
                if file is not None:
                    file.release()
                if naming.holds_id(path.name):
                    other = naming.with_id(path.name, id)
                else:  # a name that was chosen is for what comes now
                    other = naming.name_for(id, naming.stem(path.name))
                files.move(path, path.with_name(other))
                files.flush_folder(self.folder)
                if not is_ours:
                    self._folder.note_fork(path.name, other)
            except OSError as error:
                raise _unusable(path, error) from error
            return id

    def list(
        self, limit: int = 50, cursor: str | None = None, query: str | None = None
    ) -> ConversationPage:
        """Conversations, `limit` (at least 1) at a time: the newest first, or the best matches.

        Files that hold no messages are passed over.

        Args:
            cursor: that of the page before. It stays good while conversations come and go.
            query: only conversations that hold all of these words, or words that begin with them
                or have the same stem, anywhere and in any case.

        Raises:
            InvalidError: that is no cursor.
            OIError: the folder cannot be read.
        """
        try:
            ours = self._ours()
            self._merge_small()
            self._recover()
            return self._catalog.page(ours, limit, cursor, query)
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def passed_over(self) -> Sequence[PassedOver]:
        """The newest files that `list` leaves out, and why.

        Raises:
            OIError: the folder cannot be read.
        """
        try:
            return self._catalog.passed_over()
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def settle(self) -> None:
        """Do what can wait until after a save: tell the index of it."""
        self._indexer.settle()

    def sweep_pictures(self) -> None:
        """Remove the pictures that no conversation uses any more.

        Raises:
            OIError: one cannot be removed.
        """
        if not self._folder.pictures.exist():
            return
        try:
            self._catalog.pictures()  # the first time this reads all files: not under the lock
            with self._folder.lock():
                used = self._catalog.pictures()
                for path in self._folder.journal_paths():
                    journal.read(path, collector(used))
                self._folder.pictures.remove_all_but(used)
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def close(self) -> None:
        """Bring all messages into the JSON files, and leave nothing that only helps to save."""
        for conversation in [*self._files]:
            with self._locks[conversation]:
                try:
                    self._files[conversation].merge()
                    self._files[conversation].release()
                except OSError as error:
                    logger.warning("A conversation stays in its journal. %s", error)
        if self._is_prepared:
            self._change(self._folder.tidy)
            self._indexer.settle()
        self._indexer.close()

    def _prepare(self) -> None:
        if self._folder.is_prepared:
            self._folder.prepare()
        else:
            self._change(self._folder.prepare)
        if not self._is_prepared:
            self._is_prepared = True
            self._recover()

    def _change(self, work: Callable[[], None]) -> None:
        """Do some work that changes the folder but no conversation, and let the index know that."""
        with self._folder.lock():
            before = self._folder.mtime()
            work()
            self._indexer.note(Change(before, self._folder.mtime()))

    def _merge_small(self) -> None:
        """Merge the journals of small conversations, so that the list knows their messages.

        One that is being saved is passed over. A failure is told by the next save.
        """
        for conversation, file in self._files.copy().items():
            lock = self._locks[conversation]
            if file.needs_merge and not file.is_large and lock.acquire(blocking=False):
                try:
                    with suppress(OSError):
                        file.merge()
                finally:
                    lock.release()

    def _recover(self) -> None:
        ours = {file.journal_path for file in self._files.copy().values()}
        recover(self._folder, self._indexer.note, ours)

    def _new_file(
        self, conversation: str, messages: Sequence[Message], chosen: str | None
    ) -> ConversationFile:
        """Return a new file for a conversation that has none, or that is to be in another one."""
        name = chosen
        if name is None:
            path = self.path_of(conversation)
            name = path.name if path else naming.name_for(conversation, first_words(messages))
        if before := self._files.get(conversation):
            before.release()
        return self._file(conversation, name)

    def _file(self, conversation: str, name: str) -> ConversationFile:
        return ConversationFile(self._folder, self._indexer.note, conversation, name)

    def _ours(self) -> dict[str, str]:
        """The name of the file in which this process keeps a conversation, by its id."""
        return {conversation: file.path.name for conversation, file in self._files.copy().items()}


_CHANGED = (
    "Another program has changed this conversation in the meantime. What it has saved stays in {}."
)


def _unusable(path: Path, error: OSError) -> DiskError:
    return DiskError(
        f"The history cannot use {path}: {error.strerror}. Set conversation_history_path to"
        " another folder, or conversation_history to false."
    )
