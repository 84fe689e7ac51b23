"""The shared daemon: listens for doors, and serves the client behind each of them."""

import asyncio
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from oi_daemon import __version__, keys
from oi_daemon.conversation.conversation import Conversation
from oi_daemon.logs import configure
from oi_daemon.server.daemon import Daemon
from oi_daemon.server.doors import DOORS, Door, Guest
from oi_daemon.server.greeting import DoorsGreeting, close_all, greeting_of, unblocking
from oi_daemon.server.peers import refusal
from oi_daemon.shared.door import SERVED, VERSION

logger = logging.getLogger(__name__)

IDLE = "OI_SHARED_IDLE"
"""Environment variable: seconds without clients and state after which the daemon ends."""
_IDLE_SECONDS = 900.0
_LOOK_EVERY = 30.0
"""Most seconds between two looks at whether the daemon is still needed."""
_GREETING_WITHIN = 10.0
"""Seconds that a door has to say who it is."""
_CLOSE_WITHIN = 10.0
"""Seconds that interrupting and saving may take when the daemon ends."""
_LAST_WORDS_WITHIN = 2.0
"""Seconds that the clients' last answers may take when the daemon is stopped."""
_STOPPED = b"refused The shared daemon was stopped.\n"
_MOST_DESCRIPTORS = 65536


class Hub:
    """Accepts connections until nobody needs the daemon any longer."""

    def __init__(self, listener: socket.socket, path: Path, doors: Mapping[str, Door]) -> None:
        """
        Args:
            listener: the socket that listens; it is closed at the end.
            path: where it is, to see whether it can still be reached.
            doors: what serves each kind of client.
        """
        self._listener = listener
        self._path = path
        self._inode = _inode(path)
        """The socket's inode, which tells it from one that another daemon has made in its place;
        None if it is gone."""
        self._doors = doors
        self._daemon = Daemon()
        self._guests: set[Guest] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        """What serves a connection each."""
        self._serving: set[asyncio.Task[object]] = set()
        """Those of them that serve a client."""
        self._done = asyncio.Event()
        """Set when the daemon is to end."""
        self._is_retired = False
        """True once a newer build has taken this one's place."""
        self._unused_since = time.monotonic()
        """When it was last seen that somebody needs the daemon."""
        self._idle = _idle_seconds()

    async def run(self) -> None:
        """Serve until the daemon is stopped or nobody needs it."""
        self._listener.setblocking(False)
        accepting = asyncio.create_task(self._accept())
        watching = asyncio.create_task(self._watch())
        self._daemon.preload()
        await self._done.wait()
        for task in (accepting, watching):
            task.cancel()
        await asyncio.wait({asyncio.create_task(self._daemon.close())}, timeout=_CLOSE_WITHIN)
        self._remove_socket()  # now, so that whoever has connected meanwhile finds all saved
        for guest in self._guests:
            guest.gone.set()
        if self._serving:
            await asyncio.wait(self._serving, timeout=_LAST_WORDS_WITHIN)

    def stop(self) -> None:
        """End the daemon."""
        self._done.set()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:
                logger.exception("accepting failed")
                await asyncio.sleep(1)
                continue
            task = asyncio.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        """Serve whoever has connected, until one of both is done."""
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            if (why := refusal(connection)) is not None:
                logger.warning("a connection was refused: %s", why)
                await loop.sock_sendall(connection, f"refused {why}\n".encode())
                return
            async with asyncio.timeout(_GREETING_WITHIN):
                greeting = await greeting_of(connection)
            answer = await self._answer(greeting, connection)
            await loop.sock_sendall(connection, answer)
        except (OSError, TimeoutError, ValueError) as error:
            logger.info("a connection ended: %r", error)
        except Exception:
            logger.exception("serving failed")
        finally:
            connection.close()

    async def _answer(self, greeting: DoorsGreeting, connection: socket.socket) -> bytes:
        """What is sent to a door at the end."""
        version, kind, pid, folder, count, *rest = greeting.words
        if version.decode() != VERSION:
            return b"refused It speaks another version of the protocol.\n"
        match kind.decode():
            case "status":
                return json.dumps(self._status()).encode()
            case "stop":
                self.stop()
                await asyncio.Event().wait()
            case "retire":
                self._is_retired = True
                self._end_if_unused()
                return b""
        if self._done.is_set():
            close_all(greeting.descriptors)
            return b""  # the door waits for the end, and starts the next one
        options = tuple(option.decode() for option in rest[: int(count)])
        guest = Guest(kind.decode(), int(pid), os.fsdecode(folder), options)
        variables = [os.fsdecode(each).partition("=") for each in rest[int(count) :]]
        guest.environ = keys.Environ({name: value for name, _, value in variables})
        door = self._doors.get(guest.kind)
        if door is None or len(greeting.descriptors) != 2:
            close_all(greeting.descriptors)
            return b"refused This daemon does not serve such a client.\n"
        guest.stdin, guest.stdout = map(unblocking, greeting.descriptors)
        watching = asyncio.create_task(_end_of(connection, guest.gone))
        self._guests.add(guest)
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        try:
            await asyncio.get_running_loop().sock_sendall(connection, SERVED)
            code = await door(guest, self._daemon)
            return _STOPPED if self._done.is_set() else b"exit %d\n" % code
        finally:
            watching.cancel()
            self._guests.discard(guest)
            close_all((guest.stdin, guest.stdout))
            self._unused_since = time.monotonic()
            self._end_if_unused()

    async def _watch(self) -> None:
        """End the daemon when nobody has needed it for a while."""
        while True:
            await asyncio.sleep(min(_LOOK_EVERY, self._idle / 4))
            self._end_if_unused()

    def _end_if_unused(self) -> None:
        conversations = list(self._daemon.conversations)
        if self._guests or self._daemon.is_busy() or any(map(_has_background, conversations)):
            self._unused_since = time.monotonic()
            return
        if self._is_retired or not self._is_reachable():
            return self.stop()
        if any(map(_holds_state, conversations)):
            self._unused_since = time.monotonic()
        elif time.monotonic() - self._unused_since >= self._idle:
            self.stop()

    def _is_reachable(self) -> bool:
        """Whether the socket is still where clients look for it."""
        return self._inode is not None and _inode(self._path) == self._inode

    def _remove_socket(self) -> None:
        """Remove the socket, then close it: whoever waits there starts the next daemon."""
        if self._is_reachable():
            with suppress(OSError):
                self._path.unlink()
        self._listener.close()

    def _status(self) -> dict[str, object]:
        conversations = [
            {
                "conversation": each.id,
                "state": each.state.value,
                "holds_state": _holds_state(each),
            }
            for each in self._daemon.conversations
        ]
        return {
            "version": __version__,
            "pid": os.getpid(),
            "uptime": round(self._daemon.uptime, 1),
            "clients": [{"kind": each.kind, "pid": each.pid} for each in self._guests],
            "conversations": conversations,
            "retired": self._is_retired,
        }


