"""Brings the messages that killed processes have left in journals into JSON files."""

import logging
from collections.abc import Callable, Container
from pathlib import Path

from oi_daemon import files
from oi_daemon.errors import InvalidError
from oi_daemon.history import journal, naming
from oi_daemon.history.conversation_file import ConversationFile
from oi_daemon.history.folder import ConversationFolder
from oi_daemon.history.indexer import Change
from oi_daemon.history.journal import Journal, JournalContent
from oi_daemon.history.summary import first_words
from oi_daemon.messages import Message

logger = logging.getLogger(__name__)


def recover(
    folder: ConversationFolder, note: Callable[[Change], None], ours: Container[Path]
) -> None:
    """Bring the messages of all journals whose writing processes have ended into JSON files.

    Args:
        note: called with each change of a JSON file.
        ours: journals of this process, which are left as they are.
    """
    for path in folder.journal_paths():
        if path in ours:
            continue
        try:
            _recover(folder, note, path)
        except (OSError, InvalidError) as error:
            logger.warning("%s cannot be brought into its conversation: %s", path, error)


def _recover(folder: ConversationFolder, note: Callable[[Change], None], path: Path) -> None:
    """Bring the messages of one journal into its JSON file, or into a file of their own.

    Nothing happens if another process still writes the journal.
    """
    waiting = journal.read(path, folder.pictures.attach)
    if waiting is None or not waiting.messages or path != folder.journal_of(waiting.file):
        return Journal(path, "").discard(older_than=_OLD)
    conversation = folder.id_of(waiting.file)
    file = ConversationFile(folder, note, conversation, waiting.file)
    there: tuple[Message, ...] = ()
    if files.state(file.path) is not None:
        try:
            if file.read():
                if file.claim():
                    file.merge()
                    file.release()
                return
            there = file.messages[: waiting.count]
        except InvalidError as error:
            logger.warning("%s", error)
    _save_separately(folder, note, file, waiting, there)


def _save_separately(
    folder: ConversationFolder,
    note: Callable[[Change], None],
    file: ConversationFile,
    waiting: JournalContent,
    there: tuple[Message, ...],
) -> None:
    """Save the journal's messages in a new file, because the JSON file was removed or changed.

    Args:
        there: messages of the JSON file that come before the journal's.
    """
    log = Journal(file.journal_path, waiting.file)
    log.expect(waiting)
    if not log.open():
        return
    messages = [*there, *waiting.messages]
    name = waiting.file
    if files.state(file.path) is not None:
        name = naming.name_for(naming.new_id(), first_words(messages))
    copy = ConversationFile(folder, note, naming.id_in(name), name)
    copy.save(messages, merge="now")
    if name != waiting.file:
        folder.note_fork(waiting.file, name)
    log.clear()
    log.release()


_OLD = 60.0
"""Seconds since the last write to a journal without messages after which it is removed, because its
process must have been killed."""
