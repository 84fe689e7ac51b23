"""The process that a client starts to reach the shared daemon: it hands over its pipes and waits.

The daemon gets the client's stdin and stdout themselves, so no byte passes through here.
"""

import _socket  # `socket` takes some milliseconds more
import array
import os
import sys

from oi_daemon.shared import address
from oi_daemon.shared.address import Address, AddressError

VERSION = "1"
"""Version of what doors and daemons say to each other."""
SERVED = b"+"
"""What a daemon sends before it reads the first byte of a client."""
_ATTEMPTS = 3
"""How many daemons are tried that end before they serve this client."""
_PIECE = 1 << 16
_BACKLOG = 128
_PATIENCE = 10.0
"""Seconds that a daemon has to answer a command."""


class DoorError(Exception):
    """The daemon cannot be reached. The text is for a person."""


def pass_through(kind: str, version: str, options: tuple[str, ...] = ()) -> int:
    """Let the shared daemon serve the client at stdin and stdout; returns the exit code.

    Args:
        kind: what the client speaks, such as `stdio`.
        version: of this program.
        options: more words for the daemon.
    """
    try:
        folder = os.getcwdb()
    except FileNotFoundError:
        folder = b"/"
    try:
        connection = _admitted(kind, version, folder, options)
        try:
            _let_go()
            return _exit_code(connection)
        finally:
            connection.close()
    except (DoorError, AddressError) as error:
        text = str(error)
    except OSError as error:
        text = f"The shared daemon cannot be reached: {error.strerror or error}."
    os.write(2, f"oi-daemon: {text} With --private there is one for this client alone.\n".encode())
    return 1


def _admitted(kind: str, version: str, folder: bytes, options: tuple[str, ...]) -> _socket.socket:
    """A connection to a daemon that has begun to serve this client.

    One that ended before is no loss, as it has read nothing: the next one is started.

    Raises:
        DoorError: the daemon refuses this process, or each of them has ended.
    """
    for _ in range(_ATTEMPTS):
        connection = connected(version)
        if connection is None:
            continue
        try:
            _greet(connection, kind, folder, options)
        except (BrokenPipeError, ConnectionResetError):
            pass  # who refuses does not listen; why it does is to be read
        sign = _received(connection, 1)
        if sign == SERVED:
            return connection
        refused = _line(connection) if sign else ""
        connection.close()
        if sign:
            raise DoorError(refused.partition(" ")[2])
    raise DoorError(_DIED)


def connected(version: str) -> "_socket.socket | None":
    """A connection to the daemon of this build, which is started if there is none.

    None if that has ended already.
    """
    here = Address(os.environ, version)
    address.enter(here.folder)
    return connect(here.name) or _start(here)


def connect(name: str) -> "_socket.socket | None":
    """A connection to a socket in the current folder; None if nobody listens there.

    Raises:
        DoorError: somebody else listens there.
    """
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(name)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    if peer(connection)[1] != os.getuid():
        raise DoorError(f"The socket {name} belongs to another user.")
    return connection


def peer(connection: _socket.socket) -> tuple[int, int]:
    """Process id and user id of who is at the other end."""
    if not hasattr(_socket, "SO_PEERCRED"):
        return 0, os.getuid()  # no Linux: the folder is the user's alone
    data = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    pid, uid, _ = array.array("i", data)
    return pid, uid


def request(name: str, command: str) -> "bytes | None":
    """What a daemon answers to a command; None if nobody answers at this socket."""
    connection = connect(name)
    if connection is None:
        return None
    connection.settimeout(_PATIENCE)
    try:
        connection.sendall(
            _frame([VERSION.encode(), command.encode(), b"%d" % os.getpid(), b"/", b"0"])
        )
        pieces = []
        while piece := connection.recv(_PIECE):
            pieces.append(piece)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        return None
    finally:
        connection.close()
    return b"".join(pieces)


def _start(here: Address) -> "_socket.socket | None":
    """Start a daemon, and connect to it. Of several that start one, the first does.

    The socket is made here and inherited by the daemon, so a client need not wait until it listens.
    """
    import fcntl

    lock = os.open(here.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = connect(here.name)
        if connection is None:
            _listen_and_spawn(here)
            for older in here.older():
                request(older, "retire")
            connection = connect(here.name)
        return connection
    finally:
        os.close(lock)


def _listen_and_spawn(here: Address) -> None:
    try:
        os.unlink(here.name)  # left by a daemon that was killed
    except FileNotFoundError:
        pass
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(here.name)
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(here.log, flags, 0o600)
    code = (
        f"import sys; sys.path.append({address.package_parent()!r});"
        f" from oi_daemon.cli import shared; shared(3, {here.name!r})"
    )
    command = [sys.executable, "-P", "-c", code, "oi-daemon", "--shared"]
    moved = 100 + listener.fileno()  # the next steps must not overwrite it
    actions = [
        (os.POSIX_SPAWN_DUP2, listener.fileno(), moved),
        (os.POSIX_SPAWN_DUP2, null, 0),
        (os.POSIX_SPAWN_DUP2, null, 1),
        (os.POSIX_SPAWN_DUP2, log, 2),
        (os.POSIX_SPAWN_DUP2, moved, 3),
        (os.POSIX_SPAWN_CLOSE, moved),
    ]
    environment = address.daemon_environment(os.environ)
    os.posix_spawn(sys.executable, command, environment, file_actions=actions, setsid=True)
    listener.close()
    os.close(null)
    os.close(log)


def _greet(connection: _socket.socket, kind: str, folder: bytes, options: tuple[str, ...]) -> None:
    """Send who the client is, and its stdin and stdout themselves."""
    words = [VERSION.encode(), kind.encode(), b"%d" % os.getpid(), folder, b"%d" % len(options)]
    words += [option.encode() for option in options]
    data = _frame(words + [name + b"=" + value for name, value in os.environb.items()])
    for fd in (0, 1):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1]))
    sent = connection.sendmsg([data], [rights])
    if sent < len(data):
        connection.sendall(data[sent:])


def _frame(words: list[bytes]) -> bytes:
    """The words with their size in front, so that they arrive whole."""
    data = b"\0".join(words)
    return b"%8d" % len(data) + data


def _let_go() -> None:
    """Close stdin and stdout, so that their ends mean the client and the daemon alone."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)


def _exit_code(connection: _socket.socket) -> int:
    """Wait until the daemon has served the client, and return the exit code.

    Raises:
        DoorError: the daemon has ended without.
    """
    word, _, rest = _line(connection).partition(" ")
    if word == "exit":
        return int(rest)
    raise DoorError(rest)


def _line(connection: _socket.socket) -> str:
    """The next line of the daemon's.

    Raises:
        DoorError: the daemon has ended without.
    """
    line = b""
    while not line.endswith(b"\n"):
        piece = _received(connection, _PIECE)
        if not piece:
            raise DoorError(_DIED)
        line += piece
    return line.decode("utf-8", "replace").strip()


def _received(connection: _socket.socket, most: int) -> bytes:
    """What the daemon has sent, at most so many bytes; nothing if it has ended."""
    try:
        return connection.recv(most)
    except ConnectionResetError:
        return b""


_DIED = (
    "The shared daemon has ended unexpectedly; its log has more. The next start begins a new one."
)
