"""Runs blocks for the tests, and looks at what came of them."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.messages import (
    ActiveLine,
    BlockResult,
    Chunk,
    Display,
    EndOfExecution,
    Executing,
    InputRequest,
    Output,
    dump,
    fold,
)
from tests.patience import PATIENCE, until


async def run(
    interpreters: Interpreters,
    code: str,
    *,
    language: str = "python",
    answers: Iterable[str | None] = (),
) -> list[Chunk]:
    """All chunks of one block, whose requests for input get these answers in turn."""
    lines = iter(answers)
    chunks: list[Chunk] = []
    async with asyncio.timeout(PATIENCE):
        async for chunk in interpreters.run(language, code):
            chunks.append(chunk)
            if isinstance(chunk, InputRequest):
                assert await interpreters.answer(chunk.input, next(lines))
    assert chunks[-2:] == [ActiveLine(None), EndOfExecution()]
    return chunks


async def output(
    interpreters: Interpreters,
    code: str,
    *,
    language: str = "python",
    answers: Iterable[str | None] = (),
) -> str:
    """What one block wrote."""
    return text(await run(interpreters, code, language=language, answers=answers))


def result(chunks: Sequence[Chunk]) -> BlockResult:
    """How the block has ended."""
    end = chunks[-1]
    assert isinstance(end, EndOfExecution)
    assert end.result is not None
    return end.result


def text(chunks: Sequence[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Output))


def lines(chunks: Sequence[Chunk]) -> list[int]:
    """The active lines, in their order."""
    return [c.line for c in chunks if isinstance(c, ActiveLine) and c.line is not None]


def lines_of_outputs(chunks: Sequence[Chunk]) -> list[tuple[int | None, str]]:
    """Each written line with the active line at which it was written."""
    line: int | None = None
    pairs: list[tuple[int | None, str]] = []
    within = False
    for chunk in chunks:
        if isinstance(chunk, ActiveLine):
            line = chunk.line
        elif isinstance(chunk, Output):
            for piece in chunk.text.splitlines(keepends=True):
                begun = pairs.pop() if within else (line, "")
                pairs.append((begun[0], begun[1] + piece.rstrip("\n")))
                within = not piece.endswith("\n")
    return pairs


def displays(chunks: Sequence[Chunk]) -> list[dict[str, object]]:
    return [dict(chunk.data) for chunk in chunks if isinstance(chunk, Display)]


def stored(chunks: Sequence[Chunk]) -> dict[str, Any]:
    """The message that is kept of a block."""
    (message,) = fold([Executing("", "python"), *chunks])
    return dump(message)


class Running:
    """A block under way, whose chunks are taken as they come."""

    def __init__(self, interpreters: Interpreters, code: str, language: str = "python") -> None:
        self.chunks: list[Chunk] = []
        self._execution = interpreters
        self._task = asyncio.create_task(self._take(language, code))

    async def _take(self, language: str, code: str) -> None:
        async for chunk in self._execution.run(language, code):
            self.chunks.append(chunk)

    @property
    def ended(self) -> bool:
        """Whether all its chunks have been taken."""
        return self._task.done()

    async def seen(self, word: str) -> None:
        """Wait until it has written this."""
        await until(lambda: word in text(self.chunks))

    async def begun(self) -> None:
        """Wait until its first line is active."""
        await until(lambda: bool(lines(self.chunks)))

    async def leave(self) -> None:
        """Cancel whoever takes its chunks."""
        self._task.cancel()
        await asyncio.wait([self._task], timeout=PATIENCE)

    async def end(self) -> list[Chunk]:
        await asyncio.wait_for(self._task, PATIENCE)
        return self.chunks
