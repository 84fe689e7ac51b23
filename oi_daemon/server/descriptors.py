"""The daemon's input and output descriptors, and how it notices that the client has ended."""

import asyncio
import os
import select
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

_READ = 64 * 1024
"""Number of bytes that are read at once."""
_PROCESSES = range(1, 2**31)
"""The numbers that can be process ids."""
_PROCESS_CHECK = 1.0
"""Seconds between two looks at a process, on systems that do not report its end."""


def claim() -> tuple[int, int]:
    """Reserve stdin and stdout for the wire. Returns their new descriptors.

    From then on descriptor 0 is /dev/null and 1 is stderr, for the daemon and for the programs
    that it starts, so that no stray print breaks a frame and nobody else reads a request.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass  # a standard stream that was closed is /dev/null from now on
    stdin, stdout = os.dup(0), os.dup(1)
    os.dup2(fd, 0)
    os.dup2(2, 1)
    os.close(fd)
    return stdin, stdout


async def read(fd: int) -> AsyncIterator[bytes]:
    """Yields the input as it comes, until its end, from a file, pipe, socket or terminal."""
    while True:
        await _readable(fd)
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            continue
        except OSError:
            return  # a terminal that hung up
        if not data:
            return
        yield data


async def _readable(fd: int) -> None:
    """Wait until there is something to read."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(fd, ready.set)
    except PermissionError:  # a regular file: always ready
        return await asyncio.sleep(0)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)


def watch_output(fd: int, on_close: Callable[[], None], watches: ExitStack) -> None:
    """Call `on_close` once nobody can read `fd` any more, even if nothing is written to it.

    A half-closed socket (the client shut down its writing side) does not count; only an error or a
    full hang-up does.
    """
    if not hasattr(select, "epoll"):
        return  # the next write will fail instead
    epoll = watches.enter_context(select.epoll())
    try:
        epoll.register(fd, 0)  # errors and hang-ups are always reported
    except PermissionError:  # a regular file
        return
    _call_when_readable(epoll.fileno(), on_close, watches)


def watch_process(pid: int, on_exit: Callable[[], None], watches: ExitStack) -> bool:
    """Call `on_exit` once the process has ended.

    Returns False if this system has no process with this id.
    """
    if pid not in _PROCESSES or not _exists(pid):
        return False
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    except (AttributeError, OSError):  # no descriptors of processes here
        polling = asyncio.create_task(_poll_process(pid, on_exit))
        watches.callback(polling.cancel)
    else:
        watches.callback(os.close, fd)
        _call_when_readable(fd, on_exit, watches)
    return True


async def _poll_process(pid: int, on_exit: Callable[[], None]) -> None:
    while _exists(pid):  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(_PROCESS_CHECK)
    on_exit()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _call_when_readable(fd: int, call: Callable[[], None], watches: ExitStack) -> None:
    loop = asyncio.get_running_loop()

    def call_once() -> None:
        loop.remove_reader(fd)
        call()

    loop.add_reader(fd, call_once)
    watches.callback(loop.remove_reader, fd)
