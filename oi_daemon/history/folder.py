"""The folder of conversations, what it holds beside them, and its lock."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from oi_daemon import files
from oi_daemon.history import chosen_names, naming
from oi_daemon.history.pictures import Pictures
from oi_daemon.settings.paths import history_cache_path


class ConversationFolder:
    """A folder of conversations: one JSON file each.

    `.journal` in it holds journals, drafts and notes of forks, and is there only while a daemon
    is at work; `pictures` holds large displays. Locks and the index are in the user's cache.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journals = path / ".journal"
        self.pictures = Pictures(path / "pictures")
        key = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        self._cache = history_cache_path() / key
        self._is_swept = False

    @property
    def index_path(self) -> Path:
        return self._cache.with_suffix(".sqlite3")

    def lock(self) -> AbstractContextManager[None]:
        """Hold the folder against other processes and threads, for a change of its files."""
        return files.locked(self._cache.with_suffix(".lock"))

    @property
    def is_prepared(self) -> bool:
        """Whether `prepare` has nothing to make."""
        return files.state(self.journals) is not None

    def prepare(self) -> None:
        """Make what is missing, and remove what killed processes have left.

        Raises:
            OSError: a folder cannot be made.
        """
        files.make_private(self.journals, durable=True)
        if not self._is_swept:
            found = files.entries(self.journals)
            files.sweep(self.journals / each.name for each in found if files.is_draft(each.name))
            self._is_swept = True

    def tidy(self) -> None:
        """Remove the folder of journals if nothing is in it any more."""
        files.remove_folder(self.journals)

    def conversations(self, endings: tuple[str, ...] = (".json",)) -> Iterator["os.DirEntry[str]"]:
        """The files of conversations whose names have one of these endings.

        Raises:
            OSError: the folder cannot be read.
        """
        for entry in files.entries(self.path):
            name = entry.name
            if name.endswith(endings) and naming.is_text(name) and entry.is_file():
                yield entry

    def mtime(self) -> int | None:
        """When a name in the folder has changed last; None if that cannot be found out."""
        try:
            found = files.state(self.path)
        except OSError:
            return None
        return found and found.st_mtime_ns

    def journal_of(self, file: str) -> Path:
        """The journal of the conversation in a file of this name."""
        return self.journals / f"{_key(file)}{_JOURNAL}"

    def journal_paths(self) -> list[Path]:
        """All journals that there are, of any process."""
        names = (entry.name for entry in files.entries(self.journals))
        return [self.journals / name for name in names if name.endswith(_JOURNAL)]

    def id_of(self, file: str) -> str:
        """The id of the conversation in a file of this name."""
        return chosen_names.ids_in(self.path).get(file) or naming.id_in(file)

    def note_fork(self, file: str, copy: str) -> None:
        """Leave a note for the program that has this file: its conversation has a copy now.

        Raises:
            OSError: it cannot be written.
        """
        note = self.journals / f"{_key(file)}-{naming.new_id()}{_FORK}"
        files.write_private(note, copy.encode())

    def take_forks(self, file: str) -> list[Path]:
        """The copies of this file that notes tell of; the notes are removed.

        Raises:
            OSError: a note cannot be read or removed.
        """
        start = f"{_key(file)}-"
        copies = []
        for entry in [*files.entries(self.journals)]:
            if entry.name.startswith(start) and entry.name.endswith(_FORK):
                note = self.journals / entry.name
                copies.append(self.path / files.read(note)[0].decode())
                files.remove(note)
        return copies


_JOURNAL = ".jsonl"
_FORK = ".fork"


def _key(file: str) -> str:
    """Return a short text for a file's name, for use in other names, which could get too long."""
    return hashlib.sha256(file.encode(errors="surrogatepass")).hexdigest()[:24]
