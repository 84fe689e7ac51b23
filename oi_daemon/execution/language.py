"""The seam for languages: what a running interpreter of one language can do.

A further language is a module that implements `Process` and an entry in `languages.py`.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from oi_daemon.execution.limits import Limits
from oi_daemon.messages import Chunk

if TYPE_CHECKING:
    from oi_daemon.execution.sandbox.sandbox import Sandbox


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where and under which limits code runs."""

    cwd: str
    """Folder in which an interpreter starts."""
    python: str | None = None
    """Python that runs Python code; None: found by `find_python`."""
    shown_head: int = 1 << 20
    """Bytes of a block's output that are shown as they come."""
    shown_tail: int = 1 << 16
    """Bytes of its end that are shown when there was more."""
    limits: Limits = field(default_factory=Limits, compare=False)
    sandbox: "Sandbox | None" = None


class Process(Protocol):
    """One interpreter process of one conversation; it keeps its state between blocks."""

    async def start(self) -> None:
        """Start it ahead of need; `run` does so itself.

        Raises:
            NotInstalledError: the interpreter is not on this machine.
        """
        ...

    def run(self, code: str) -> AsyncGenerator[Chunk, None]:
        """One block; see `oi_daemon.conversation.turn.Execution.run`."""
        ...

    def interrupt(self) -> None: ...

    async def answer(self, input: str, value: str | None) -> bool:
        """Give the waiting code a line without its newline; None is end of file.

        False if that request does not wait (any more).
        """
        ...

    async def close(self) -> None:
        """End it and all that it started."""
        ...


@dataclass(frozen=True, kw_only=True)
class Language:
    name: str
    aliases: tuple[str, ...]
    start: Callable[[Workplace], Process]
    missing: Callable[[], str | None] = lambda: None
    """Why it cannot run on this machine; None where it can."""
    path: Callable[[Workplace], str | None] = lambda workplace: None
    """The program that runs it at this workplace; None if there is none.

    Raises NotInstalledError where the settings name a wrong one.
    """
