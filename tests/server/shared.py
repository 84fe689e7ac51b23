"""The shared daemon of a test: started by its first client, and stopped at the end."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oi_daemon import __version__
from oi_daemon.shared import address, door
from tests.patience import PATIENCE
from tests.wire_client import COMMAND, WireClient, eventually

SHARED = (COMMAND, "--stdio", "--shared")


def client(environ: Mapping[str, str] | None = None) -> WireClient:
    """A client of the shared daemon."""
    return WireClient(SHARED, environ=environ)


def ran(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """What `oi-daemon --shared` with these words says."""
    command = [COMMAND, "--shared", *words]
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def socket_path() -> Path:
    """Where the daemon of this test listens."""
    here = address.Address(os.environ, __version__)
    return Path(here.folder, here.name)


def status() -> dict[str, Any] | None:
    """What the daemon says of itself; None if none runs."""
    before, path = Path.cwd(), socket_path()
    if not path.exists():
        return None
    os.chdir(path.parent)
    try:
        answer = door.request(path.name, "status")
    finally:
        os.chdir(before)
    return json.loads(answer) if answer else None


def pid() -> int:
    """Id of the daemon's process."""
    found = status()
    assert found is not None
    return int(found["pid"])


def is_alive(process: int) -> bool:
    """Whether a process runs, and is no zombie."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return fields[0] != "Z"


def wait_for_end(process: int) -> None:
    eventually(lambda: not is_alive(process), "the daemon ends")


@contextmanager
def stopped_at_the_end() -> Iterator[None]:
    """Leaves no daemon of the test behind."""
    try:
        yield
    finally:
        if (found := status()) is not None:
            os.kill(found["pid"], signal.SIGCONT)
            ran("stop", "--yes")
            wait_for_end(found["pid"])
