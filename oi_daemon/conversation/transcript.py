"""The messages of a conversation, in memory and on the disk."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from oi_daemon.conversation.collaborators import Emit
from oi_daemon.history import History, Merge, Saver, in_thread
from oi_daemon.messages import Message, NoticeChunk, UserMessage, with_fields_of_file
from oi_daemon.messages.summaries import is_summary
from oi_daemon.settings import Settings

HistoryFor = Callable[[Settings], History]
"""Returns the history in which a conversation with these settings is kept."""


class Transcript:
    """The messages of one conversation, which are read once and saved as they change."""

    def __init__(self, id: str, settings: Callable[[], Settings], history_for: HistoryFor) -> None:
        """
        Args:
            settings: returns the conversation's present settings.
        """
        self.messages: list[Message] = []
        """The messages of all turns that have ended, and the words that began the present one.
        They are there once `load` has returned."""
        self._id = id
        self._settings = settings
        self._history_for = history_for
        self._saver = Saver(id)
        self._loading = asyncio.Lock()
        """Held while the messages are read from the disk."""
        self._is_loaded = False
        """True once `messages` holds what is on the disk."""

    @property
    def problem(self) -> str | None:
        """Why the latest messages are not saved, for a person; None if they are."""
        return self._saver.problem

    async def load(self) -> None:
        """Read the messages from the disk, unless that was done before.

        Raises:
            InvalidError: the conversation's file holds no messages.
            OIError: the folder of the history cannot be read.
        """
        async with self._loading:
            if not self._is_loaded:
                history = self._history()
                loaded = await in_thread(partial(history.load, self._id)) or []
                self.messages = self.messages or loaded
                filename = self._settings().conversation_filename
                self._saver.assume_saved(history, loaded, filename)
                self._is_loaded = True

    def unload(self) -> None:
        """Let the next `load` read the disk again, because the messages are kept elsewhere now."""
        self._is_loaded = False

    async def with_pictures(self, messages: Sequence[Message]) -> list[Message]:
        """Return these messages with the pictures that they name only. See `History`."""
        return await in_thread(partial(self._history().with_pictures, messages))

    async def save(
        self,
        settings: Settings,
        added: Sequence[Message] = (),
        *,
        emit: Emit | None = None,
        merge: Merge = "now",
    ) -> None:
        """Save the messages, and emit what the person has to know about that.

        A failure does not end the turn: it is announced, and saving is tried again.

        Args:
            settings: say where the messages are kept, and whether they are.
            added: the messages of the turn so far.
            emit: sends the notices. Without it, they are sent in the next turn.
            merge: see `History.save`.
        """
        saving = self.start_saving(settings, added, merge)
        if saving is not None:
            await self._saver.wait(saving)
        if emit is not None:
            for notice in self._saver.take_notices():
                await emit(NoticeChunk("save", notice))

    def start_saving(
        self, settings: Settings, added: Sequence[Message] = (), merge: Merge = "later"
    ) -> asyncio.Future[None] | None:
        """Begin to save. Returns what the saver's `wait` takes, None if nothing is to be saved."""
        if not settings.conversation_history:
            self._saver.give_up()
            return None
        history, messages = self._history_for(settings), [*self.messages, *added]
        return self._saver.start(history, messages, settings.conversation_filename, merge)

    def replace(self, messages: Sequence[Message]) -> None:
        """Take these messages, and keep what only the file has of those that stay."""
        self.messages = with_fields_of_file(messages, self.messages)

    def remove_last_turn(self) -> list[Message]:
        """Remove the last user message and all that answered it. Returns what was removed.

        A summary that a person asked for after that is removed alone.
        """
        if self.messages and is_summary(self.messages[-1]):
            return [self.messages.pop()]
        asked = [i for i, each in enumerate(self.messages) if isinstance(each, UserMessage)]
        start = asked[-1] if asked else max(0, len(self.messages) - 1)
        removed = self.messages[start:]
        del self.messages[start:]
        return removed

    async def set_aside(self) -> str | None:
        """Begin anew without messages. The old ones stay on the disk, under an id of their own.

        Returns that id; None if nothing is kept.

        Raises:
            OIError: the conversation's file cannot be written or renamed.
        """
        await self._saver.close()
        id = None
        if self._settings().conversation_history:
            id = await in_thread(partial(self._history().set_aside, self._id))
        await self._saver.forget()
        self._clear()
        return id

    async def delete(self) -> bool:
        """Begin anew without messages, and delete the file. False if there is no file.

        Raises:
            OIError: the file cannot be removed.
        """
        await self._saver.forget()
        is_deleted = await in_thread(partial(self._history().delete, self._id))
        self._clear()
        return is_deleted

    def interrupt(self) -> None:
        """Do not let the turn wait for the disk much longer, until `end_interrupt`."""
        self._saver.interrupt()

    def end_interrupt(self) -> None:
        """Wait for the disk with the usual patience again."""
        self._saver.end_interrupt()

    async def close(self) -> None:
        """Make a last try to save what is not saved yet."""
        await self._saver.close()

    def _clear(self) -> None:
        """Hold no messages, as after a `load` that found none."""
        self.messages, self._is_loaded = [], True

    def _history(self) -> History:
        """Return the history in which the conversation is kept now."""
        return self._history_for(self._settings())
