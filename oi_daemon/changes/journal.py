"""The records of a conversation: what its blocks have changed, and what was undone.

All that a killed process has known is in the journal: the state of each path before the block, so
that the next process finds what the block has changed, and what an undo was about to do, so that it
is finished.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from oi_daemon import files
from oi_daemon.changes.state import PathState, encoded


class PathChange(msgspec.Struct, array_like=True):
    """What has become of a path."""

    path: str
    """Encoded, see `state.encoded`."""
    before: PathState | None
    after: PathState | None
    lost: str | None = None
    """Why what was there before was not kept; None if it was."""
    is_undone: bool = False


class Record(msgspec.Struct, omit_defaults=True):
    """What a block, or an undo, has changed."""

    number: int
    turn: int
    changes: list[PathChange]
    session: str = ""
    """Of the process in which the turn's number counts."""
    language: str = ""
    """Empty for an undo."""
    undoes: list[int] = []
    """Of an undo, the numbers of the records that it has undone, in part or as a whole."""
    is_cut_off: bool = False
    """Whether the process was killed during the block, so that others' changes may be in it."""


class Seen(msgspec.Struct, tag="seen"):
    """The states of these paths, from now on."""

    states: dict[str, PathState | None]


class Begun(msgspec.Struct, tag="begun"):
    """A block or an undo begins; of an undo, with all that it is going to do."""

    record: Record


class Ended(msgspec.Struct, tag="ended"):
    """It has ended, with these changes."""

    record: Record


class Marked(msgspec.Struct, tag="marked"):
    """Changes of these records are undone, or no longer undone."""

    paths: dict[str, list[str]]
    """The paths by the record's number."""
    is_undone: bool


class Kept(msgspec.Struct, tag="kept", omit_defaults=True):
    """What is kept, from now on."""

    roots: list[str]
    patterns: str | None = None
    never: list[str] = []
    is_temporary: bool = False


Line = Kept | Seen | Begun | Ended | Marked
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


class ChangeJournal:
    """The journal of one conversation. Not safe for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.records: list[Record] = []
        self.states: dict[str, PathState] = {}
        """What was at each path, encoded, when the last process has looked."""
        self.open: Record | None = None
        """The block or undo that has not ended."""
        self.kept = Kept([])
        """What was kept when the block began that has not ended."""
        self._latest: dict[str, PathChange] = {}
        """The latest change of each path, whose state after it may still get its digest."""
        self._descriptor = files.open_journal(path)
        data, _ = files.read(path)
        end = data.rfind(b"\n") + 1
        files.cut(self._descriptor, end)
        for line in data[:end].splitlines():
            try:
                self._apply(_decode(line))
            except msgspec.MsgspecError:
                continue  # of another version

    def keep(
        self,
        roots: Sequence[str],
        patterns: str | None,
        never: Sequence[str],
        is_temporary: bool,
    ) -> None:
        """Note what is kept."""
        names = [*map(encoded, roots)], patterns, [*map(encoded, never)]
        self.kept = Kept(*names, is_temporary)
        self._append(self.kept)

    def seen(self, states: Mapping[str, PathState | None]) -> None:
        """Note the states of paths."""
        if states:
            self._learn(states)
            self._append(Seen(dict(states)))

    def begin(self, record: Record) -> None:
        """Note that a block or an undo begins."""
        self.open = record
        self._append(Begun(record))

    def end(self, record: Record) -> None:
        """Note what it has changed. A record without changes is not kept."""
        self._add(record)
        self._append(Ended(record))

    def mark(self, changes: Iterable[tuple[Record, PathChange]], *, is_undone: bool) -> None:
        """Note that changes are undone, or no longer."""
        paths = dict[str, list[str]]()
        for record, change in changes:
            change.is_undone = is_undone
            paths.setdefault(str(record.number), []).append(change.path)
        self._append(Marked(paths, is_undone))

    def shorten(self) -> None:
        """Keep the records alone."""
        lines = [_encode(Ended(record)) for record in self.records]
        files.write_private(self._path, b"".join(line + b"\n" for line in lines))

    def close(self) -> None:
        files.close(self._descriptor)

    def _add(self, record: Record) -> None:
        self.open = None
        if record.changes:
            self.records.append(record)
            self._latest.update((change.path, change) for change in record.changes)

    def _learn(self, states: Mapping[str, PathState | None]) -> None:
        """Note the digest of what the latest change of a path has left there."""
        for path, state in states.items():
            change = self._latest.get(path)
            after = change and change.after
            if state and state.digest and change and after and after.is_untouched(state):
                change.after = state

    def _append(self, line: Line) -> None:
        files.write(self._descriptor, _encode(line) + b"\n")

    def _apply(self, line: Line) -> None:
        match line:
            case Kept():
                self.kept = line
            case Seen(states):
                self._learn(states)
                self.states.update({path: state for path, state in states.items() if state})
                for path in [path for path, state in states.items() if state is None]:
                    self.states.pop(path, None)
            case Begun(record):
                self.open = record
            case Ended(record):
                self._add(record)
            case Marked():
                self._apply_mark(line)

    def _apply_mark(self, line: Marked) -> None:
        for record in self.records:
            wanted = line.paths.get(str(record.number), ())
            for change in record.changes:
                if change.path in wanted:
                    change.is_undone = line.is_undone
