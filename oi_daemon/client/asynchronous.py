"""The library for asyncio: the same object, whose calls are awaited."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from oi_daemon.client.attributes import SettingAttributes
from oi_daemon.client.interpreter import Interpreter

if TYPE_CHECKING:
    from os import PathLike

    from oi_daemon.messages.shapes import (
        ApprovalDecision,
        ChunkDict,
        ChunkStream,
        CompletionsDict,
        FileBlockDict,
        FileDiffDict,
        FilesUndoneDict,
        LanguageDict,
        LastTurnDict,
        LocalServerDict,
        MessageDict,
        ResultDict,
        RunningConversationDict,
        SavedPageDict,
        UsageDict,
        VariableDict,
    )
    from oi_daemon.settings import Settings
    from oi_daemon.settings.shapes import SettingsDict

R = TypeVar("R")


class AsyncInterpreter(SettingAttributes):
    """An `Interpreter` whose calls are awaited. A task that is cancelled in a turn interrupts it.

    The calls of one object run one after the other, in a thread of its own; several objects run
    at once. What is no call (settings, `messages`, `usage`, ...) is as in `Interpreter`.
    """

    def __init__(
        self,
        *,
        conversation: str | None = None,
        stderr: int | None = None,
        **settings: "Unpack[SettingsDict]",
    ) -> None:
        """See `Interpreter`."""
        self._interpreter = Interpreter(conversation=conversation, stderr=stderr, **settings)
        self._worker = _Worker()

    @property
    def _current(self) -> "Settings":
        return self._interpreter._current

    def _change(self, changes: Mapping[str, object]) -> None:
        self._interpreter._change(changes)

    @overload
    def chat(
        self,
        message: str,
        *,
        stream: Literal[True],
        files: "Iterable[str | PathLike[str]]" = (),
    ) -> "AsyncGenerator[ChunkDict, None]": ...

    @overload
    def chat(
        self,
        message: str,
        *,
        stream: Literal[False] = False,
        files: "Iterable[str | PathLike[str]]" = (),
    ) -> "Coroutine[None, None, list[MessageDict]]": ...

    def chat(
        self,
        message: str,
        *,
        stream: bool = False,
        files: "Iterable[str | PathLike[str]]" = (),
    ) -> "AsyncGenerator[ChunkDict, None] | Coroutine[None, None, list[MessageDict]]":
        """Ask, and await the messages, or with `stream` the chunks by `async for`.

        Nothing is shown. Code runs as with `Interpreter.chat(message, display=False)`: in a stream
        when the next chunk is taken, else only with `auto_run`.
        """
        if stream:
            return self._stream(message, files)
        return self._call(lambda: self._interpreter.chat(message, display=False, files=files))

    async def execute(self, language: str, code: str) -> "list[MessageDict]":
        """See `Interpreter.execute`."""
        return await self._call(lambda: self._interpreter.execute(language, code))

    async def push(self, **variables: object) -> None:
        """See `Interpreter.push`."""
        await self._call(partial(self._interpreter.push, **variables))

    async def pull(self, name: str, /, *names: str) -> Any:
        """See `Interpreter.pull`."""
        return await self._call(partial(self._interpreter.pull, name, *names))

    def interrupt(self) -> bool:
        """See `Interpreter.interrupt`."""
        return self._interpreter.interrupt()

    async def approve(self, decision: "ApprovalDecision", code: str | None = None) -> None:
        """See `Interpreter.approve`."""
        await self._call(partial(self._interpreter.approve, decision, code))

    async def input(self, value: str | None) -> None:
        """See `Interpreter.input`."""
        await self._call(partial(self._interpreter.input, value))

    async def undo(self) -> "list[MessageDict]":
        """See `Interpreter.undo`."""
        return await self._call(self._interpreter.undo)

    async def file_changes(self) -> "list[FileBlockDict]":
        """See `Interpreter.file_changes`."""
        return await self._call(self._interpreter.file_changes)

    async def file_diffs(
        self, path: str | None = None, *, block: int | None = None, turn: int | None = None
    ) -> "list[FileDiffDict]":
        """See `Interpreter.file_diffs`."""
        return await self._call(partial(self._interpreter.file_diffs, path, block=block, turn=turn))

    async def undo_files(
        self,
        path: str | None = None,
        *,
        block: int | None = None,
        turn: int | None = None,
        redo: bool = False,
    ) -> "FilesUndoneDict":
        """See `Interpreter.undo_files`."""
        work = partial(self._interpreter.undo_files, path, block=block, turn=turn, redo=redo)
        return await self._call(work)

    async def compact(self) -> "list[MessageDict]":
        """See `Interpreter.compact`."""
        return await self._call(self._interpreter.compact)

    async def reset(self) -> None:
        """See `Interpreter.reset`."""
        await self._call(self._interpreter.reset)

    async def running(self) -> "list[RunningConversationDict]":
        """See `Interpreter.running`."""
        return await self._call(self._interpreter.running)

    async def attach(
        self, conversation: str | None = None
    ) -> "tuple[list[MessageDict], AsyncGenerator[ChunkDict, None] | None]":
        """See `Interpreter.attach`."""
        messages, chunks = await self._call(partial(self._interpreter.attach, conversation))
        return messages, None if chunks is None else self._taken(chunks)

    async def saved(
        self, query: str = "", cursor: str | None = None, limit: int = 50
    ) -> "SavedPageDict":
        """See `Interpreter.saved`."""
        return await self._call(partial(self._interpreter.saved, query, cursor, limit))

    async def saved_messages(self, conversation: str) -> "list[MessageDict]":
        """See `Interpreter.saved_messages`."""
        return await self._call(partial(self._interpreter.saved_messages, conversation))

    async def delete_saved(self, conversation: str) -> bool:
        """See `Interpreter.delete_saved`."""
        return await self._call(partial(self._interpreter.delete_saved, conversation))

    async def models(self) -> list[str]:
        """See `Interpreter.models`."""
        return await self._call(self._interpreter.models)

    async def local_models(self) -> "list[LocalServerDict]":
        """See `Interpreter.local_models`."""
        return await self._call(self._interpreter.local_models)

    async def languages(self) -> "list[LanguageDict]":
        """See `Interpreter.languages`."""
        return await self._call(self._interpreter.languages)

    async def variables(
        self, language: str | None = None, limit: int = 1000
    ) -> "list[VariableDict]":
        """See `Interpreter.variables`."""
        return await self._call(partial(self._interpreter.variables, language, limit))

    async def inspect(
        self, code: str, position: int | None = None, language: str = "python"
    ) -> dict[str, str]:
        """See `Interpreter.inspect`."""
        return await self._call(partial(self._interpreter.inspect, code, position, language))

    async def complete(
        self, code: str, position: int | None = None, language: str = "python"
    ) -> "CompletionsDict":
        """See `Interpreter.complete`."""
        return await self._call(partial(self._interpreter.complete, code, position, language))

    async def start(self) -> None:
        """See `Interpreter.start`."""
        await self._call(self._interpreter.start)

    async def close(self) -> None:
        """End the daemon and all that it runs. The next call starts another."""
        self._interpreter.interrupt()
        await self._call(self._interpreter.close)

    async def __aenter__(self) -> "AsyncInterpreter":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def awaits_approval(self) -> bool:
        """See `Interpreter.awaits_approval`."""
        return self._interpreter.awaits_approval

    @property
    def conversation(self) -> str:
        """See `Interpreter.conversation`."""
        return self._interpreter.conversation

    @conversation.setter
    def conversation(self, conversation: str) -> None:
        self._interpreter.conversation = conversation

    @property
    def messages(self) -> "list[MessageDict]":
        """See `Interpreter.messages`."""
        return self._interpreter.messages

    @messages.setter
    def messages(self, messages: Sequence[Mapping[str, object]]) -> None:
        self._interpreter.messages = messages

    @property
    def usage(self) -> "UsageDict":
        """See `Interpreter.usage`."""
        return self._interpreter.usage

    @property
    def last_turn(self) -> "LastTurnDict":
        """See `Interpreter.last_turn`."""
        return self._interpreter.last_turn

    @property
    def last_result(self) -> "ResultDict | None":
        """See `Interpreter.last_result`."""
        return self._interpreter.last_result

    async def _stream(
        self, message: str, files: "Iterable[str | PathLike[str]]"
    ) -> "AsyncGenerator[ChunkDict, None]":
        """The chunks of a turn. If the stream is left before its end, the turn is stopped."""
        chunks = await self._call(
            lambda: self._interpreter.chat(message, stream=True, display=False, files=files)
        )
        async with aclosing(self._taken(chunks)) as taken:
            async for chunk in taken:
                yield chunk

    async def _taken(self, chunks: "ChunkStream") -> "AsyncGenerator[ChunkDict, None]":
        """The chunks of a stream, which is closed when it is left."""
        try:
            while (chunk := await self._call(partial(next, chunks, None))) is not None:
                yield chunk
        finally:
            await self._call(chunks.close)

    async def _call(self, call: Callable[[], R]) -> R:
        """Run a call in the thread. Being cancelled, interrupt its turn and wait for its end."""
        future = self._worker.submit(call)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not future.cancelled():  # it has begun
                self._interpreter.interrupt()
                await asyncio.wait([asyncio.wrap_future(future)])
            raise


class _Worker:
    """Runs calls one after the other in a thread that does not keep the program from ending.

    The threads of `concurrent.futures` are waited for at the end, even in the middle of a turn.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __del__(self) -> None:
        self._calls.put(None)

    def submit(self, call: Callable[[], R]) -> "Future[R]":
        """Queue a call; the future has its result. It can be cancelled until the call begins."""
        if self._thread is None:
            arguments = (self._calls,)
            self._thread = threading.Thread(target=_run_calls, args=arguments, daemon=True)
            self._thread.start()
        future: Future[R] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)

        self._calls.put(run)
        return future


def _run_calls(calls: "SimpleQueue[Callable[[], None] | None]") -> None:
    """Run the calls of the queue until None comes. Runs in a thread of its own."""
    while (call := calls.get()) is not None:
        call()
        del call  # what it refers to is not kept while this waits
