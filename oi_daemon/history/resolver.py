"""Which file a conversation's id means, and by which id a file's conversation can be opened.

A file's name holds the id of its conversation. If the user chose the name, `chosen_names` holds the
id; without an entry there, it is the name's stem. Where several files have one id, it means the
file in which this process keeps the conversation, else the one whose name the user chose, else the
newest. The id of the others is their stem.
"""

import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from oi_daemon import files
from oi_daemon.history import chosen_names, document, naming
from oi_daemon.history.folder import ConversationFolder
from oi_daemon.history.index import IndexRow
from oi_daemon.history.indexer import Indexer

logger = logging.getLogger(__name__)


class Resolver:
    """Finds the file of an id, and the id of a file, in one folder. It blocks on the disk.

    `ours` is, in all methods, the name of the file in which this process keeps a conversation, by
    the conversation's id.
    """

    def __init__(self, folder: ConversationFolder, indexer: Indexer) -> None:
        self._folder = folder
        self._indexer = indexer

    def path_of(self, conversation: str, ours: Mapping[str, str]) -> Path | None:
        """The file that an id means; None if no file has it.

        The file of this process is not looked for: `ours` names it.

        Raises:
            OSError: the folder cannot be read.
        """
        paths = [self._folder.path / name for name in self._names_of(conversation, ours)]
        return max(paths, key=_mtime, default=None)

    def ids_of(self, rows: Iterable[IndexRow], ours: Mapping[str, str]) -> list[str]:
        """For each of these rows, the id by which the file's conversation can be opened."""
        ids = chosen_names.ids_in(self._folder.path)
        names = {conversation: name for name, conversation in ids.items()}
        names |= ours
        ids |= {name: conversation for conversation, name in ours.items()}
        return [self._id_of(row, ids, names) for row in rows]

    def _names_of(self, conversation: str, ours: Mapping[str, str]) -> Sequence[str]:
        """Names of the files that the id may mean; of several, it means the newest."""
        chosen = chosen_names.ids_in(self._folder.path)
        found = [name for name, id in chosen.items() if id == conversation]
        found = [name for name in found if files.state(self._folder.path / name)]
        if found:
            return found
        chosen = {name: id for name, id in chosen.items() if ours.get(id, name) == name}
        names = self._names_in_index(conversation)
        if names is None:
            ends = naming.endings(conversation)
            names = [entry.name for entry in self._folder.conversations(ends)]
        others = [name for name in names if name not in chosen]
        found = [name for name in others if naming.id_in(name) == conversation]
        return found or [name for name in others if naming.stem(name) == conversation]

    def _names_in_index(self, conversation: str) -> list[str] | None:
        """Names of the files whose name holds this id, or has it as its stem; newest first.

        None if the index cannot tell, because the folder was changed by others or was never listed.
        """
        try:
            if not self._indexer.index.exists or not self._indexer.catch_up():
                return None
            return self._indexer.index.by_conversation(conversation)
        except sqlite3.Error as error:
            logger.info("The index of the conversations does not answer: %s", error)
            return None

    def _id_of(self, row: IndexRow, ids: Mapping[str, str], names: Mapping[str, str]) -> str:
        """The id by which a file's conversation can be opened.

        Args:
            ids: file name -> id, of the files whose name does not hold their id.
            names: id -> name of the file that it means, if that file is still there.
        """
        conversation = ids.get(row.name, row.conversation)
        meant = names.get(conversation)
        if meant is None or (meant != row.name and not files.state(self._folder.path / meant)):
            is_meant = self._indexer.index.is_newest(row)
        else:
            is_meant = meant == row.name
        return conversation if is_meant else naming.stem(row.name)


def _mtime(path: Path) -> int:
    stamp = document.stamp_of(path)
    return stamp.mtime_ns if stamp else 0
