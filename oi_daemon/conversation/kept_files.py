"""What the blocks of a conversation do to files: seen after each block, and undone at will."""

import asyncio
import hashlib
import logging
import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path

from oi_daemon import files
from oi_daemon.changes import words
from oi_daemon.changes.difference import as_text, unified
from oi_daemon.changes.journal import PathChange, Record
from oi_daemon.changes.keeper import Bounds, Keeper, is_left
from oi_daemon.changes.state import decoded
from oi_daemon.changes.undoing import Undone, Wanted, choose
from oi_daemon.conversation.collaborators import Execution
from oi_daemon.errors import InvalidError
from oi_daemon.execution.sandbox.sandbox import parse_folders
from oi_daemon.messages import ActiveLine, BlockResult, Chunk, EndOfExecution, NoticeChunk
from oi_daemon.settings import Settings
from oi_daemon.settings.paths import kept_files_path, own_folders

logger = logging.getLogger(__name__)

_SESSION = secrets.token_hex(8)
"""Names this process in the records."""
_MEGABYTE = 1 << 20
_MOST_SENT = 200
"""Files that a notice lists."""
_CUT = "There are more than 50,000 files: what is deepest down in the folders is not kept."
_EVERYTHING = (
    "The folder {0} holds the whole system or all homes: what blocks change there is not kept."
)


class FileDifference:
    """What has become of one file, with its text before and after."""

    def __init__(self, block: int, change: words.FileChange) -> None:
        self.block = block
        self.change = change
        self.before: str | None = None
        """None if it was not there, or is no text, or was not kept."""
        self.after: str | None = None
        self.is_text = False
        """Whether both texts are known."""
        self.diff = ""


class KeptFiles:
    """Keeps the files of one conversation, as its settings want it."""

    def __init__(self, id: str, turn: Callable[[], int]) -> None:
        """
        Args:
            turn: returns the number of the turn that runs.
        """
        self._folder = folder_of(id)
        self._turn = turn
        self._keeper: Keeper | None = None
        self._cwd = ""
        self._why_not: str | None = None
        """Why nothing is kept, for a person."""
        self._background: str | None = None
        """The language of a block that runs in the background."""

    async def configure(self, settings: Settings) -> None:
        """Keep files as these settings want it, from now on."""
        bounds = self._bounds(settings)
        if self._keeper is not None and (bounds is None or bounds != self._keeper.bounds):
            await asyncio.to_thread(self._keeper.close)
            self._keeper = None
        if bounds is not None and self._keeper is None:
            self._keeper = Keeper(self._folder, bounds, _SESSION)

    async def prepare(self) -> None:
        """Begin to copy what is there, while the model thinks."""
        if self._keeper is not None:
            asyncio.get_running_loop().run_in_executor(None, self._keeper.prepare)

    def around(self, execution: Execution) -> Execution:
        """The execution, with a notice after each block that has changed files."""
        return execution if self._keeper is None else _Watched(execution, self)

    async def before(self, language: str) -> None:
        """See `Keeper.before`. A failure is logged: it must not keep code from running."""
        if self._keeper is not None:
            begin = partial(self._keeper.before, self._turn(), language, self._background)
            await self._safely(begin)

    async def after(self) -> NoticeChunk | None:
        """Return the notice of what a block has changed, if there is something to say."""
        if self._keeper is None:
            return None
        record = await self._safely(self._keeper.after)
        return self._notice(record) if isinstance(record, Record) else None

    def went_to_background(self, language: str) -> None:
        """Count what changes between blocks as the work of a block in the background."""
        self._background = language

    async def background_ended(self) -> NoticeChunk | None:
        """Return the notice of what a block in the background has changed."""
        language, self._background = self._background, None
        if language is None or self._keeper is None:
            return None
        record = await self._safely(partial(self._keeper.collect, self._turn(), language))
        return self._notice(record) if isinstance(record, Record) else None

    async def records(self) -> list[tuple[Record, list[words.FileChange], int | None]]:
        """All records, the oldest first, with what is visible, and the turn if it is of now."""
        records = await asyncio.to_thread(self._keeper.records) if self._keeper else []
        return [(each, words.visible(each, self._cwd), self._turn_of(each)) for each in records]

    async def differences(self, wanted: Wanted) -> list[FileDifference]:
        """What has become of the files that are wanted; by default, of the latest turn's."""
        keeper = self._keeper
        if keeper is None:
            return []
        records = await asyncio.to_thread(keeper.records)
        wanted = self._absolute(wanted)
        plan = choose(records, wanted, _SESSION, with_undone=wanted.block is not None)
        merged = _merged(plan.chosen)
        return await asyncio.to_thread(lambda: [*filter(None, map(self._difference, merged))])

    async def undo(self, wanted: Wanted) -> Undone:
        """Undo what is wanted; see `Keeper.undo`.

        Raises:
            InvalidError: nothing is kept.
        """
        if self._keeper is None:
            raise InvalidError(self._why_not or "No block has run in this conversation yet.")
        return await asyncio.to_thread(self._keeper.undo, self._absolute(wanted))

    def visible(self, record: Record) -> list[words.FileChange]:
        """What a person sees of a record."""
        return words.visible(record, self._cwd)

    def name(self, path: str) -> str:
        """A path as a person sees it."""
        return words.relative(path, self._cwd)

    @property
    def problem(self) -> str | None:
        """What is wrong with the keeping, for a person; None if all is well."""
        if self._why_not is not None or self._keeper is None:
            return self._why_not
        return self._keeper.problem or (_CUT if self._keeper.is_cut else None)

    async def set_aside(self, id: str | None) -> None:
        """Begin anew. What is kept stays with the messages, which have this id now."""
        await self.close(delete=id is None)
        if id is not None:
            with suppress(OSError):
                await asyncio.to_thread(self._folder.rename, folder_of(id))

    async def close(self, *, delete: bool = False) -> None:
        """Stop. With `delete`, nothing of the conversation's files is kept any more."""
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.close, delete=delete)
            self._keeper = None
        elif delete:
            await asyncio.to_thread(delete_kept, self._folder)

    def _bounds(self, settings: Settings) -> Bounds | None:
        """What is to be kept; None if nothing is."""
        self._why_not = None
        if not settings.keep_files:
            self._why_not = "keep_files is off: what blocks change is not kept."
            return None
        self._cwd = os.path.realpath(settings.cwd or Path.cwd())
        roots: tuple[str, ...] = (self._cwd,)
        if settings.sandbox != "none":
            roots = parse_folders(settings.sandbox_folders, self._cwd)
        home = Path.home().resolve()
        real = dict.fromkeys(map(os.path.realpath, roots))  # a root may be a link to a folder
        kept = tuple(root for root in real if Path(root) not in home.parents)
        if not kept:
            self._why_not = _EVERYTHING.format(self._cwd)
            return None
        named = settings.conversation_history_path
        own = (*own_folders(), *([str(Path(named).expanduser().absolute())] if named else []))
        own = tuple(map(os.path.realpath, own))
        return Bounds(
            roots=kept,
            size=settings.keep_files_size * _MEGABYTE,
            largest=settings.keep_files_largest * _MEGABYTE,
            wait=settings.keep_files_wait,
            ignore=settings.keep_files_ignore,
            never=own,
            is_temporary=not settings.conversation_history,
        )

    def _absolute(self, wanted: Wanted) -> Wanted:
        if wanted.path is None:
            return wanted
        named = Path(os.path.normpath(Path(self._cwd, Path(wanted.path).expanduser())))
        path = str(named.parent.resolve() / named.name)
        return Wanted(turn=wanted.turn, block=wanted.block, path=path, redo=wanted.redo)

    def _turn_of(self, record: Record) -> int | None:
        return record.turn if record.session == _SESSION else None

    def _notice(self, record: Record) -> NoticeChunk | None:
        changes = self.visible(record)
        if not changes:
            return None
        files = [
            {"path": each.path, "change": each.change, "size": each.size}
            for each in changes[:_MOST_SENT]
        ]
        details = {"block": record.number, "files": files}
        return NoticeChunk("files", words.notice(record, changes), details=details)

    def _difference(self, found: tuple[int, PathChange]) -> FileDifference | None:
        block, change = found
        described = words.visible(Record(block, 0, [change]), self._cwd)
        keeper = self._keeper
        if not described or keeper is None:
            return None
        difference = FileDifference(block, described[0])
        path = decoded(change.path)
        before, after = keeper.content(path, change.before), keeper.content(path, change.after)
        old, new = as_text(before), as_text(after)
        if old is not None and new is not None:
            difference.is_text = True
            difference.before = old if change.before else None
            difference.after = new if change.after else None
            difference.diff = unified(
                difference.change.path,
                old,
                new,
                was=change.before is not None,
                is_there=change.after is not None,
            )
        return difference

    async def _safely(self, work: Callable[[], object]) -> object:
        try:
            return await asyncio.to_thread(work)
        except Exception:
            logger.exception("what a block does to files is not kept")
            return None


