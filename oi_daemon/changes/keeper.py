"""Keeps the files of one conversation: before a block what it may change, after it what it has.

A thread copies the contents, the smallest first, while the model thinks, the person reads and the
block runs; only a conversation's first block may wait for it, and not for long.
"""

import heapq
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oi_daemon import files
from oi_daemon.changes import undoing
from oi_daemon.changes.contents import Contents, NotKeptError, free_bytes
from oi_daemon.changes.ignores import Rules
from oi_daemon.changes.journal import ChangeJournal, PathChange, Record
from oi_daemon.changes.restore import has_content
from oi_daemon.changes.state import PathState, decoded, encoded
from oi_daemon.changes.tree import Moves, Tree

logger = logging.getLogger(__name__)

_IN_USE = "in-use"
"""Name of the file that a killed process leaves, so that what it began is finished."""
_NOT_YET = "there was no time to keep it before the block"
_LARGER = "it is larger than keep_files_largest"
_NO_ROOM = "keep_files_size is used up"
_NO_DISK = "the disk is nearly full"
_LEAST_FREE = 1 << 30
"""Bytes that are left free on the disk."""
_MEGABYTE = 1 << 20
_PATIENCE = 2.0
"""Seconds to wait for who finishes what a killed process has left."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What is kept at most, and where."""

    roots: tuple[str, ...]
    """The folders in which files are kept."""
    size: int
    """Bytes of all contents of a conversation."""
    largest: int
    """Bytes of one file."""
    wait: float
    """Seconds for which the first block waits for the copies."""
    ignore: str | None
    """See `Ignores`."""
    never: tuple[str, ...] = ()
    """Paths at and below which nothing is kept: the application's own files."""
    is_temporary: bool = False
    """Whether nothing may stay, because the conversation is not kept on the disk either."""
    most: int = 50_000
    """Paths that are looked after."""


