"""The interpreters of one conversation: a process a language, started at need."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from tempfile import TemporaryDirectory

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Language, Process, Workplace
from oi_daemon.execution.languages.registry import (
    PYTHON,
    find_language,
    runnable,
)
from oi_daemon.execution.process.guard import guard
from oi_daemon.messages import ActiveLine, Chunk, EndOfExecution, Output

logger = logging.getLogger(__name__)


class Interpreters:
    """Implements `oi_daemon.conversation.turn.Execution` for one conversation."""

    def __init__(self, workplace: Workplace, news: str = "") -> None:
        """
        Args:
            news: what the first block's output begins with.
        """
        self._workplace = workplace
        self._news = news
        self._temporary: TemporaryDirectory[str] | None = None
        self._processes: dict[str, Process] = {}
        self._running: Process | None = None

    async def run(self, language: str, code: str) -> AsyncGenerator[Chunk, None]:
        found = find_language(language)
        why = _unknown(language) if found is None else found.missing()
        if found is None or why is not None:
            yield Output(f"{why}\n")
            yield ActiveLine(None)
            yield EndOfExecution()
            return
        process = self._running = self._process(found)
        logger.debug("running %s:\n%s", found.name, code)
        started = time.monotonic()
        if self._news:
            yield Output(f"[{self._news}]\n")
            self._news = ""
        chunks, sandbox = process.run(code), self._workplace.sandbox
        async with aclosing(sandbox.explained(chunks) if sandbox else chunks) as told:
            async for chunk in told:
                yield chunk
        logger.debug("it ran for %.3f s", time.monotonic() - started)

    @property
    def used(self) -> bool:
        """Whether a block has run, and may have left variables."""
        return self._running is not None

    def interrupt(self) -> None:
        """Stop the block that runs."""
        if self._running is not None:
            self._running.interrupt()

    async def answer(self, input: str, value: str | None) -> bool:
        """Give the waiting code a line without its newline; None is end of file."""
        return self._running is not None and await self._running.answer(input, value)

    async def warm(self) -> None:
        """Start Python ahead of need. Where that fails, the first block says why."""
        try:
            await self._process(PYTHON).start()
        except NotInstalledError as error:
            logger.info("Python was not started ahead of need: %s", error)

    async def close(self) -> None:
        """End all interpreters and what they started; the next block has a fresh one."""
        processes = list(self._processes.values())
        self._processes.clear()
        self._running = None
        for process in processes:
            await process.close()
        if self._temporary is not None:
            await asyncio.to_thread(self._temporary.cleanup)
            self._temporary = None

    def _process(self, language: Language) -> Process:
        if language.name not in self._processes:
            self._processes[language.name] = language.start(self._place())
        return self._processes[language.name]

    def _place(self) -> Workplace:
        """The workplace; where it has a sandbox, with a temporary folder until all is closed."""
        sandbox = self._workplace.sandbox
        if sandbox is None:
            return self._workplace
        if self._temporary is None:
            self._temporary = TemporaryDirectory(prefix="oi-", ignore_cleanup_errors=True)
            guard().add_folder(self._temporary.name)
        return replace(self._workplace, sandbox=replace(sandbox, temporary=self._temporary.name))


def _unknown(language: str) -> str:
    known = ", ".join(runnable())
    return f"Code in {language!r} cannot be run here. The languages that can be run are: {known}."
