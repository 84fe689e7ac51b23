"""A program of a corpus, and the corpus: values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """A program that can be run by a command, and as a block."""

    name: str
    code: str
    command: tuple[str, ...]
    """Runs it as it is meant to run, in the folder `cwd`."""
    cwd: Path
    after: str = ""
    """A second block, which checks what a program does at its end."""
    before: Callable[[], None] = lambda: None
    """Makes the folder as the program expects it. Called before each run."""


@dataclass(frozen=True)
class Corpus:
    """Programs in one language."""

    language: str
    programs: Callable[[Path], Iterable[Program]]
    """Finds the programs in a folder."""
    normalized: Callable[[str], str] = str
    """Replaces what differs from run to run in an output, such as numbers of processes."""
    has_status: bool = False
    """Whether a block has an exit status. It is compared too, and any status is a success."""
