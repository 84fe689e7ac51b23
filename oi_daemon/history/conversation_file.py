"""One conversation on disk, as this process knows it: its JSON file and its journal."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from oi_daemon import files
from oi_daemon.errors import InvalidError
from oi_daemon.history import chosen_names, document, journal, naming
from oi_daemon.history.document import Shape, Stamp
from oi_daemon.history.folder import ConversationFolder
from oi_daemon.history.indexer import Change
from oi_daemon.history.journal import Journal
from oi_daemon.history.pictures import Picture, detach
from oi_daemon.history.summary import Summary, first_words, title
from oi_daemon.messages import Message, dump

logger = logging.getLogger(__name__)

LARGE = 1 << 20
"""Bytes of a JSON file that is not replaced at the end of a turn, but later by `merge`."""

MOST_WAITING = 100
"""Messages that wait in the journal at most when a turn has ended."""

Merge = Literal["now", "soon", "later"]
"""When the JSON file gets the messages that are saved: before the save returns; by a `merge` that
follows it; or by another save, because the turn goes on."""


class ConversationFile:
    """Reads and saves one conversation. Every method blocks; one runs at a time.

    A save goes to the journal or replaces the JSON file, and returns when what it has written
    survives a loss of power. It touches only files in the state in which this process last read
    or wrote them; where another program was faster, the conversation goes on in a new file.
    """

    def __init__(
        self,
        folder: ConversationFolder,
        note: Callable[[Change], None],
        conversation: str,
        name: str,
    ) -> None:
        """
        Args:
            note: called with each change of a JSON file.
            name: the file name that is asked for.
        """
        self.conversation = conversation
        self.asked = name
        self.path = folder.path / name
        """The JSON file. Named otherwise if the file called `asked` is not this conversation's."""
        self.messages: tuple[Message, ...] = ()
        """What is saved: the messages in the JSON file, and then those in the journal."""
        self.notices: list[str] = []
        """Notices about where the conversation is kept that the person has not seen yet."""
        self._folder = folder
        self._note = note
        self._journal = Journal(folder.journal_of(name), name)
        self._stamp: Stamp | None = None
        """The state in which we last read or wrote the JSON file; None: we never did."""
        self._count = 0
        """Number of messages that are in the JSON file; the others are in the journal."""
        self._end = 0
        """Offset in the JSON file of its last message's end; 0 if the file must be written anew."""
        self._is_durable = False
        """True if the JSON file, as it was written last, survives a loss of power."""

    @property
    def is_known(self) -> bool:
        """Whether this process has read or written the JSON file."""
        return self._stamp is not None

    @property
    def is_at_work(self) -> bool:
        """Whether this process has claimed the journal, so that what it knows is all there is."""
        return self._journal.is_open

    @property
    def journal_path(self) -> Path:
        return self._journal.path

    @property
    def is_large(self) -> bool:
        """Whether the JSON file is not replaced at the end of a turn, but later by `merge`."""
        return self._end > LARGE

    @property
    def needs_merge(self) -> bool:
        """Whether messages wait in the journal to come into the JSON file."""
        return not self._journal.is_empty

    def holds(self, messages: Sequence[Message]) -> bool:
        """Whether these messages, and no others, survive a loss of power."""
        return self._is_durable and self.messages == tuple(messages)

    def read(self) -> bool:
        """Read the JSON file and the journal; False if the journal continues another state of it.

        The journal comes first: if it is emptied meanwhile, the JSON file holds its messages.

        Raises:
            InvalidError: the JSON file holds no messages.
            OSError: a file cannot be read now.
        """
        attach = self._folder.pictures.attach
        waiting = journal.read(self._journal.path, attach)
        messages, self._stamp, self._end = document.read(self.path, attach)
        self._count = len(messages)
        self._is_durable = True
        continues = waiting is None or waiting.continues(messages)
        if waiting is not None and continues:
            messages = waiting.after(messages)
            self._journal.expect(waiting)
        self.messages = tuple(messages)
        return continues

    def save(self, messages: Sequence[Message], *, merge: Merge) -> None:
        """Keep these messages.

        Args:
            merge: see `Merge`. For a large file, `now` is `soon`.

        Raises:
            OSError: they cannot be written. What was saved before is still there.
        """
        messages = tuple(messages)
        same = _same_start(self.messages, messages)
        waiting = len(messages) - self._count
        may_wait = (merge == "soon" or self.is_large) and waiting <= MOST_WAITING
        to_journal = merge == "later" or may_wait
        is_saved = self._is_durable and same == len(messages) == len(self.messages)
        if is_saved and (to_journal or not self.needs_merge):
            pass
        elif self._is_durable and to_journal and self._count <= same < len(messages):
            self._append(messages, same)
        else:
            self._replace(messages)
        self._take_forks()

    def merge(self) -> None:
        """Bring what waits in the journal into the JSON file.

        Raises:
            OSError: it cannot be written. Nothing is lost: the journal stays.
        """
        if self.needs_merge:
            self._replace(self.messages)

    def claim(self) -> bool:
        """Take over what a killed process has left; False if the process is alive.

        Raises:
            OSError: the journal cannot be opened.
        """
        with self._folder.lock():
            return self.is_ours() and self._journal.open()

    def release(self) -> None:
        """Leave the conversation to others; the journal goes if nothing waits in it.

        Raises:
            OSError: the journal cannot be removed.
        """
        self._journal.release()

    def discard(self) -> None:
        """Remove the journal with all that waits in it, unless another process has it.

        Raises:
            OSError: it cannot be removed.
        """
        self._journal.discard()

    def _append(self, messages: tuple[Message, ...], same: int) -> None:
        """Write messages to the journal; replace the JSON file instead where that is not possible.

        Args:
            messages: all messages of the conversation.
            same: how many of them, counted from the first one, are saved already.
        """
        if self._journal.is_open and not self._journal.is_in_place:
            return self._replace(messages)  # the folder was removed
        if not self._journal.is_open and not (self.is_known and self.claim()):
            return self._replace(messages)
        if self._journal.is_damaged:
            same = self._count
        shapes, pictures = _encodable(messages[same:])
        if pictures:
            with self._folder.lock():
                self._folder.pictures.keep(pictures)
                self._write_journal(same, shapes)
        else:
            self._write_journal(same, shapes)
        self.messages = messages

    def _write_journal(self, place: int, shapes: Sequence[Shape]) -> None:
        if self._journal.is_damaged:
            self._journal.rewrite(self._count, shapes)
        else:
            self._journal.append(self._count, place, shapes)

    def _replace(self, messages: tuple[Message, ...]) -> None:
        """Replace the JSON file whole, or make a new one where it is not ours."""
        if _same_start(self.messages, messages) < len(self.messages):
            self.merge()
            self._journal.ensure_empty()
        with files.draft(self._folder.journals) as (descriptor, draft):
            end, pictures = self._write_document(descriptor, messages)
            files.flush(descriptor)
            stamp = Stamp.of(files.state_of(descriptor))
            with self._folder.lock():
                self._folder.pictures.keep(pictures)
                if not self.is_ours():
                    self._fork(messages)
                if not naming.holds_id(self.path.name):
                    chosen_names.remember(self.path, self.conversation)
                before = self._folder.mtime()
                files.move(draft, self.path)
                self._stamp, self._end, self._is_durable = stamp, end, False
                self.messages, self._count = messages, len(messages)
                after = self._folder.mtime()
        summary = Summary(title(messages), len(messages))
        self._note(Change(before, after, self.path.name, stamp, summary))
        files.flush_folder(self._folder.path)
        self._journal.clear()
        self._is_durable = True

    def _write_document(
        self, descriptor: int, messages: Sequence[Message]
    ) -> tuple[int, list[Picture]]:
        """Write a JSON file; return where its last message ends, and the pictures it refers to.

        What the present file holds is copied, so that only new messages are encoded.
        """
        start = document.START
        if self._can_be_copied(messages):
            if files.copy_start(self.path, self._end, descriptor):
                messages = messages[self._count :]
                start = document.BETWEEN if messages else b""
            else:
                files.cut(descriptor, 0)
        shapes, pictures = _encodable(messages)
        data = start + document.BETWEEN.join(map(document.encode_shape, shapes))
        files.write(descriptor, data + document.END)
        return files.state_of(descriptor).st_size - len(document.END), pictures

    def _can_be_copied(self, messages: Sequence[Message]) -> bool:
        """Whether the present JSON file holds the first of these messages, and nothing else."""
        if not self._end or not self._count:
            return False
        same = _same_start(self.messages, messages)
        return same >= self._count and document.stamp_of(self.path) == self._stamp

    def is_ours(self) -> bool:
        """Whether the JSON file and the journal hold what this process knows, or are not there."""
        found = document.stamp_of(self.path)
        if found is None:
            self._end = 0
            return True
        if self._stamp is None:
            return False
        if self._journal.is_foreign():
            return False
        return found == self._stamp or self._adopt()

    def _adopt(self) -> bool:
        """Go on with a JSON file that another program wrote, if it holds the same messages."""
        now = ConversationFile(self._folder, self._note, self.conversation, self.path.name)
        try:
            if not now.read() or now.messages != self.messages:
                return False
        except InvalidError:
            return False
        self._stamp, self._count, self._end = now._stamp, now._count, now._end
        return True

    def _fork(self, messages: Sequence[Message]) -> None:
        """Go on in a new file, because the present one is not ours, and tell both sides."""
        there = self.path
        words = first_words(messages) if naming.holds_id(self.asked) else naming.stem(self.asked)
        self.path = self._folder.path / naming.name_for(naming.new_id(), words)
        self._journal.clear()
        self._journal = Journal(self._folder.journal_of(self.path.name), self.path.name)
        if not self.is_known and self._folder.id_of(there.name) != self.conversation:
            self.notices.append(_TAKEN.format(there=there, here=self.path))
            return
        self.notices.append(_FORKED.format(there=there, here=self.path))
        try:
            self._folder.note_fork(there.name, self.path.name)
        except OSError as error:
            logger.warning(
                "The note about the fork, for the other program, was not written: %s", error
            )

    def _take_forks(self) -> None:
        """Add a notice for each copy that another program has made of the conversation."""
        try:
            copies = self._folder.take_forks(self.path.name)
        except OSError as error:
            logger.warning("The notes of other programs cannot be read: %s", error)
        else:
            texts = [_COPIED.format(copy=copy, here=self.path) for copy in copies]
            self.notices += texts


def _same_start(before: Sequence[Message], now: Sequence[Message]) -> int:
    """Return how many messages at the start of both lists are the same."""
    if before == now[: len(before)]:
        return len(before)
    if before[:-1] == now[: len(before) - 1]:  # the last one has grown
        return len(before) - 1
    pairs = zip(before, now, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), len(now))


def _encodable(messages: Sequence[Message]) -> tuple[list[Shape], list[Picture]]:
    """The messages as they stand in a file, and the pictures that are kept beside it."""
    detached = [detach(dump(message, for_file=True)) for message in messages]
    return [shape for shape, _ in detached], [it for _, found in detached for it in found]


_FORKED = (
    "Another program has changed this conversation in the meantime. What it has saved stays in"
    " {there}; this conversation goes on in {here}."
)
_COPIED = (
    "Another program has gone on with an earlier state of this conversation. What it has saved is"
    " in {copy}; this conversation stays in {here}."
)
_TAKEN = "There is another conversation in {there}, so this one is kept in {here}."
