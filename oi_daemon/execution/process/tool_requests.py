"""The requests about tools that a block makes: each is answered by a task of its own."""

import asyncio
import logging
from typing import Any

import msgspec

from oi_daemon.execution.language import ToolCalls
from oi_daemon.execution.process.stream import WorkerStream

logger = logging.getLogger(__name__)


class ToolRequests:
    """The requests of one block that are not answered yet. They are cancelled at its end."""

    def __init__(self, stream: WorkerStream, tools: ToolCalls | None) -> None:
        """
        Args:
            tools: None if there are none, so that each request is refused.
        """
        self._stream = stream
        self._tools = tools
        self._tasks: dict[int, asyncio.Task[None]] = {}
        """The tasks that answer, by the numbers of the requests."""

    def handle(self, number: int, request: dict[str, Any]) -> None:
        """Answer a request, or cancel the one that it names.

        Args:
            request: as `python_worker/tools.py` makes it.
        """
        cancelled = request.get("cancel")
        if self._tools is None:
            self._stream.refuse(number)
        elif cancelled is None:
            self._tasks[number] = asyncio.create_task(self._answer(self._tools, number, request))
        elif task := self._tasks.get(cancelled):
            task.cancel()

    def end(self) -> None:
        """Cancel the requests that are left, of threads: they get the answer end of file."""
        for number, task in self._tasks.items():
            task.cancel()
            self._stream.refuse(number)

    async def _answer(self, tools: ToolCalls, number: int, request: dict[str, Any]) -> None:
        try:
            answer = await tools.answer(request)
            self._stream.answer(number, msgspec.json.encode(answer))
        except Exception:
            logger.exception("a request about tools failed")
            self._stream.refuse(number)
        finally:
            self._tasks.pop(number, None)
