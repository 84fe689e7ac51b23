"""A worker that takes a block's number from control, and its text from a file without a name.

The interpreters that know the lines of a file, but could not read so much from a socket, are
started so.
"""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.environment import environment, find_python
from oi_daemon.execution.process.guard import guard
from oi_daemon.execution.process.launch import Program
from oi_daemon.execution.process.worker import Dialect, Worker


class Given(NamedTuple):
    """What an interpreter is told in its command line: the marks' nonce, and its descriptors."""

    nonce: str
    control: int
    answers: int
    source: int


def file_worker(
    name: str,
    workplace: Workplace,
    *,
    missing: Callable[[], str | None],
    command: Callable[[Given], Sequence[str]],
    environ: Callable[[Mapping[str, str]], dict[str, str]] = dict,
    folder: str | None = None,
) -> Worker:
    """
    Args:
        name: as in "R was killed".
        missing: why it cannot be started; None if it can.
        environ: its environment, made of the one in which the user's code runs.
        folder: the variable that names it a folder, which is removed when it has ended.
    """
    handed = _HandedOver()

    def program() -> Program:
        if (why := missing()) is not None:
            raise NotInstalledError(why)
        plain = environment(find_python(workplace.python, os.environ), os.environ)
        own = {} if folder is None else {folder: _temporary_folder()}
        source = handed.renew()
        return Program(
            command=lambda control, answers, nonce: command(Given(nonce, control, answers, source)),
            environment={**environ(plain), **own},
            cwd=workplace.cwd,
            descriptors=(source,),
            folder=own.get(folder or ""),
        )

    return Worker(Dialect(name=name, program=program, request=handed.request), workplace)


class _HandedOver:
    def __init__(self) -> None:
        self._source = -1

    def renew(self) -> int:
        self._source = nameless_file()
        return self._source

    def request(self, number: int, code: str) -> bytes:
        write_text(self._source, code)
        return b"%d\n" % number


def _temporary_folder() -> str:
    folder = tempfile.mkdtemp(prefix="oi-")
    guard().add_folder(folder)
    return folder


def nameless_file() -> int:
    """Its descriptor. In memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("block")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def write_text(file: int, code: str) -> None:
    """Replace what is in it, and leave it to be read from its start."""
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.pwrite(file, code.encode("utf-8", "replace") + b"\n", 0)
