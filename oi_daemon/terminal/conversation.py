"""What the terminal needs of the library's object."""

from collections.abc import Generator
from typing import Any, Literal, Protocol

ShownChunks = Generator[dict[str, Any], None, None]


class Answerable(Protocol):
    """A conversation whose blocks and requests for input can be answered."""

    @property
    def awaits_approval(self) -> bool: ...

    def approve(
        self, decision: Literal["run", "skip", "stop", "always"], code: str | None = None
    ) -> None: ...

    def input(self, value: str | None) -> None: ...

    def languages(self) -> list[dict[str, Any]]: ...


class LibraryInterpreter(Answerable, Protocol):
    """A conversation that a person leads."""

    model: str
    debug_mode: bool
    messages: list[dict[str, Any]]

    @property
    def conversation_history(self) -> bool: ...

    @property
    def max_budget(self) -> float | None: ...

    def start(self) -> None: ...

    def chat(
        self, message: str, *, stream: Literal[True], display: Literal[False]
    ) -> ShownChunks: ...

    def undo(self) -> list[dict[str, Any]]: ...

    def reset(self) -> None: ...

    @property
    def usage(self) -> dict[str, Any]: ...

    @property
    def last_turn(self) -> dict[str, Any]: ...
