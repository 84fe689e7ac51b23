"""What is said when an interpreter's process has ended unasked."""

import re
import signal
from dataclasses import dataclass
from enum import Enum

_FATAL = re.compile(r"^Fatal Python error: (.*)$", re.MULTILINE)


class KeptVariables(Enum):
    """What of the variables another process goes on with, besides those of the block that runs."""

    NOTHING = "lost"
    SOME = "as they were a few blocks before"
    ALL = "as they were before this block"


@dataclass(frozen=True, slots=True)
class Ending:
    name: str
    """The interpreter's, as in "Python"."""
    status: int
    """Exit status; negative: the signal that ended it."""
    last_words: str
    """What its fault handler wrote."""
    kept: KeptVariables = KeptVariables.NOTHING

    def line(self, block: int) -> int | None:
        """The line of the block that crashed, where it is known."""
        found = re.search(rf'File "<block {block}>", line (\d+)', self.last_words)
        return int(found[1]) if found else None

    def in_block(self, line: int | None, how: str = "", why: str = "") -> str:
        """`how` and `why` are known where we have ended it."""
        where = "" if line is None else f" at line {line}"
        return f"{self.name} {how or self._how()}{where}{why and f': {why}'}. {self._next()}"

    def between_blocks(self) -> str:
        variables = "kept" if self.kept is KeptVariables.ALL else self.kept.value
        fresh = " This is a fresh one." if self.kept is KeptVariables.NOTHING else ""
        return f"{self.name} {self._how()} since the last block. {_ITS} {variables}.{fresh}"

    def _next(self) -> str:
        """What the next block finds."""
        fresh = " The next block starts a fresh one." if self.kept is KeptVariables.NOTHING else ""
        return f"{_ITS} {self.kept.value}.{fresh}"

    def _how(self) -> str:
        if self.status >= 0:
            return f"ended with exit code {self.status}"
        name = _signal_name(-self.status)
        if fatal := _FATAL.search(self.last_words):
            return f"crashed ({name}: {fatal[1]})"
        if self.status == -signal.SIGKILL:
            return f"was killed ({name}; perhaps memory ran out)"
        return f"was killed ({name})"


_ITS = "Its variables are"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