class Keeper:
    """Keeps the files of one conversation. Its methods block, and any thread may call them."""

    def __init__(
        self, folder: Path, bounds: Bounds, session: str, *, patience: float = _PATIENCE
    ) -> None:
        """
        Args:
            folder: where all of it is kept, for this conversation alone.
            session: names this process in the records, because turns are counted anew in each.
            patience: seconds to wait for who finishes what a killed process has left.
        """
        self.bounds = bounds
        self._folder = folder
        self._session = session
        self._patience = patience
        self._lock = threading.Lock()
        """Held while anything but `_contents` is used."""
        self._copied = threading.Condition(self._lock)
        """Notified when all is copied, and when there is something to copy."""
        self._copying = threading.Lock()
        """Held while `_contents` is used. It is taken before `_lock`, never while that is held."""
        self._journal: ChangeJournal | None = None
        self._contents: Contents | None = None
        self._tree = Tree(bounds.roots, Rules(bounds.ignore, bounds.never), bounds.most)
        self._pending: list[tuple[int, str]] = []
        """Paths whose content is to be kept, with their sizes: a heap."""
        self._is_copying = False
        """Whether a content is being copied, which is not in `_pending` any more."""
        self._reasons: dict[str, str] = {}
        """Why the content of a path is not kept."""
        self._learned: dict[str, PathState | None] = {}
        """States that are not in the journal yet."""
        self._was_temporary = False
        """Whether the last process has kept this for a conversation that is not on the disk."""
        self._size_left = 0
        """Bytes of the contents after the last time that room was made."""
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._claim: int | None = None
        self.problem: str | None = None
        """Why nothing is kept; None if all is well."""

    def finish(self) -> None:
        """Finish what a killed process has left here, and stop."""
        with self._lock:
            self._open()
        self.close(delete=self._was_temporary)

    @property
    def is_cut(self) -> bool:
        """Whether there are more paths than are looked after."""
        return self._tree.is_cut

    def prepare(self) -> None:
        """Begin to keep what is there now."""
        with self._lock:
            self._open()

    def before(self, turn: int, language: str, background: str | None = None) -> None:
        """Know what is there before a block runs. Waits for the copies, if they are soon ready.

        Args:
            background: the language of a block in the background, to which all changes until now
                belong.
        """
        deadline = time.monotonic() + self.bounds.wait
        with self._lock:
            if not self._open():
                return
            self._collect(turn, background)
            while (self._pending or self._is_copying) and (left := deadline - time.monotonic()) > 0:
                self._copied.wait(left)
            assert self._journal is not None
            self._note_learned()
            self._journal.begin(Record(self._next(), turn, [], self._session, language))

    def collect(self, turn: int, language: str) -> Record | None:
        """Return what a block in the background has changed since the last look."""
        with self._lock:
            return self._collect(turn, language) if self._open() else None

    def after(self) -> Record | None:
        """Return what the block has changed; None if that is nothing."""
        with self._lock:
            if self._journal is None or self._journal.open is None:
                return None
            record = self._journal.open
            record.changes = self._changes(self._look())
            self._note_learned()
            self._journal.end(record)
            return record if record.changes else None

    def records(self) -> list[Record]:
        """All records, the oldest first."""
        with self._lock:
            self._open()
            return [*self._journal.records] if self._journal else []

    def is_of_session(self, record: Record) -> bool:
        """Whether the number of the record's turn counts in this process."""
        return record.session == self._session

    def undo(self, wanted: undoing.Wanted) -> undoing.Undone:
        """Undo what was asked for; see `undoing`."""
        with self._copying, self._lock:
            if not self._open() or self._journal is None or self._contents is None:
                return undoing.Undone()
            self._look()
            self._note_learned()
            plan = undoing.choose(self._journal.records, wanted, self._session)
            undoing.check(plan, self._contents)
            record = Record(self._next(), plan.turn, [], self._session)
            undone = undoing.undo(plan, record, self._journal, self._contents, self._tree)
            self._look(undone.states)
            self._note_learned()
            return undone

    def content(self, path: str, state: PathState | None) -> bytes | None:
        """What a file held in a state; None if that is not kept and not there any more."""
        if state is None or state.kind != "file":
            return state.target.encode("latin-1") if state and state.target else b""
        with self._copying:
            contents = self._contents
            if state.digest and contents and state.digest in contents:
                try:
                    return contents.read(state.digest)
                except NotKeptError:
                    return None
        try:
            data, found = files.read(Path(path))
        except OSError:
            return None
        is_same = (found.st_size, found.st_mtime_ns) == (state.size, state.modified)
        return data if is_same else None

    def close(self, *, delete: bool = False) -> None:
        """Stop, and keep only what a record needs. With `delete`, keep nothing."""
        with self._lock:
            self._is_closed = True
            self._copied.notify_all()
        if self._thread:
            self._thread.join()
        with self._copying, self._lock:
            self._tree.close()
            if self._journal and self._contents:
                records = [] if delete else self._journal.records
                if records:
                    self._journal.shorten()
                    self._contents.prune(_digests(records))
                self._journal.close()
                self._contents.close()
                if not records:
                    remove_all(self._folder)
            elif delete:
                remove_all(self._folder)
            self._journal = self._contents = None
            if self._claim is not None:
                files.remove(self._folder / _IN_USE)
                files.close(self._claim)
                self._claim = None
                files.remove_folder(self._folder)

    def _open(self) -> bool:
        """Open what is kept, finish what a killed process has left, and look for the first time.

        Returns whether files are kept.
        """
        if self._journal is not None:
            return True
        if self._is_closed or self.problem is not None:
            return False
        try:
            self._claim_folder()
            self._contents = Contents(self._folder / "contents")
            self._journal = ChangeJournal(self._folder / "journal")
        except OSError as error:
            self.problem = f"what blocks change cannot be kept: {error.strerror}."
            return False
        self._finish()
        bounds = self.bounds
        self._was_temporary = self._journal.kept.is_temporary
        self._journal.keep(bounds.roots, bounds.ignore, bounds.never, bounds.is_temporary)
        self._look()
        self._thread = threading.Thread(target=self._copy, name="files", daemon=True)
        self._thread.start()
        return True

    def _claim_folder(self) -> None:
        """Claim the folder for this object. One that finishes what was left is waited for.

        Raises:
            OSError: somebody else has it.
        """
        path, deadline = self._folder / _IN_USE, time.monotonic() + self._patience
        while self._claim is None:
            files.make_private(self._folder)
            claim = files.open_journal(path)
            found = files.state(path) if files.claim(claim) else None
            if found is not None and found.st_ino == files.state_of(claim).st_ino:
                self._claim = claim
                return
            files.close(claim)
            if time.monotonic() > deadline:
                raise OSError(0, "another process does that for this conversation")
            time.sleep(0.01)

    def _finish(self) -> None:
        """Finish the block or the undo in which a process was killed."""
        if self._journal is None or self._contents is None:
            return
        record = self._journal.open
        if record is None:
            return
        if record.undoes:
            undoing.finish(record, self._journal, self._contents)
        else:
            kept, before = self._journal.kept, self._journal.states
            rules = Rules(kept.patterns, tuple(map(decoded, kept.never)))
            tree = Tree([*map(decoded, kept.roots)], rules, self.bounds.most)
            tree.states = {decoded(path): state for path, state in before.items()}
            moves = tree.compare_all()
            record.is_cut_off = True
            record.changes = self._changes(_resolved(moves), tree)
            tree.close()
            self._journal.end(record)

    def _collect(self, turn: int, language: str | None) -> Record | None:
        """Look, and make a record of it if it is a block's work."""
        changes = self._changes(self._look())
        if self._journal is None or not language or not changes:
            return None
        record = Record(self._next(), turn, changes, self._session, language)
        self._note_learned()
        self._journal.end(record)
        return record

    def _next(self) -> int:
        """The number of the next record."""
        records = self._journal.records if self._journal else []
        return records[-1].number + 1 if records else 1

    def _look(self, known: Mapping[str, PathState] | None = None) -> Moves:
        """See what has changed since the last look, and let it be copied.

        Args:
            known: states with digests, of what was just put back.
        """
        moves = self._tree.refresh()
        for path, (before, after) in moves.items():
            if after is not None and after.kind == "file" and after.digest is None:
                after = _with_known_digest(path, (known or {}).get(path) or before, after)
                if after.digest:
                    self._tree.states[path] = after
                    moves[path] = before, after
                else:
                    heapq.heappush(self._pending, (after.size, path))
            self._learned[encoded(path)] = after
        if self._pending:
            self._copied.notify_all()
        return moves

    def _changes(self, moves: Moves, tree: Tree | None = None) -> list[PathChange]:
        """The changes of a block, with all names of the files that have got or lost one."""
        changed = {
            path: (before, after)
            for path, (before, after) in moves.items()
            if before is not after and not (before and after and before.is_same(after))
        }
        states = [state for move in changed.values() for state in move if state and state.links > 1]
        tree = tree or self._tree
        for other in {path for state in states for path in tree.same_file(state)}:
            held = tree.states.get(other)
            changed.setdefault(other, (held, held))
        return [
            PathChange(encoded(path), before, after, self._lost(path, before, after))
            for path, (before, after) in sorted(changed.items())
        ]

    def _lost(self, path: str, before: PathState | None, after: PathState | None) -> str | None:
        """Why what was at a path is not kept; None if it is, or still there."""
        if before is None or before.kind != "file" or before.digest:
            return None
        if after is not None and has_content(path, after, before):
            return None
        return self._reasons.get(path, _NOT_YET)

    def _note_learned(self) -> None:
        if self._journal:
            self._journal.seen(self._learned)
            self._learned = {}

    def _copy(self) -> None:
        """Keep the contents that are not kept yet, until this is closed."""
        while True:
            with self._lock:
                while not self._pending and not self._is_closed:
                    self._note_learned()
                    self._copied.notify_all()
                    self._copied.wait()
                if self._is_closed:
                    return
            try:
                with self._copying:
                    self._copy_next()
            except OSError as error:
                logger.warning("a file was not kept: %s", error)

    def _copy_next(self) -> None:
        with self._lock:
            if not self._pending or self._contents is None:
                return
            _, path = heapq.heappop(self._pending)
            state, contents = self._tree.states.get(path), self._contents
            if state is None or state.kind != "file" or state.digest:
                return
            self._is_copying = True
        kept: PathState | None = None
        try:
            kept = self._kept(path, state, contents)
        except NotKeptError as error:
            self._reasons[path] = str(error)
        finally:
            with self._lock:
                self._is_copying = False
                if kept and self._tree.set_digest(path, kept):
                    self._reasons.pop(path, None)
                    self._learned[encoded(path)] = kept

    def _kept(self, path: str, state: PathState, contents: Contents) -> PathState:
        if state.size > self.bounds.largest:
            raise NotKeptError(_LARGER)
        if contents.size + state.size > self.bounds.size:
            self._make_room(contents)
            if contents.size + state.size > self.bounds.size:
                raise NotKeptError(_NO_ROOM)
        if state.size > _MEGABYTE and free_bytes(self._folder) < _LEAST_FREE + state.size:
            raise NotKeptError(_NO_DISK)
        return contents.keep(path, state)

    def _make_room(self, contents: Contents) -> None:
        """Forget what no record needs and no file holds any more, if much can be among it."""
        if contents.size < self._size_left + self.bounds.size // 5:
            return
        with self._lock:
            records = self._journal.records if self._journal else []
            held = {state.digest for state in self._tree.states.values() if state.digest}
            wanted = _digests(records) | held
        contents.prune(wanted)
        self._size_left = contents.size


def remove_all(folder: Path) -> None:
    """Remove what is kept of a conversation, except for the claim on it."""
    for name in ("contents", "journal"):
        path = folder / name
        if path.is_dir():
            for entry in files.entries(path):
                files.remove(Path(entry.path))
            files.remove_folder(path)
        else:
            files.remove(path)


def _resolved(moves: Moves) -> Moves:
    """The moves; a file that holds what it has held gets the digest of that."""
    return {
        path: (before, after and _with_known_digest(path, before, after))
        for path, (before, after) in moves.items()
    }


def _with_known_digest(path: str, before: PathState | None, after: PathState) -> PathState:
    if before is None or after.kind != "file" or not before.digest:
        return after
    return after.with_digest(before.digest) if has_content(path, after, before) else after


def _digests(records: Sequence[Record]) -> set[str]:
    """The contents that are needed to undo these records."""
    states = (change.before for record in records for change in record.changes)
    return {state.digest for state in states if state and state.digest}


def is_left(folder: Path) -> bool:
    """Whether a process that used this folder was killed."""
    return (folder / _IN_USE).exists()
