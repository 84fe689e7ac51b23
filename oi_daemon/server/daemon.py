"""What all clients of a daemon share: the models, the conversations and what is known of both."""

import asyncio
import gc
import logging
import time
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from oi_daemon.conversation.collaborators import Model
from oi_daemon.conversation.kept_files import finish_left
from oi_daemon.execution.languages.registry import find_language, runnable
from oi_daemon.execution.languages.versions import Versions
from oi_daemon.messages import ConversationState
from oi_daemon.model.environment import Environment
from oi_daemon.model.relay import Offers
from oi_daemon.server.background import Background
from oi_daemon.server.conversations import Conversations
from oi_daemon.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from oi_daemon.model.models import Models

logger = logging.getLogger(__name__)

_PRELOAD_AFTER = 1.0
"""Seconds without a turn after which what is slow to import is imported."""


class Daemon:
    """Serves any number of clients, each by its own `Methods`. Call `close` at its end."""

    def __init__(self) -> None:
        self.conversations = Conversations(self._model)
        self.versions = Versions()
        self.offers = Offers()
        """The models that the clients offer."""
        self._started = time.monotonic()
        self._background = Background()
        self._is_preloaded = False

    @cached_property
    def models(self) -> "Models":
        """All models. Imported at first need, because `initialize` must not wait for it."""
        from oi_daemon.model.models import Models

        return Models(
            languages=runnable(),
            is_language=lambda word: find_language(word) is not None,
            offers=self.offers,
        )

    @property
    def uptime(self) -> float:
        """Seconds since the daemon began."""
        return time.monotonic() - self._started

    def preload(self) -> None:
        """Import in the background what is slow to import, so that the first turn need not wait.

        Begins a little later, because an editor that has just started needs the processor itself,
        and not while turns run, which it would slow down.
        """
        if not self._is_preloaded:
            self._is_preloaded = True
            self._background.start(asyncio.to_thread(finish_left))
            self._background.start(self._preload())

    async def _preload(self) -> None:
        """Import, then exempt what is there from garbage collection.

        Otherwise the collector would go through all of it again and again, and the time of a long
        stream would grow faster than its length.
        """
        turns = -1
        while turns != self._turns() or self.is_busy():
            turns = self._turns()
            await asyncio.sleep(_PRELOAD_AFTER)
        await self.models.preload()
        gc.freeze()

    def _turns(self) -> int:
        """How many turns have begun."""
        return sum(conversation.turns for conversation in self.conversations)

    def is_busy(self) -> bool:
        """Whether a turn runs."""
        idle = ConversationState.IDLE
        return any(conversation.state is not idle for conversation in self.conversations)

    def keep(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Let requests run on whose client is gone."""
        for task in tasks:
            self._background.keep(task)

    async def close(self) -> None:
        """Interrupt what runs, and end all processes."""
        self._background.cancel()
        closing: list[Awaitable[object]] = [self.conversations.close()]
        if "models" in vars(self):
            closing.append(self.models.close())
        for outcome in await asyncio.gather(*closing, return_exceptions=True):
            errors = outcome if isinstance(outcome, list) else [outcome]
            for error in errors:
                if isinstance(error, BaseException):
                    logger.error("closing failed", exc_info=error)

    def _model(self, settings: Settings, environment: Environment) -> Model:
        return self.models.model(settings, environment)
