"""How to start the worker of a language, and how to talk to it."""

from collections.abc import Callable
from dataclasses import dataclass

from oi_daemon.execution.language import Lookup
from oi_daemon.execution.process.launch import Program


@dataclass(frozen=True, kw_only=True)
class LookupBlock:
    """Answers lookups by a block of code that runs between two blocks, and that nobody sees."""

    code: Callable[[Lookup], str]
    """Makes the code, which must change nothing and run nothing of the user's."""
    answer: Callable[[Lookup, str], bytes]
    """Makes the answer from what the code has written."""


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """Describes the worker of a language."""

    name: str
    """The language's name in messages, as in "Python was killed"."""
    program: Callable[[], Program]
    """Makes the description of the program to start. Raises NotInstalledError if there is none."""
    request: Callable[[int, str], bytes]
    """Makes what is sent to run a block, from the block's number and code."""
    interruption: bytes = b""
    """What is sent to interrupt a block, besides SIGINT to the process and its children."""
    again: float = 0.3
    """Seconds between two interrupts of the same block."""
    lookup: Callable[[int, Lookup], bytes] | None = None
    """Makes what is sent to ask a lookup, from its number and the lookup; None if the worker
    answers none."""
    lookup_block: LookupBlock | None = None
    """Answers lookups in place of the worker."""
    answers_while_running: bool = False
    """Whether the worker also answers lookups while a block runs."""
    has_kernel: bool = False
    """Whether the code runs in a child of the process, which is no process of the user's."""
    grace: float = 2.0
    """Seconds in which an interrupted block could run and did not stop; then it is killed with its
    process."""
