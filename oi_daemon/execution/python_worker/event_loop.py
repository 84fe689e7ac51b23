"""The event loop on which blocks run: one for all blocks, so that tasks go on from block to block.

Statements that await something run on it. While any other statement runs, the loop is only declared
to be the running one: so the statement can start tasks, and can still call `asyncio.run`. Between
blocks, the worker runs the tasks while it waits for the next block.
"""

from __future__ import annotations

import select
import sys
from _contextvars import copy_context
from _thread import get_ident
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Handle, SelectorEventLoop, Task, TimerHandle
    from collections.abc import Callable, Coroutine
    from contextvars import Context
    from types import CodeType, FrameType, TracebackType
    from typing import Any

    class Loop(SelectorEventLoop):
        """The attributes of asyncio's loop that have no public name."""

        _ready: list[Handle]
        _scheduled: list[TimerHandle]
        _selector: Any
        _ssock: Any
        _csock: Any


_WORDS = ("async", "await", "aio")
"""Words in the text of blocks that need a loop. The first such block makes it; without one, no
library is disturbed that refuses to work where a loop runs."""
NEVER = float("inf")


class EventLoop:
    """The event loop of the blocks; there is none as long as no block needs it."""

    def __init__(self) -> None:
        self._main = get_ident()
        """The main thread, the only one whose loop this is."""
        self.is_wanted = False
        """True from the first block on that has one of `_WORDS`. Then `call` runs statements."""
        self._calling = False
        """True while `call` runs a statement."""
        self._loop: Loop | None = None
        self._chosen: AbstractEventLoop | None = None
        """A loop that the user's code has set by `asyncio.set_event_loop`. While it is set and not
        closed, ours is not declared to be running."""
        self._context: Context | None = None
        """The context of all statements: a variable that one sets is there in the next."""
        self._coroutine: Coroutine[object, object, object] | None = None
        """The statement that `run` was last called with."""
        self._declared: AbstractEventLoop | None = None
        """Our loop while it is declared to be the running one and does not run."""
        self._declare: Callable[[AbstractEventLoop | None], None] = lambda _: None
        """asyncio's own function that declares a loop to be the running one of this thread."""

    def begin(self, code: str) -> None:
        """A block with this code begins."""
        self.is_wanted = self.is_wanted or any(word in code for word in _WORDS)

    def call(self, statement: CodeType, namespace: dict[str, object]) -> None:
        """Run a statement that awaits nothing, but may start tasks."""
        self._calling = True
        if "asyncio" in sys.modules:
            self._declare_ours()
        try:
            self._statements_context().run(eval, statement, namespace)
        finally:
            self._calling = False
            self._withdraw()

    def run(self, coroutine: Coroutine[object, object, object]) -> None:
        """Run a statement that awaits something; an interrupt cancels it."""
        self._coroutine = coroutine
        loop = self._opened()
        task = self._start(loop, coroutine)
        try:
            loop.run_until_complete(task)
        except KeyboardInterrupt as interrupt:
            if task.done():
                raise
            raise interrupt.with_traceback(_cancel(loop, task)) from None

    @property
    def is_open(self) -> bool:
        """Whether there is a loop, which may have tasks."""
        return self._open_loop() is not None

    def settle(self) -> None:
        """Run tasks that were just started until they wait for something."""
        if self._next_task() == 0.0:
            self._step()

    def wait(self, descriptor: int, seconds: float, before_tasks: Callable[[], object]) -> bool:
        """Run tasks until the descriptor can be read. Returns False if the time is over before.

        Args:
            before_tasks: called each time before tasks run.
        """
        end = monotonic() + seconds
        while True:
            task = self._next_task()
            ready = self._poll(descriptor, min(task, end) - monotonic())
            if descriptor in ready:
                return True
            if ready or task <= monotonic():
                before_tasks()
                self._attempt_step()
            elif end <= monotonic():
                return False

    def awaiting(self) -> list[FrameType]:
        """Return the frames of the statement's suspended coroutines, the innermost first."""
        frames = []
        inner: object = self._coroutine
        while frame := getattr(inner, "cr_frame", None):
            frames.append(frame)
            inner = getattr(inner, "cr_await", None)
        return frames[::-1]

    def descriptors(self) -> set[int]:
        """Return the loop's own descriptors, which do no harm in a fork."""
        parts = (getattr(self._loop, name, None) for name in ("_selector", "_ssock", "_csock"))
        return {part.fileno() for part in parts if part is not None}

    def take_over(self) -> None:
        """Give the loop a selector of its own, in the process that continues from a standby.

        The old one is shared with the standby, and may still watch what the dead process watched.
        """
        loop = self._open_loop()
        if loop is not None:
            old = loop._selector
            loop._selector = type(old)()
            for key in old.get_map().values():
                loop._selector.register(key.fileobj, key.events, key.data)
            old.close()

    def in_child(self) -> None:
        """Withdraw the declaration, in a fork that the user's code has made."""
        self._main = 0
        self._withdraw()

    def adapt(self, asyncio: Any) -> None:
        """Let asyncio's own functions know of the loop that is declared, after its import.

        `asyncio.run` and the methods that run a loop refuse to work where one runs. For them, a
        loop that is only declared does not run. When they are done, ours is declared again.
        """
        events = asyncio.events
        running, declare = events._get_running_loop, events._set_running_loop
        choose = events.set_event_loop
        self._declare = declare

        def _get_running_loop() -> AbstractEventLoop | None:
            loop: AbstractEventLoop | None = running()
            is_declared = loop is not None and loop is self._declared and not loop.is_running()
            return None if is_declared else loop

        def _set_running_loop(loop: AbstractEventLoop | None) -> None:
            declare(self._declared if loop is None and get_ident() == self._main else loop)

        def set_event_loop(loop: AbstractEventLoop | None) -> None:
            choose(loop)
            if get_ident() == self._main and loop is not self._loop:
                self._withdraw()
                self._chosen = loop

        for module in (events, asyncio):
            module._get_running_loop = _get_running_loop
            module._set_running_loop = _set_running_loop
        set_event_loop.__doc__ = choose.__doc__
        asyncio.set_event_loop = set_event_loop
        if self._calling and get_ident() == self._main:
            self._declare_ours()

    def _declare_ours(self) -> None:
        """Declare our loop to be the running one, unless the user's code has chosen another."""
        if self._chosen is None or self._chosen.is_closed():
            self._chosen = None
            self._declared = self._opened()
            self._declare(self._declared)

    def _withdraw(self) -> None:
        """Declare our loop to be the running one no more."""
        if self._declared is not None:
            self._declared = None
            self._declare(None)

    def _open_loop(self) -> Loop | None:
        """Return the loop; None if there is none, or if it is closed."""
        return None if self._loop is None or self._loop.is_closed() else self._loop

    def _opened(self) -> Loop:
        """Return the loop, a new one if there is none, as the event loop of this thread."""
        import asyncio

        loop: Any = self._open_loop() or asyncio.SelectorEventLoop()
        opened: Loop = loop
        self._loop = opened
        asyncio.events.set_event_loop(opened)
        return opened

    def _statements_context(self) -> Context:
        """Return the context of all statements, a copy of the worker's at first."""
        if self._context is None:
            self._context = copy_context()
        return self._context

    def _start(self, loop: Loop, coroutine: Coroutine[object, object, object]) -> Task[object]:
        """Make a task of a statement. Before Python 3.11, it gets a copy of the context."""
        context = self._statements_context()
        if sys.version_info >= (3, 11):
            return loop.create_task(coroutine, context=context)
        return context.run(loop.create_task, coroutine)

    def _next_task(self) -> float:
        """Return when a task is to go on, by `monotonic`: 0 if it is due, or `NEVER`."""
        loop = self._open_loop()
        if loop is None:
            return NEVER
        if loop._ready:
            return 0.0
        times = (timer.when() for timer in loop._scheduled if not timer.cancelled())
        return min(times, default=NEVER)

    def _poll(self, descriptor: int, seconds: float) -> list[int]:
        """Wait, and return which can be read of this descriptor and the loop's selector."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        loop = self._open_loop()
        if loop is not None:
            poll.register(loop._selector.fileno(), select.POLLIN)
        milliseconds = None if seconds == NEVER else max(0, int(seconds * 1000 + 0.999))
        return [number for number, _ in poll.poll(milliseconds)]

    def _step(self) -> None:
        """Run once what is due."""
        loop = self._open_loop()
        if loop is not None:
            loop.call_soon(loop.stop)
            loop.run_forever()

    def _attempt_step(self) -> None:
        """Run once what is due between blocks: a task that exits ends neither block nor process."""
        try:
            self._step()
        except BaseException:
            pass


def _cancel(loop: AbstractEventLoop, task: Task[object]) -> TracebackType | None:
    """Cancel the task, wait until it has cleaned up, and return the traceback of where it was."""
    task.cancel()
    try:
        loop.run_until_complete(task)
    except BaseException as error:
        return error.__traceback__
    return None
