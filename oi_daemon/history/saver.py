"""Saves one conversation off the event loop, and tries again what has failed."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, TypeVar, get_args

from oi_daemon.errors import OIError
from oi_daemon.history.conversation_file import Merge
from oi_daemon.history.store import History
from oi_daemon.messages import Message

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_MERGES: tuple[Merge, ...] = get_args(Merge)
"""From the one that leaves nothing to do to the one that leaves most."""

_THREADS = 8
"""Threads for all conversations. They wait for the disk, and hardly use the processor."""

_PATIENCE = 10.0
"""Seconds that a turn waits for the disk. Then it goes on, and a notice says so."""

_INTERRUPTED_PATIENCE = 0.3
"""Seconds that an interrupted turn waits for the disk before it ends."""

_FIRST_DELAY, _LAST_DELAY = 1.0, 60.0
"""Seconds between tries to save, at first and at most; each delay is twice the one before."""

_MERGE_AFTER = 2.0
"""Seconds without a save after which the journal is merged into the JSON file."""


async def in_thread(work: Callable[[], _T]) -> _T:
    """Run some work with the disk in one of the history's own threads."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), work)


def in_background(work: Callable[[], object]) -> None:
    """Run some work with the disk in such a thread, without waiting for it. A failure is logged."""

    def logged() -> None:
        try:
            work()
        except Exception as error:
            logger.warning("The history could not be tidied up: %s", error)

    _pool().submit(logged)


@dataclass(frozen=True, slots=True)
class _State:
    """A state of the conversation to be saved. The fields are the arguments of `History.save`."""

    history: History
    messages: tuple[Message, ...]
    filename: str | None
    merge: Merge
    is_kept: bool = False
    """True if the messages are saved, and only the journal has to be merged into the JSON file."""

    def save(self, conversation: str) -> None:
        """Save this state. Without messages, the conversation's file is removed."""
        if self.is_kept:
            self.history.merge(conversation)
        elif self.messages:
            self.history.save(conversation, self.messages, filename=self.filename, merge=self.merge)
        else:
            self.history.clear(conversation)

    def is_on_disk(self, conversation: str) -> bool:
        """Whether all messages are in the JSON file or the journal, although a save has failed."""
        return self.is_kept or self.history.holds(conversation, self.messages)

    def includes(self, other: "_State") -> bool:
        """Whether nothing is left to do for the other state once this one is saved."""
        place = (self.history, self.filename) == (other.history, other.filename)
        return (
            place
            and self.messages == other.messages
            and _MERGES.index(self.merge) <= _MERGES.index(other.merge)
        )


