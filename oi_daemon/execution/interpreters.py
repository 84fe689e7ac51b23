"""The language processes of one conversation, each started at first need."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory

from oi_daemon import keys
from oi_daemon.execution.language import Language, Lookup, Process, StartedProcess, Workplace
from oi_daemon.execution.languages.registry import (
    PYTHON,
    find_language,
    runnable,
)
from oi_daemon.execution.process.guard import guard
from oi_daemon.execution.process.language_process import LanguageProcess
from oi_daemon.execution.redaction import redacted
from oi_daemon.execution.spares import Spares
from oi_daemon.messages import ActiveLine, BlockResult, Chunk, EndOfExecution, Output

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackgroundBlock:
    """A block that goes on in the background."""

    id: str
    language: str
    code: str
    _since: float
    """Time at which it went to the background."""
    chunks: AsyncGenerator[Chunk, None]
    """What is still to come of it, its end included."""

    @property
    def seconds(self) -> float:
        """For how long it has been in the background."""
        return time.monotonic() - self._since


class Interpreters:
    """Runs the code of one conversation: one process per language.

    Implements `oi_daemon.conversation.collaborators.Execution`.
    """

    def __init__(
        self, workplace: Workplace, announcement: str = "", spares: Spares | None = None
    ) -> None:
        """
        Args:
            announcement: a sentence that the output of the first block begins with.
            spares: started processes, shared with other conversations.
        """
        self._owns_spares = spares is None
        """Whether nobody else uses the spares, so that they end with these processes."""
        self._spares = spares or Spares()
        self._workplace = workplace
        self._announcement = announcement
        self._temporary: TemporaryDirectory[str] | None = None
        """Folder for temporary files of sandboxed code, once there is one."""
        self._processes: dict[str, Process] = {}
        """The processes by the name of their language."""
        self._latest: Process | None = None
        """The process of the latest block; None before the first one."""
        self._running: tuple[Language, str] | None = None
        """Language and code of the block that runs, unless that is in the background."""
        self._detached = 0
        """How many blocks have gone to the background."""
        self._detach_next = False
        """Whether the next block goes to the background as soon as it runs."""
        self.background: dict[str, BackgroundBlock] = {}
        """The blocks that run in the background, by their ids."""
        self.on_background: Callable[[BackgroundBlock], None] = lambda _: None
        """Called with each block that goes to the background. It has to take all chunks."""
        self._stopped = False
        """Whether the latest block was interrupted."""

    async def run(self, language: str, code: str) -> AsyncGenerator[Chunk, None]:
        """Run one block. See `oi_daemon.conversation.collaborators.Execution.run`."""
        detach, self._detach_next = self._detach_next, False
        environ = self._workplace.environ
        found = find_language(language, environ)
        why = _unknown(language, environ) if found is None else found.missing(environ)
        if found is None or why is not None:
            yield Output(f"{why}\n")
            yield ActiveLine(None)
            yield EndOfExecution(BlockResult.not_run(f"{why}"))
            return
        if busy := self._in_background(found):
            yield Output(f"[{_BUSY.format(**busy)}]\n")
            yield ActiveLine(None)
            yield EndOfExecution(BlockResult.not_run(_BUSY.format(**busy), "BusyError"))
            return
        process = self._latest = self._process(found)
        self._stopped = False
        logger.debug("running %s:\n%s", found.name, code)
        started = time.monotonic()
        if self._announcement:
            yield Output(f"[{self._announcement}]\n")
            self._announcement = ""
        if self._stopped:
            yield ActiveLine(None)
            yield EndOfExecution(BlockResult("interrupted", time.monotonic() - started))
            return
        self._running = found, code
        begun = self.to_background if detach else None
        try:
            async with aclosing(self._polished(process.run(code, begun))) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self._running = None
        logger.debug("it ran for %.3f s", time.monotonic() - started)

    def detach_next(self) -> None:
        """Let the next block go on in the background as soon as it runs."""
        self._detach_next = True

    def to_background(self) -> str | None:
        """Let the block that runs go on in the background; its `run` ends at once.

        Returns the id under which it goes on; None if no block runs.
        """
        if self._running is None:
            return None
        language, code = self._running
        id = f"b{self._detached + 1}"
        rest = self._process(language).detach(_IN_BACKGROUND.format(id=id, language=language.name))
        if rest is None:
            return None
        self._detached += 1
        block = BackgroundBlock(id, language.name, code, time.monotonic(), self._kept(id, rest))
        self.background[id] = block
        self.on_background(block)
        return id

    async def _kept(
        self, id: str, chunks: AsyncGenerator[Chunk, None]
    ) -> AsyncGenerator[Chunk, None]:
        """The chunks of a block in the background, which is listed until they end."""
        try:
            async with aclosing(self._polished(chunks)) as polished:
                async for chunk in polished:
                    yield chunk
        finally:
            self.background.pop(id, None)

    def _in_background(self, language: Language) -> dict[str, object] | None:
        """The id, language and seconds of the block of this language in the background, if any."""
        for block in self.background.values():
            if block.language == language.name:
                return {"id": block.id, "language": block.language, "seconds": int(block.seconds)}
        return None

    def stop_background(self, id: str | None = None) -> bool:
        """Stop the block of this id in the background, or all of them; False if there is none."""
        blocks = [block for block in self.background.values() if id in (None, block.id)]
        for block in blocks:
            self._processes[block.language].interrupt()
        return bool(blocks)

    def _polished(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """The chunks with words about what the sandbox refused, and without keys."""
        if self._workplace.sandbox:
            chunks = self._workplace.sandbox.explained(chunks)
        if known := keys.known():
            chunks = redacted(chunks, known)
        return chunks

    @property
    def used(self) -> bool:
        """Whether a block has run, so that there may be variables."""
        return self._latest is not None

    def interrupt(self) -> None:
        """Stop the block that runs, or that is about to."""
        self._stopped = True
        if self._latest is not None:
            self._latest.interrupt()

    async def answer(self, input: str, value: str | None) -> bool:
        """Give the code a line that it waits for. See `Process.answer`."""
        return self._latest is not None and await self._latest.answer(input, value)

    async def look_up(self, lookup: Lookup, language: str | None = None) -> dict[str, bytes | None]:
        """The answers of the language processes that there are; see `Process.look_up`.

        Args:
            language: the only one to ask. Default: all.
        """
        found = None if language is None else find_language(language, self._workplace.environ)
        names = [*self._processes] if language is None else [found.name] if found else []
        asked = {name: self._processes[name] for name in names if name in self._processes}
        answers = await asyncio.gather(*(process.look_up(lookup) for process in asked.values()))
        return dict(zip(asked, answers, strict=True))

    async def started(self) -> dict[str, list[StartedProcess]]:
        """What the code has started and what runs now, by the name of its language."""
        processes = list(self._processes.items())
        found = await asyncio.to_thread(lambda: [process.started() for _, process in processes])
        return {name: each for (name, _), each in zip(processes, found, strict=True)}

    async def warm(self) -> None:
        """Start Python ahead of need, as a spare that any conversation may take.

        Not in a sandbox, because its temporary folder belongs to one conversation. If it fails, the
        first block says why.
        """
        if self._workplace.sandbox is None and PYTHON.name not in self._processes:
            await self._spares.prepare(self._workplace)

    async def close(self) -> None:
        """End all processes and what they started. The next block starts a new process."""
        processes = list(self._processes.values())
        if self._owns_spares:
            await self._spares.close()
        self._processes.clear()
        self.background.clear()
        self._latest = None
        for process in processes:
            await process.close()
        if self._temporary is not None:
            await asyncio.to_thread(self._temporary.cleanup)
            self._temporary = None

    def _process(self, language: Language) -> Process:
        """The process of a language, made if there is none yet."""
        if language.name not in self._processes:
            process = self._processes[language.name] = language.start(self._place())
            if language is PYTHON and isinstance(process, LanguageProcess):
                self._spares.give(self._workplace, process)
        return self._processes[language.name]

    def _place(self) -> Workplace:
        """The workplace for a new process: with a sandbox, it also names the temporary folder."""
        sandbox = self._workplace.sandbox
        if sandbox is None:
            return self._workplace
        if self._temporary is None:
            self._temporary = TemporaryDirectory(prefix="oi-", ignore_cleanup_errors=True)
            guard().add_folder(self._temporary.name)
        return replace(self._workplace, sandbox=replace(sandbox, temporary=self._temporary.name))


GOES_ON = "The block goes on in the background as {id}."
"""Words in the output of a block that went to the background and has not ended."""
_IN_BACKGROUND = (
    GOES_ON + " Until it ends, no other {language} code can run; its output will then stand here."
)
_BUSY = (
    "Not run: {language} runs {id} in the background, for {seconds} s so far. Wait until that ends,"
    " stop it, or use another language."
)


def _unknown(language: str, environ: Mapping[str, str]) -> str:
    """The sentence for a language that cannot be run here."""
    known = ", ".join(runnable(environ))
    return f"Code in {language!r} cannot be run here. The languages that can be run are: {known}."