class _Watched:
    """An execution whose blocks are watched."""

    def __init__(self, execution: Execution, kept: KeptFiles) -> None:
        self._execution = execution
        self._kept = kept
        self._is_interrupted = False
        """True if the block was interrupted before it began."""

    async def run(self, language: str, code: str) -> AsyncGenerator[Chunk, None]:
        """See `Execution.run`; after the end of the block comes a notice."""
        self._is_interrupted, started = False, time.monotonic()
        await self._kept.before(language)
        notice: NoticeChunk | None = None
        try:
            if self._is_interrupted:
                yield ActiveLine(None)
                yield EndOfExecution(BlockResult("interrupted", time.monotonic() - started))
                return
            async with aclosing(self._execution.run(language, code)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            notice = await self._kept.after()
        if notice is not None:
            yield notice

    def interrupt(self) -> None:
        """See `Execution.interrupt`."""
        self._is_interrupted = True
        self._execution.interrupt()


def _merged(chosen: list[tuple[Record, PathChange]]) -> list[tuple[int, PathChange]]:
    """One change for each path, from before the first to after the last, with the last's block."""
    merged = dict[str, tuple[int, PathChange]]()
    for record, change in chosen:
        first = merged.get(change.path)
        before = first[1].before if first else change.before
        merged[change.path] = (
            record.number,
            PathChange(change.path, before, change.after, change.lost, change.is_undone),
        )
    return list(merged.values())


def folder_of(conversation: str) -> Path:
    """The folder in which the files of a conversation are kept."""
    return kept_files_path() / hashlib.sha256(conversation.encode()).hexdigest()[:32]


def delete_kept(folder: Path) -> None:
    """Delete what is kept of a conversation that is not active."""
    if folder.exists():
        Keeper(folder, _NOTHING, _SESSION).close(delete=True)


def finish_left() -> None:
    """Finish what killed processes have left: a block in the middle, an undo in the middle."""
    for entry in files.entries(kept_files_path()):
        if is_left(Path(entry.path)):
            Keeper(Path(entry.path), _NOTHING, _SESSION, patience=0).finish()


_NOTHING = Bounds(roots=(), size=0, largest=0, wait=0, ignore=None)
