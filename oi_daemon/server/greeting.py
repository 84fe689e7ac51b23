"""What a door of the shared daemon sends first: who its client is, and the client's own pipes."""

import asyncio
import fcntl
import os
import socket
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

_MOST_GREETING = 16 * 1024 * 1024
"""Bytes above which a greeting is refused. Linux allows an environment of some MiB."""
_HEAD = 8
"""Bytes of a greeting's size."""


@dataclass(frozen=True, slots=True)
class DoorsGreeting:
    """A door's first message."""

    words: list[bytes]
    """Version, kind, process id, folder, number of options, the options, the environment."""
    descriptors: list[int]
    """The client's stdin and stdout."""


async def greeting_of(connection: socket.socket) -> DoorsGreeting:
    """What a door sends first.

    Raises:
        ValueError: it is no greeting.
        OSError: the connection has ended.
    """
    descriptors: list[int] = []
    try:
        return DoorsGreeting(await _words(connection, descriptors), descriptors)
    except BaseException:
        close_all(descriptors)
        raise


async def _words(connection: socket.socket, descriptors: list[int]) -> list[bytes]:
    """The words of a greeting. The descriptors that come with it are added to the list."""
    data = b""
    while len(data) < _HEAD or len(data) < _HEAD + int(data[:_HEAD]):
        await _readable(connection)
        piece, found, _, _ = socket.recv_fds(connection, 1 << 16, 2)
        descriptors += found
        if not piece:
            raise ValueError("the greeting has no end")
        data += piece
        if len(data) >= _HEAD and int(data[:_HEAD]) > _MOST_GREETING:
            raise ValueError("the greeting is too long")
    words = data[_HEAD:].split(b"\0")
    if len(words) < 5:
        raise ValueError("that is no greeting")
    return words


def unblocking(fd: int) -> int:
    """A descriptor of the same pipe or terminal that never blocks, whoever else reads or writes it.

    The client may share it with other programs, and one client must not hold up the others.
    """
    os.set_inheritable(fd, False)
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISFIFO(mode) or (stat.S_ISCHR(mode) and os.isatty(fd))):
        return fd
    access = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
    try:
        own = os.open(f"/proc/self/fd/{fd}", access | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return fd
    os.close(fd)
    return own


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors, also those that are closed already."""
    for fd in descriptors:
        with suppress(OSError):
            os.close(fd)


async def _readable(connection: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(connection)