def _inode(path: Path) -> int | None:
    """What tells this file from others; None if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _has_background(conversation: Conversation) -> bool:
    """Whether a block runs in the background."""
    interpreters = conversation.interpreters
    return interpreters is not None and bool(interpreters.background)


def _holds_state(conversation: Conversation) -> bool:
    """Whether there may be variables that would be lost."""
    interpreters = conversation.interpreters
    return interpreters is not None and interpreters.used


def _idle_seconds() -> float:
    try:
        return max(0.1, float(os.environ.get(IDLE, "")))
    except ValueError:
        return _IDLE_SECONDS


def serve_doors(listener: int, name: str) -> NoReturn:
    """Be the shared daemon, until nobody needs it any more.

    Args:
        listener: descriptor of the socket that listens; those above are closed.
        name: the socket's name in the current folder.
    """
    path = Path.cwd() / name
    os.chdir("/")
    os.closerange(listener + 1, _MOST_DESCRIPTORS)
    os.set_inheritable(listener, False)
    keys.close_memory()
    configure()
    code = asyncio.Runner().run(_serve_until_unused(socket.socket(fileno=listener), path))
    logging.shutdown()
    os._exit(code)  # a library's thread in a slow import or name resolution is not waited for


async def _serve_until_unused(listener: socket.socket, path: Path) -> int:
    import oi_daemon.server.lsp  # noqa: F401 - now, so that no client waits for it

    hub = Hub(listener, path, DOORS)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, hub.stop)
    await hub.run()
    return 0


async def _end_of(connection: socket.socket, gone: asyncio.Event) -> None:
    """Set the event when the other end is closed."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while await loop.sock_recv(connection, 64):
            pass
    gone.set()
