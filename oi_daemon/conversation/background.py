"""The blocks of a conversation that run in the background, while its turns go on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from oi_daemon.conversation.collaborators import Emit
from oi_daemon.execution.interpreters import GOES_ON, BackgroundBlock
from oi_daemon.messages import (
    BackgroundChunk,
    BlockResult,
    CodeMessage,
    EndOfExecution,
    Executing,
    Fold,
    Message,
    NoticeChunk,
)

NOTICE = "background"
"""Kind of the notice that a block in the background has ended."""

Keep = Callable[[str, CodeMessage], Awaitable[None]]
"""Puts what a block has become in place of the message that names its id."""


class BackgroundBlocks:
    """Takes the chunks of the blocks in the background, and keeps what they write."""

    def __init__(self, keep: Keep) -> None:
        """
        Args:
            keep: stores a block that has ended.
        """
        self._keep = keep
        self._tasks: set[asyncio.Task[None]] = set()
        self.count = 0
        """How many blocks have gone to the background."""

    def start(self, block: BackgroundBlock, emit: Emit) -> None:
        """Follow a block until it ends.

        Args:
            emit: sends its chunks, and the notice of its end.
        """
        self.count += 1
        task = asyncio.get_running_loop().create_task(self._follow(block, emit))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until all has been taken of the blocks, whose processes have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _follow(self, block: BackgroundBlock, emit: Emit) -> None:
        """Send a block's chunks, tell of its end, and keep what it has written."""
        fold = Fold()
        fold.add(Executing(block.code, block.language))
        result: BlockResult | None = None
        async with aclosing(block.chunks) as chunks:
            async for chunk in chunks:
                fold.add(chunk)
                await emit(BackgroundChunk(block.id, chunk))
                if isinstance(chunk, EndOfExecution):
                    result = chunk.result
        if result is not None:
            text = _ENDED.format(block.language, block.id, result.seconds, result.status)
            await emit(NoticeChunk(NOTICE, text, result.seconds))
        [message] = fold.messages
        if isinstance(message, CodeMessage):
            await self._keep(block.id, message)


def completed(messages: list[Message], id: str, ended: CodeMessage) -> bool:
    """Put a block that has ended in place of the message that says that it went on.

    False if there is no such message any more, as after an undo.
    """
    words = GOES_ON.format(id=id)
    for place, before in reversed([*enumerate(messages)]):
        if isinstance(before, CodeMessage) and words in (before.output or ""):
            shown, _, _ = (before.output or "").rpartition("[" + words)
            messages[place] = replace(
                ended,
                output=f"{shown}{ended.output or ''}".removesuffix("\n"),
                displays=(*before.displays, *ended.displays),
                provider=before.provider,
            )
            return True
    return False


_ENDED = "The {0} block {1} in the background has ended after {2:.0f} s: {3}."
