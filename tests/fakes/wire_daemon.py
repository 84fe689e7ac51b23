"""A daemon without models and languages, to test the wire: `python -m tests.fakes.wire_daemon`."""

import asyncio
import os
import sys
from typing import Any

from oi_daemon.cli import run
from oi_daemon.errors import BusyError
from oi_daemon.messages import ActiveLine, Chunk, ConversationState, EndOfExecution, Output
from oi_daemon.protocol.methods import (
    ChatParams,
    ChunkParams,
    ConversationParams,
    ExecuteParams,
    HistorySetParams,
    InputParams,
    NoParams,
    SettingsSetParams,
    chunk_params,
)
from oi_daemon.server.outbox import Outbox
from oi_daemon.settings import Settings, change


def language_names() -> list[str]:
    return ["python", "shell"]


class WireDaemon:
    """What its methods do is told by their docstrings."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._turns: dict[str | None, asyncio.Event] = {}
        self._alone = False
        self._settings = Settings()
        self._calls: list[str] = []
        self._problems: list[str] = []

    async def start(self, settings: dict[str, Any] | None, folder: str | None) -> None:
        self._calls.append("start")
        self._settings = change(Settings(), {"cwd": folder, **(settings or {})})

    def add_problem(self, text: str) -> None:
        self._problems.append(text)

    def preload(self) -> None:
        self._calls.append("preload")

    def interrupt_turn(self, params: ChatParams | ExecuteParams) -> None:
        if params.conversation in self._turns:
            self._turns[params.conversation].set()

    def decline_all(self) -> None:
        self._alone = True
        for waiting in self._turns.values():
            waiting.set()

    async def close(self) -> None:
        self.decline_all()

    async def chat(self, params: ChatParams) -> dict[str, Any]:
        """Waits for an approval that only an interruption or the end of input declines."""
        if params.conversation in self._turns:
            raise BusyError("this conversation has a turn under way")
        declined = self._turns[params.conversation] = asyncio.Event()
        if self._alone:
            declined.set()
        await declined.wait()
        del self._turns[params.conversation]
        return {"status": "interrupted"}

    async def execute(self, params: ExecuteParams) -> dict[str, Any]:
        """Puts out the numbers below `code`; with active lines between them in any language."""
        stopped = self._turns[params.conversation] = asyncio.Event()
        seq = 0
        for number in range(int(params.code)):
            chunks: list[Chunk] = [Output(f"{number}\n"), ActiveLine(number)]
            for chunk in chunks if params.language else chunks[:1]:
                seq += 1
                self._outbox.chunk(_notified(params, chunk, seq))
            await self._outbox.drain()
            if stopped.is_set():
                break
        del self._turns[params.conversation]
        seq += 1
        self._outbox.chunk(_notified(params, EndOfExecution(), seq))
        return {"last_seq": seq, "status": "interrupted" if stopped.is_set() else "done"}

    async def interrupt(self, params: ConversationParams) -> dict[str, Any]:
        known = params.conversation in self._turns
        if known:
            self._turns[params.conversation].set()
        return {"interrupted": known}

    async def input(self, params: InputParams) -> dict[str, Any]:
        """Waits for ever."""
        await asyncio.Event().wait()
        return {}

    async def history_set(self, params: HistorySetParams) -> dict[str, Any]:
        """Gives back what came."""
        return {"messages": params.messages}

    async def history_undo(self, params: ConversationParams) -> dict[str, Any]:
        """Fails with a key in its text."""
        raise RuntimeError("the key sk-abcdefghijkl is wrong")

    async def history_reset(self, params: ConversationParams) -> dict[str, Any]:
        """Writes to stdout in every way there is."""
        print("a stray print", flush=True)  # noqa: T201
        os.write(1, b"a stray write\n")
        await (await asyncio.create_subprocess_exec("echo", "a stray child")).wait()
        return {"stdin": sys.stdin.read()}

    async def settings_set(self, params: SettingsSetParams) -> dict[str, Any]:
        self._settings = change(self._settings, params.settings)
        return {"model": self._settings.model}

    async def settings_get(self, params: ConversationParams) -> dict[str, Any]:
        return {"model": self._settings.model}

    async def status(self, params: NoParams) -> dict[str, Any]:
        return {
            "calls": self._calls,
            "cwd": self._settings.cwd,
            "problems": self._problems,
            "has_pygls": "pygls" in sys.modules,
            "requests": self._outbox.pending_requests,
            "outgoing_bytes": self._outbox.pending_bytes,
        }


def _notified(params: ExecuteParams, chunk: Chunk, seq: int) -> ChunkParams:
    state = ConversationState.RUNNING
    return chunk_params(chunk, params.conversation or "", 1, seq, state)


if __name__ == "__main__":
    run(WireDaemon, language_names)
