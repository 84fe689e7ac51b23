"""A worker that gets a block's number over the control socket, and its code in a nameless file.

For languages that can read code from a file, but not easily from a socket.
"""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Lookup, Missing, Workplace
from oi_daemon.execution.languages.environment import environment, find_python
from oi_daemon.execution.process.language_process import LanguageProcess
from oi_daemon.execution.process.launch import Program, temporary_folder
from oi_daemon.execution.process.worker_spec import WorkerSpec


class Given(NamedTuple):
    """What the command line of a language's program must pass on to it."""

    nonce: str
    """The word that tells marks from other output."""
    control: int
    """Descriptor of the control socket."""
    answers: int
    """Descriptor over which the answers to requests for input arrive."""
    source: int
    """Descriptor of the file that holds the block's code."""


def file_worker(
    name: str,
    workplace: Workplace,
    *,
    missing: Missing,
    command: Callable[[Given], Sequence[str]],
    environ: Callable[[Mapping[str, str]], dict[str, str]] = dict,
    folder: str | None = None,
    grace: float = 2.0,
    lookup: Callable[[int, Lookup], bytes] | None = None,
) -> LanguageProcess:
    """A worker for a program that reads its blocks from a file.

    Args:
        name: the language's name in messages, as in "R was killed".
        missing: gives the reason why it cannot be started, or None if it can.
        command: makes the command line.
        environ: makes the program's environment from that of the user's code.
        grace: seconds that an interrupted block has to stop. See `WorkerSpec`.
        lookup: makes what is sent to answer a lookup. See `WorkerSpec`.
        folder: variable that is set to a temporary folder, removed when the program has ended.
    """
    code_file = _CodeFile()

    def program() -> Program:
        if (why := missing(workplace.environ)) is not None:
            raise NotInstalledError(why)
        plain = environment(find_python(workplace.python, workplace.environ), workplace.environ)
        own = {} if folder is None else {folder: temporary_folder()}
        source = code_file.renew()
        return Program(
            command=lambda control, answers, nonce: command(Given(nonce, control, answers, source)),
            environment={**environ(plain), **own},
            cwd=workplace.cwd,
            descriptors=(source,),
            folder=own.get(folder or ""),
        )

    spec = WorkerSpec(
        name=name, program=program, request=code_file.request, lookup=lookup, grace=grace
    )
    return LanguageProcess(spec, workplace)


class _CodeFile:
    """The file through which a program gets the code of its blocks."""

    def __init__(self) -> None:
        self._source = -1
        """Descriptor of the file; -1 before the program's first start."""

    def renew(self) -> int:
        """Make a new file for a program that starts; returns its descriptor."""
        self._source = nameless_file()
        return self._source

    def request(self, number: int, code: str) -> bytes:
        """Write a block's code to the file; returns what is sent over the control socket."""
        write_text(self._source, code)
        return b"%d\n" % number


def nameless_file() -> int:
    """Make a file that has no name, in memory where the system can; returns its descriptor."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("block")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def write_text(file: int, code: str) -> None:
    """Replace the content of a file. The next read begins at its start."""
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.pwrite(file, code.encode("utf-8", "replace") + b"\n", 0)
