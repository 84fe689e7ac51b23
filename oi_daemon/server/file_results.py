"""What the daemon holds of files, as results of the wire's methods."""

from oi_daemon.changes.journal import Record
from oi_daemon.changes.undoing import Undone
from oi_daemon.changes.words import FileChange
from oi_daemon.conversation.kept_files import FileDifference, KeptFiles
from oi_daemon.logs import redact
from oi_daemon.protocol.files import (
    FileBlock,
    FileBlocks,
    FileDiff,
    FileDiffs,
    FileEntry,
    FilesUndone,
    Refusal,
)


async def file_blocks(kept: KeptFiles) -> FileBlocks:
    """Return all that the blocks of a conversation have done to files."""
    found = await kept.records()
    blocks = [_block(record, files, turn) for record, files, turn in found if files]
    return FileBlocks(blocks=blocks, problem=kept.problem)


def file_diffs(differences: list[FileDifference]) -> FileDiffs:
    """Return files before and after."""
    return FileDiffs(
        files=[
            FileDiff(
                block=each.block,
                file=file_entry(each.change),
                before=each.before and redact(each.before),
                after=each.after and redact(each.after),
                text=each.is_text,
                diff=redact(each.diff),
            )
            for each in differences
        ]
    )


def files_undone(kept: KeptFiles, undone: Undone) -> FilesUndone:
    """Return what an undo has done."""
    record = undone.record
    return FilesUndone(
        block=None if record is None else record.number,
        files=[file_entry(each) for each in kept.visible(record)] if record else [],
        refused=[Refusal(path=kept.name(path), why=why) for path, why in undone.refused.items()],
    )


def _block(record: Record, files: list[FileChange], turn: int | None) -> FileBlock:
    return FileBlock(
        block=record.number,
        files=[file_entry(each) for each in files],
        turn=turn,
        language=record.language or None,
        undoes=record.undoes,
        cut_off=record.is_cut_off,
    )


def file_entry(change: FileChange) -> FileEntry:
    """Return what has become of a path."""
    return FileEntry(
        path=change.path,
        change=change.change,
        kind=change.kind,
        size=change.size,
        was=change.was,
        mode=change.mode,
        lost=change.lost,
        undone=change.is_undone,
    )