class Saver:
    """Saves one conversation, always its latest state, one save at a time."""

    def __init__(self, conversation: str) -> None:
        self._conversation = conversation
        self._wanted: _State | None = None
        """The state that the next save is to save."""
        self._unsaved: _State | None = None
        """The state that the last save could not save."""
        self._saved: _State | None = None
        """The state that the last good save has saved."""
        self._worker: asyncio.Task[None] | None = None
        self._attempt: asyncio.Future[None] | None = None
        """Future that is done when the next save has ended; None if nothing waits for it."""
        self._interrupted = asyncio.Event()
        """Set from `interrupt` to `end_interrupt`: no turn waits long for the disk then."""
        self._unsaved_problem: str | None = None
        """Why the latest state is neither in the JSON file nor the journal; None if it is."""
        self._unmerged_problem: str | None = None
        """Why messages wait in the journal: a save of the JSON file has failed. None if none did.

        Only a save of that file ends this; messages that go to the journal do not.
        """
        self._announced: str | None = None
        """The problem that `take_notices` returned last; None if there is no problem since."""
        self._delay = _FIRST_DELAY
        self._timer: asyncio.TimerHandle | None = None
        """Timer that starts the next try to save, or the merge of the journal."""

    @property
    def problem(self) -> str | None:
        """Why the latest state of the conversation is not saved, for a person; None if it is."""
        return self._unsaved_problem or self._unmerged_problem

    def assume_saved(
        self, history: History, messages: Sequence[Message], filename: str | None
    ) -> None:
        """Treat these messages as saved, because they were loaded from the disk."""
        self._saved = _State(history, tuple(messages), filename, "now")

    def start(
        self, history: History, messages: Sequence[Message], filename: str | None, merge: Merge
    ) -> asyncio.Future[None] | None:
        """Begin to save the conversation; the arguments are those of `History.save`.

        Without any message, the conversation's file is deleted, unless another program changed it.

        Returns:
            A future for `wait`; None if that is saved already.
        """
        state = _State(history, tuple(messages), filename, merge)
        if self._is_saved(state):
            return None
        self._cancel_timer()
        self._unsaved = None
        if self._attempt is None:
            self._attempt = asyncio.get_running_loop().create_future()
        attempt = self._attempt
        self._save(state)
        return attempt

    async def wait(self, attempt: asyncio.Future[None]) -> None:
        """Return when what was started survives a loss of power, or could not be saved.

        `problem` then says so, and it is tried again later. An interrupted turn does not wait
        long, and no turn does if the disk hangs.
        """
        if self._unsaved_problem == _SLOW:
            return
        interrupt = asyncio.ensure_future(self._interrupted.wait())
        either: list[asyncio.Future[Any]] = [attempt, interrupt]
        try:
            await asyncio.wait(either, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            interrupt.cancel()
        if not attempt.done():
            await asyncio.wait({attempt}, timeout=_INTERRUPTED_PATIENCE)
        if not attempt.done():
            self._unsaved_problem = _SLOW

    def interrupt(self) -> None:
        """Do not let the turn wait for the disk much longer, until `end_interrupt`."""
        self._interrupted.set()

    def end_interrupt(self) -> None:
        """Wait for the disk with the usual patience again."""
        self._interrupted.clear()

    def take_notices(self) -> list[str]:
        """Return the notices about the saves that the person has not seen yet."""
        notices = []
        if self.problem != self._announced:
            notices.append(self.problem or _SAVED_AGAIN)
            self._announced = self.problem
        state = self._wanted or self._unsaved or self._saved
        if state is not None:
            notices += state.history.take_notices(self._conversation)
        return notices

    def give_up(self) -> None:
        """Do not try again to save what could not be saved, and forget the problems."""
        self._cancel_timer()
        self._wanted = self._unsaved = None
        self._unsaved_problem = self._unmerged_problem = self._announced = None

    async def forget(self) -> None:
        """Wait for the save that runs, and do not try again; then treat nothing as saved."""
        self.give_up()
        await self._idle()
        self.give_up()
        self._saved = None

    async def close(self) -> None:
        """Wait for the save that runs, and try once more to save what could not be saved."""
        await self._idle()
        if self._unsaved is not None:
            self._try_again()
            await self._idle()
        self._cancel_timer()

    def _is_saved(self, state: _State) -> bool:
        """Return whether this state is saved already, and no save runs or waits."""
        if self._wanted or self._unsaved or self._worker:
            return False
        if self._saved is None:
            return not state.messages
        return self._saved.includes(state)

    async def _idle(self) -> None:
        """Wait until no save runs, and stop the timer, so that none begins by itself."""
        self._cancel_timer()
        if self._worker is not None:
            await asyncio.wait({self._worker})

    def _save(self, state: _State) -> None:
        """Save this state next, in place of another one that waits to be saved."""
        self._wanted = state
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Save until the latest state is saved, or a save has failed."""
        while self._wanted is not None:
            state, self._wanted = self._wanted, None
            attempt, self._attempt = self._attempt, None
            try:
                await in_thread(partial(state.save, self._conversation))
            except Exception as error:
                self._failed(state, error)
            else:
                self._succeeded(state)
            if attempt is not None:
                attempt.set_result(None)
        if self._attempt is not None:  # what it was to save was given up meanwhile
            self._attempt.set_result(None)
            self._attempt = None
        self._worker = None

    def _succeeded(self, state: _State) -> None:
        """Update the problems after a save, and start the timer of the merge if it is needed."""
        self._saved = state
        if self._wanted is None:
            self._unsaved_problem = None
        needs_merge = state.history.needs_merge(self._conversation)
        if not needs_merge:
            self._unmerged_problem, self._delay = None, _FIRST_DELAY
            in_background(state.history.settle)
        if state.merge != "later" and self._wanted is None and needs_merge:
            merge = replace(state, merge="now", is_kept=True)
            self._start_timer(_MERGE_AFTER, partial(self._save, merge))

    def _failed(self, state: _State, error: Exception) -> None:
        """Log a failed save, set the problem that it is, and start the timer of the next try."""
        if isinstance(error, OIError):
            logger.warning("A conversation was not saved. %s", error)
            why = str(error)
        else:
            logger.error("A conversation was not saved", exc_info=error)
            why = "The log has the details."
        if not state.is_on_disk(self._conversation):
            self._unsaved_problem = _NOT_SAVED.format(why)
        else:
            self._unsaved_problem = None
            if state.history.needs_merge(self._conversation):
                self._unmerged_problem = _NOT_MERGED.format(why)
        if self._wanted is None:
            self._unsaved = state
            self._start_timer(self._delay, self._try_again)
            self._delay = min(2 * self._delay, _LAST_DELAY)

    def _try_again(self) -> None:
        """Save the state that the last save could not save, if there is one."""
        state, self._unsaved = self._unsaved, None
        if state is not None:
            self._save(state)

    def _start_timer(self, delay: float, work: Callable[[], None]) -> None:
        """Call `work` after `delay` seconds, in place of what the timer was to call before."""
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(delay, work)

    def _cancel_timer(self) -> None:
        """Stop the timer. Does nothing if none runs."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None


@cache
def _pool() -> ThreadPoolExecutor:
    """Return the history's own threads: a disk that hangs must not block the threads of others."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="history")


_NOT_SAVED = "What was said last is not saved. {} It is tried again until it succeeds."
_NOT_MERGED = (
    "What was said last is saved beside the conversation's file, but not in it. {} It is tried"
    " again until it succeeds."
)
_SLOW = "What was said last is not saved yet, because the disk does not answer."
_SAVED_AGAIN = "The conversation is saved again."
