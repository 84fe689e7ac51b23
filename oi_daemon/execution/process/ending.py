"""The message about a process that ended unasked: how, where, and what is left of its variables."""

import re
import signal
from dataclasses import dataclass
from enum import Enum

from oi_daemon.messages import BlockError

_FATAL = re.compile(r"^Fatal Python error: (.*)$", re.MULTILINE)


class KeptVariables(Enum):
    """Which variables the next block finds, besides those that the failed block has changed."""

    NOTHING = "lost"
    SOME = "as they were a few blocks before"
    ALL = "as they were before this block"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process has ended."""

    name: str
    """The language's name in messages, as in "Python"."""
    status: int
    """Exit status; negative is the signal that ended it."""
    last_words: str
    """The crash report of the process, such as the one of Python's `faulthandler`; often empty."""
    kept: KeptVariables = KeptVariables.NOTHING
    """Which variables the next block finds."""

    @property
    def exit_status(self) -> int | None:
        """The exit status of the process; None if a signal ended it."""
        return self.status if self.status >= 0 else None

    def error(self, sentence: str) -> BlockError | None:
        """The error of the block that ran: named by the signal, with this sentence as its message.

        None if the process was not ended by a signal.
        """
        return None if self.status >= 0 else BlockError(_signal_name(-self.status), sentence)

    def line(self, block: int) -> int | None:
        """The line at which this block crashed; None if the fault handler does not say."""
        found = re.search(rf'File "[^"]*/block_{block}\.py", line (\d+)', self.last_words)
        return int(found[1]) if found else None

    def in_block(self, line: int | None, how: str = "", why: str = "") -> str:
        """The message if it ended while a block ran.

        Args:
            line: the line that ran; None if it is not known.
            how: what we did to the process, if we ended it.
            why: the reason why we did so.
        """
        where = "" if line is None else f" at line {line}"
        return f"{self.name} {how or self._how()}{where}{why and f': {why}'}. {self._next()}"

    def between_blocks(self) -> str:
        """The message if it ended while no block ran."""
        variables = "kept" if self.kept is KeptVariables.ALL else self.kept.value
        fresh = " This is a fresh one." if self.kept is KeptVariables.NOTHING else ""
        return f"{self.name} {self._how()} since the last block. {_ITS} {variables}.{fresh}"

    def _next(self) -> str:
        """The sentence about what the next block finds."""
        fresh = " The next block starts a fresh one." if self.kept is KeptVariables.NOTHING else ""
        return f"{_ITS} {self.kept.value}.{fresh}"

    def _how(self) -> str:
        """How the process ended, in words that follow on the language's name."""
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
    """The name of a signal, as in `SIGSEGV`."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
