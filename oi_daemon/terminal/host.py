"""The daemon at another place: says what it waits for, and offers to install what is missing."""

import subprocess
from typing import Protocol

from oi_daemon import __version__
from oi_daemon.errors import NoDaemonError, OIError
from oi_daemon.shared.host import FOLDER, install_command
from oi_daemon.terminal.line import can_draw
from oi_daemon.terminal.printing import print_text

_OFFER = """\
There is no oi-daemon at {host}. It can be installed there now:
  - with the Python of that place, 3.11 or later, in an environment of its own: ~/{folder}
  - oi-daemon {version} and what it needs, by pip, from the package index that is set up there
Nothing else is changed there; to undo it, remove that folder."""
_QUESTION = "Install it there? (y)es, (n)o: "
_FAILED = (
    "It could not be installed; the lines above say why. Install oi-daemon {version} at {host} by"
    " hand, so that it is in the PATH of a command over ssh, or in ~/{folder}."
)


class Reachable(Protocol):
    """What reaches a daemon, such as `Interpreter`."""

    @property
    def host(self) -> str | None: ...
    def start(self, *, wait: bool = False) -> None: ...


def reach(interpreter: Reachable) -> None:
    """Wait until the daemon at the other place answers. If there is none, offer to install it.

    Raises:
        OIError: it cannot be reached, or there is none and it is not to be installed.
    """
    host = interpreter.host
    assert host is not None
    if can_draw():
        print_text(f"Connecting to {host} ...")
    try:
        interpreter.start(wait=True)
    except NoDaemonError:
        if not can_draw() or not _agrees(host):
            raise
        _install(host)
        interpreter.start(wait=True)


def _agrees(host: str) -> bool:
    """Ask whether to install."""
    print_text(_OFFER.format(host=host, folder=FOLDER, version=__version__))
    try:
        return input(_QUESTION).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _install(host: str) -> None:
    """Install the daemon at that place.

    Raises:
        OIError: it did not work.
    """
    print_text("Installing, which takes a minute or two ...")
    done = subprocess.run(install_command(host, __version__), stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise OIError(_FAILED.format(host=host, folder=FOLDER, version=__version__))
