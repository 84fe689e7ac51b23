"""The conversations of one client, and the folders in which they are kept."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from oi_daemon.conversation.collaborators import Emit
from oi_daemon.conversation.conversation import Conversation, ModelFor
from oi_daemon.execution.spares import Spares
from oi_daemon.history import History, in_background, in_thread, new_id
from oi_daemon.messages import Chunk, ConversationState
from oi_daemon.protocol.methods import chunk_params
from oi_daemon.server.background import Background
from oi_daemon.settings import Settings
from oi_daemon.settings.paths import conversations_path

if TYPE_CHECKING:
    from oi_daemon.server.outbox import Outbox

ChunkFilter = Callable[[Chunk], bool]
"""Returns whether a chunk is sent to the client."""


class Conversations:
    """Creates each conversation, and loads its messages from the disk, when it is first needed.

    A conversation's id may be None in all methods: that is the client's default conversation.
    """

    def __init__(self, outbox: "Outbox", model_for: ModelFor) -> None:
        """
        Args:
            outbox: where the conversations' chunks are sent.
            model_for: returns the model for a turn with these settings and this environment.
        """
        self.settings = Settings()
        """The settings with which a new conversation begins."""
        self._outbox = outbox
        self._model_for = model_for
        self._default = new_id()
        self._active: dict[str, Conversation] = {}
        self._histories: dict[Path, History] = {}
        """The history of each folder that was used so far."""
        self._seqs: dict[str, int] = {}
        """`seq` of the last chunk that was sent, by conversation."""
        self._nobody_to_ask = False
        """No more requests can come, so nobody can approve code or type input."""
        self._background = Background()
        self._spares = Spares()

    def __iter__(self) -> Iterator[Conversation]:
        """All conversations that are active in this daemon."""
        return iter([*self._active.values()])

    def id_of(self, id: str | None) -> str:
        """The id, or the default conversation's for None."""
        return self._default if id is None else id

    def active(self, id: str | None) -> Conversation | None:
        """The conversation if this daemon has it in memory, else None."""
        return self._active.get(self.id_of(id))

    def open(self, id: str | None) -> Conversation:
        """The conversation, active from now on. It loads its messages when it needs them."""
        conversation = self.active(id)
        if conversation is None:
            name = self.id_of(id)
            conversation = Conversation(
                name, self.settings, self._model_for, self._history_for, self._spares
            )
            self._active[name] = conversation
            if self._nobody_to_ask:
                self._background.start(conversation.decline())
        return conversation

    async def delete(self, id: str) -> bool:
        """End a conversation and delete its file. False if there is no such conversation.

        Raises:
            BusyError: a turn is under way in it.
        """
        conversation = self.active(id)
        history = self.history(id)
        if conversation is None:
            deleted = await in_thread(partial(history.delete, id))
        else:
            await conversation.delete()
            if conversation.state is ConversationState.IDLE:  # no turn was asked for meanwhile
                self._active.pop(conversation.id, None)
                await conversation.close()
            deleted = True
        in_background(history.sweep_pictures)
        return deleted

    def history(self, id: str | None) -> History:
        """The history in which a conversation is kept; the daemon's own if it is not active."""
        conversation = self.active(id)
        return self._history_for(conversation.settings if conversation else self.settings)

    def emitter(self, conversation: Conversation, is_sent: ChunkFilter) -> Emit:
        """A function that sends a conversation's chunks to the client, and waits while it is slow.

        Args:
            is_sent: selects the chunks that are sent. The others are dropped.
        """
        id = conversation.id

        async def emit(chunk: Chunk) -> None:
            if not is_sent(chunk):
                return
            seq = self._seqs[id] = self._seqs.get(id, 0) + 1
            turn, state = conversation.turns, conversation.state
            self._outbox.chunk(chunk_params(chunk, id, turn, seq, state))
            await self._outbox.drain()

        return emit

    def last_seq(self, id: str) -> int:
        """`seq` of the last chunk that was sent for a conversation; 0 if there was none."""
        return self._seqs.get(id, 0)

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

    def _history_for(self, settings: Settings) -> History:
        """The history in the folder that the settings name; one object for each folder."""
        named = settings.conversation_history_path
        folder = Path(named).expanduser().absolute() if named else conversations_path()
        return self._histories.setdefault(folder, History(folder))
