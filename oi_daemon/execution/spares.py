"""Started Python processes that wait for the first conversation that needs one.

A conversation that only chats runs no code. So Python is not started for each conversation when a
turn begins: one spare process is started for all, and the first block that runs takes it.
"""

import asyncio
import logging

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.python import python
from oi_daemon.execution.process.language_process import LanguageProcess

logger = logging.getLogger(__name__)

_MOST = 2
"""Most spares at a time. More than one is kept only for different workplaces."""
_IDLE = 60.0
"""Seconds after which a spare that nobody has taken is ended."""


class Spares:
    """The spares of one daemon, at most one for each workplace."""

    def __init__(self, idle: float = _IDLE) -> None:
        """
        Args:
            idle: seconds after which a spare that nobody has taken is ended.
        """
        self._idle = idle
        self._spares: dict[Workplace, LanguageProcess] = {}
        """The spares in the order in which they were started."""
        self._timers: dict[Workplace, asyncio.TimerHandle] = {}
        """For each spare, the timer that ends it."""
        self._closing: set[asyncio.Task[None]] = set()
        """Spares that are being ended."""

    async def prepare(self, workplace: Workplace) -> None:
        """Have a spare for this workplace, and keep it for a while."""
        spare = self._spares.get(workplace)
        if spare is None or not spare.is_started:
            while len(self._spares) >= _MOST:
                self._end(next(iter(self._spares)))
            spare = self._spares[workplace] = python(workplace)
            try:
                await spare.start()
            except NotInstalledError as error:  # the first block says why
                logger.info("Python was not started ahead of need: %s", error)
                del self._spares[workplace]
                return
        if workplace in self._timers:
            self._timers[workplace].cancel()
        loop = asyncio.get_running_loop()
        self._timers[workplace] = loop.call_later(self._idle, self._end, workplace)

    def give(self, workplace: Workplace, worker: LanguageProcess) -> None:
        """Give a new worker the process of the spare for its workplace, if there is one."""
        spare = self._spares.pop(workplace, None)
        if spare is not None:
            self._timers.pop(workplace).cancel()
            worker.adopt(spare)

    async def close(self) -> None:
        """End all spares."""
        for workplace in list(self._spares):
            self._end(workplace)
        await asyncio.gather(*self._closing)

    def _end(self, workplace: Workplace) -> None:
        """End the spare for this workplace."""
        spare = self._spares.pop(workplace)
        if workplace in self._timers:
            self._timers.pop(workplace).cancel()
        task = asyncio.get_running_loop().create_task(spare.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
