"""How a block ended, as values: its status, its exit status, its time and its error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ResultStatus = Literal["ok", "error", "interrupted", "killed"]
"""How a block ended: it ran to its end; it raised an error, or its exit status is not 0; it was
interrupted; or its process ended."""

_MOST_CHARACTERS = 2_000
"""Most characters of an error's message, and of a line of its traceback."""
_MOST_LINES = 100
"""Most lines of a traceback. The middle is left out of a longer one."""


@dataclass(frozen=True, slots=True)
class BlockError:
    """The error that ended a block, as its language tells it."""

    name: str
    """The error's class or kind, such as `ValueError`."""
    message: str
    traceback: tuple[str, ...] = ()
    """The lines of the traceback as the language writes it; none if it has none."""

    @classmethod
    def bounded(cls, told: Mapping[str, Any]) -> "BlockError":
        """Return the error that a language has told, cut to a bounded size.

        Args:
            told: the error's `name`, `message` and `traceback`, of any type; each may be missing.
        """
        lines = told.get("traceback")
        traceback = [str(line) for line in lines] if isinstance(lines, list) else []
        if len(traceback) > _MOST_LINES:
            first, last = traceback[: _MOST_LINES // 2], traceback[-(_MOST_LINES // 2 - 1) :]
            count = len(traceback) - len(first) - len(last)
            traceback = [*first, f"[... {count} lines left out ...]", *last]
        name, message = str(told.get("name") or "Error"), str(told.get("message") or "")
        return cls(_cut(name), _cut(message), tuple(map(_cut, traceback)))

    def dump(self) -> dict[str, Any]:
        """The error as a dictionary, as the wire and stored messages have it."""
        return {"name": self.name, "message": self.message, "traceback": list(self.traceback)}


@dataclass(frozen=True, slots=True)
class BlockResult:
    """How a block ended."""

    status: ResultStatus
    seconds: float
    """Seconds that the block took, with the time in which it waited for input."""
    exit: int | None = None
    """The block's exit status, or that of its process if that has ended; None if there is none."""
    error: BlockError | None = None
    """The error that ended the block; None if there was none, or if its language does not tell
    it."""

    @classmethod
    def not_run(cls, why: str, name: str = "NotInstalledError") -> "BlockResult":
        """The result of a block that could not be run, because nothing here runs its language.

        Args:
            name: the error's name, if there is another reason.
        """
        return cls("error", 0.0, error=BlockError(name, why))


def _cut(text: str) -> str:
    """Return the text, cut if it is long."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
