"""Undoes what blocks have changed, and what was undone.

Each path goes back on its own: one that somebody has changed since stays as it is, and is named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from oi_daemon.changes.contents import Contents, NotKeptError
from oi_daemon.changes.journal import ChangeJournal, PathChange, Record
from oi_daemon.changes.restore import has_content, is_in_state, restore
from oi_daemon.changes.state import PathState, decoded, encoded, look, shown
from oi_daemon.changes.tree import Tree

_CHANGED_SINCE = "it was changed since"
_NOT_EMPTY = "it holds other files"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person wants to undo. Nothing of it: the latest turn that is not undone."""

    turn: int | None = None
    block: int | None = None
    path: str | None = None
    """As it is shown, absolute."""
    redo: bool = False
    """Undo the latest undo."""


@dataclass
class UndoPlan:
    """What goes back."""

    turn: int = 0
    chosen: list[tuple[Record, PathChange]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Why a path stays as it is."""
    steps: dict[str, tuple[PathState | None, PathState | None]] = field(default_factory=dict)
    """For each path, what is there now and what will be."""


@dataclass
class Undone:
    """What became of an undo."""

    record: Record | None = None
    refused: dict[str, str] = field(default_factory=dict)
    states: dict[str, PathState] = field(default_factory=dict)
    """The states that were put back."""


def choose(
    records: Sequence[Record], wanted: Wanted, session: str, *, with_undone: bool = False
) -> UndoPlan:
    """Return the changes that are to be undone.

    Args:
        with_undone: also those that are undone already, to show them.
    """
    chosen = [
        (record, change)
        for record in _records(records, wanted, session)
        for change in record.changes
        if (with_undone or not change.is_undone) and _is_at(change, wanted.path)
    ]
    return UndoPlan(chosen[0][0].turn if chosen else 0, chosen)


def _records(records: Sequence[Record], wanted: Wanted, session: str) -> list[Record]:
    """The records that are meant, the oldest first."""
    if wanted.block is not None:
        return [record for record in records if record.number == wanted.block]
    blocks = {record.number for record in records if not record.undoes}
    if wanted.redo:
        undos = [record for record in records if record.undoes and blocks.issuperset(record.undoes)]
        return [*_latest(undos, wanted.path)]
    found = [record for record in records if not record.undoes]
    if wanted.turn is not None:
        return [each for each in found if (each.session, each.turn) == (session, wanted.turn)]
    latest = [*_latest(found, wanted.path)]
    if wanted.path is not None or not latest:
        return latest
    turn = (latest[0].session, latest[0].turn)
    return [record for record in found if (record.session, record.turn) == turn]


def _latest(records: Sequence[Record], path: str | None) -> Iterator[Record]:
    """Yield the latest record that has something to undo at the path, if there is one."""
    for record in reversed(records):
        if any(not change.is_undone and _is_at(change, path) for change in record.changes):
            yield record
            return


def _is_at(change: PathChange, path: str | None) -> bool:
    if path is None:
        return True
    name = shown(decoded(change.path))
    return name == path or name.startswith(f"{path.rstrip('/')}/")


def check(plan: UndoPlan, contents: Contents) -> None:
    """Find out which paths can go back."""
    first, last = dict[str, PathChange](), dict[str, PathChange]()
    for _, change in plan.chosen:
        first.setdefault(change.path, change)
        last[change.path] = change
    for encoded_path, change in first.items():
        path, target = decoded(encoded_path), change.before
        found = look(path)
        if is_in_state(path, target):
            plan.steps[path] = found, target
        elif not is_in_state(path, last[encoded_path].after):
            plan.refused[path] = _CHANGED_SINCE
        elif not _can_be_put_back(path, found, target, contents):
            plan.refused[path] = change.lost or "its content was not kept"
        else:
            plan.steps[path] = found, target


def _can_be_put_back(
    path: str, found: PathState | None, target: PathState | None, contents: Contents
) -> bool:
    if target is None or target.kind != "file":
        return True
    if target.digest and target.digest in contents:
        return True
    return found is not None and has_content(path, found, target)


def undo(
    plan: UndoPlan, record: Record, journal: ChangeJournal, contents: Contents, tree: Tree
) -> Undone:
    """Do what is planned, so that it is finished later if this process is killed."""
    numbers = sorted({each.number for each, _ in plan.chosen})
    undone = Undone(None, dict(plan.refused))
    if not plan.steps:
        return undone
    record.undoes = numbers
    for path, (found, target) in plan.steps.items():
        found, lost = _kept(path, found, contents)
        record.changes.append(PathChange(encoded(path), found, target, lost))
    journal.seen({change.path: change.before for change in record.changes})
    journal.begin(record)
    failed = _restore(record, contents, _other_names(plan, tree))
    undone.refused |= failed
    is_undo = {each.number for each in journal.records if each.undoes}
    done = [(r, c) for r, c in plan.chosen if decoded(c.path) in plan.steps.keys() - failed.keys()]
    _end(record, failed, journal)
    journal.mark(done, is_undone=True)
    if is_undo.issuperset(numbers):
        _mark_redone(done, journal)
    undone.record = record
    undone.states = {
        path: target for path, (_, target) in plan.steps.items() if target and path not in failed
    }
    return undone


def finish(record: Record, journal: ChangeJournal, contents: Contents) -> None:
    """Finish an undo in which a process was killed. What was changed since stays as it is."""
    changed = {path for c in record.changes if _is_others(path := decoded(c.path), c)}
    skipped = [change for change in record.changes if decoded(change.path) in changed]
    record.changes = [change for change in record.changes if change not in skipped]
    numbers, is_undo = record.undoes, {each.number for each in journal.records if each.undoes}
    failed = _restore(record, contents, {})
    paths = {c.path for c in record.changes if decoded(c.path) not in failed}
    done = [
        (each, change)
        for each in journal.records
        if each.number in numbers
        for change in each.changes
        if change.path in paths
    ]
    _end(record, failed, journal)
    journal.mark(done, is_undone=True)
    if is_undo.issuperset(numbers):
        _mark_redone(done, journal)


def _is_others(path: str, change: PathChange) -> bool:
    """Whether somebody has changed a path since an undo of it was cut short.

    Permissions do not count: those of a file with several names change with the first of them.
    """
    found = look(path)
    if found is None or found.kind == "folder":
        return False
    states = [state for state in (change.before, change.after) if state is not None]
    is_same = any(
        has_content(path, found, state) if state.kind == "file" else is_in_state(path, state)
        for state in states
    )
    return not is_same


def _kept(
    path: str, found: PathState | None, contents: Contents
) -> tuple[PathState | None, str | None]:
    """The state that is there now, with its content kept, or why that cannot be kept."""
    if found is None or found.kind != "file":
        return found, None
    try:
        return contents.keep(path, found), None
    except NotKeptError as error:
        return found, str(error)


def _restore(record: Record, contents: Contents, names: dict[int, str]) -> dict[str, str]:
    wanted = {decoded(change.path): change.after for change in record.changes}
    failed = restore(wanted, contents, names)
    return {
        path: _NOT_EMPTY if why == "Directory not empty" else why for path, why in failed.items()
    }


def _other_names(plan: UndoPlan, tree: Tree) -> dict[int, str]:
    """For the files with several names that go back, one that is still there."""
    names = dict[int, str]()
    for _, target in plan.steps.values():
        if target is None or target.kind != "file" or target.links < 2:
            continue
        for path in tree.same_file(target):
            found = None if path in plan.steps else look(path)
            is_same = found is not None and found.inode == target.inode
            if found and is_same and has_content(path, found, target):
                names[target.inode] = path
    return names


def _end(record: Record, failed: dict[str, str], journal: ChangeJournal) -> None:
    record.changes = [
        change
        for change in record.changes
        if decoded(change.path) not in failed and not _is_nothing(change)
    ]
    journal.end(record)


def _is_nothing(change: PathChange) -> bool:
    """Whether nothing becomes of a path, and no other name of its file is concerned."""
    return change.before == change.after and (change.before is None or change.before.links == 1)


def _mark_redone(done: Iterable[tuple[Record, PathChange]], journal: ChangeJournal) -> None:
    """Changes whose undo was undone can be undone again."""
    by_number = {record.number: record for record in journal.records}
    again = [
        (by_number[number], change)
        for record, undone in done
        for number in record.undoes
        if number in by_number
        for change in by_number[number].changes
        if change.path == undone.path
    ]
    journal.mark(again, is_undone=False)
