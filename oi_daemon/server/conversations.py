"""The conversations of a daemon, and the folders in which they are kept."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from oi_daemon.conversation.conversation import Conversation, ModelFor
from oi_daemon.conversation.kept_files import delete_kept, folder_of
from oi_daemon.execution.spares import Spares
from oi_daemon.history import History, in_background, in_thread
from oi_daemon.keys import Environ
from oi_daemon.messages import ConversationState
from oi_daemon.server.background import Background
from oi_daemon.server.feed import Feed, Receiver
from oi_daemon.settings import Settings
from oi_daemon.settings.paths import conversations_path


class Conversations:
    """Creates each conversation, and loads its messages from the disk, when it is first needed."""

    def __init__(self, model_for: ModelFor) -> None:
        """
        Args:
            model_for: returns the model for a turn with these settings and this environment.
        """
        self._model_for = model_for
        self._active: dict[str, Conversation] = {}
        self._feeds: defaultdict[str, Feed] = defaultdict(Feed)
        """What sends a conversation's chunks, by the conversation's id."""
        self._histories: dict[Path, History] = {}
        """The history of each folder that was used so far."""
        self._history_folders: dict[str | None, Path] = {}
        """The folder of each path that settings have named; of None, the application's own."""
        self._nobody_to_ask = False
        """No more requests can come, so nobody can approve code or type input."""
        self._background = Background()
        self._spares = Spares()

    def __iter__(self) -> Iterator[Conversation]:
        """All conversations that are active in this daemon."""
        return iter([*self._active.values()])

    def active(self, id: str) -> Conversation | None:
        """The conversation if this daemon has it in memory, else None."""
        return self._active.get(id)

    def open(self, id: str, settings: Settings, environ: Environ) -> Conversation:
        """The conversation, active from now on. It loads its messages when it needs them.

        Args:
            settings: those with which it begins, if it was not active before.
            environ: the environment in which its code runs then.
        """
        conversation = self.active(id)
        if conversation is None:
            conversation = Conversation(
                id, settings, self._model_for, self.history_for, self._spares, environ
            )
            self._active[id] = conversation
            if self._nobody_to_ask:
                self._background.start(conversation.decline())
        return conversation

    def feed(self, id: str) -> Feed:
        """What sends the chunks of a conversation to its clients."""
        return self._feeds[id]

    def leave(self, receiver: Receiver) -> None:
        """Send nothing more to this client, because it is gone."""
        for feed in self._feeds.values():
            feed.leave(receiver)

    async def end(self, id: str) -> None:
        """Stop a conversation's turn and end its processes. Its messages stay on the disk."""
        conversation = self._active.pop(id, None)
        if conversation is not None:
            await conversation.close()

    async def delete(self, id: str, history: History) -> bool:
        """End a conversation and delete its file. False if there is no such conversation.

        Args:
            history: the one in which it is kept.

        Raises:
            BusyError: a turn is under way in it.
        """
        conversation = self.active(id)
        if conversation is None:
            deleted = await in_thread(partial(history.delete, id))
            await asyncio.to_thread(delete_kept, folder_of(id))
        else:
            await conversation.delete()
            if conversation.state is ConversationState.IDLE:  # no turn was asked for meanwhile
                self._active.pop(conversation.id, None)
                await conversation.close()
            deleted = True
        in_background(history.sweep_pictures)
        return deleted

    def decline_all(self) -> None:
        """Decline what waits for a person, now and later, because no more requests can come."""
        self._nobody_to_ask = True
        for conversation in self:
            self._background.start(conversation.decline())

    async def close(self) -> list[BaseException]:
        """Interrupt all turns and end all processes. Returns the errors that this met."""
        self._background.cancel()
        closing = [conversation.close() for conversation in self]
        errors = await asyncio.gather(*closing, self._spares.close(), return_exceptions=True)
        for history in self._histories.values():
            await in_thread(history.close)
        return [error for error in errors if error is not None]

    def history_for(self, settings: Settings) -> History:
        """The history in the folder that the settings name; one object for each folder."""
        named = settings.conversation_history_path
        if named not in self._history_folders:
            folder = Path(named).expanduser().absolute() if named else conversations_path()
            self._history_folders[named] = folder
            self._histories.setdefault(folder, History(folder))
        return self._histories[self._history_folders[named]]
