"""An SSH server on loopback, for the tests that need another machine.

It has keys, a configuration and a home folder of its own; what runs there gets nothing of the
tests' environment but what it is given.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

_PRIVILEGES = Path("/run/sshd")
"""A folder that a server run by root insists on."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """The other machine."""

    home: Path
    """Home folder of the user there."""
    programs: Path
    """Folder to put first in PATH: its `ssh` knows the machine by the name `box`, and as
    `shared-box`, to which all commands use one connection."""
    server: psutil.Process
    """The server."""

    def cut(self) -> None:
        """Cut all connections: on the other side, each session's server process is killed."""
        for session in self.server.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "sshd" in session.name():
                    session.kill()

    def processes(self) -> list[psutil.Process]:
        """What runs on the other machine, without the server."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("BOX") == str(self.home):
                    found.append(process)
        return found


@contextmanager
def other_machine(environment: Mapping[str, str]) -> Iterator[Box]:
    """Start the server; at the end it is stopped, and all that runs there is killed.

    Args:
        environment: variables of all that runs there, such as PATH.
    """
    with TemporaryDirectory(prefix="box-", ignore_cleanup_errors=True) as folder:  # short: sockets
        yield from _served(Path(folder), environment)


def _served(folder: Path, environment: Mapping[str, str]) -> Iterator[Box]:
    home, programs = folder / "there", folder / "ssh-bin"
    for each in (home, programs):
        each.mkdir(parents=True)
    for name in ("host", "user"):
        key = str(folder / name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = _free_port()
    variables = {**environment, "HOME": str(home), "BOX": str(home)}
    _write_server_config(folder, port, variables)
    _write_client_config(folder, port)
    ssh = shutil.which("ssh")
    assert ssh is not None
    (programs / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {folder}/client.conf "$@"\n')
    (programs / "ssh").chmod(0o755)
    server = _start(folder, port)
    box = Box(home=home, programs=programs, server=psutil.Process(server.pid))
    try:
        yield box
    finally:
        _end(server, box)


def _write_server_config(folder: Path, port: int, variables: Mapping[str, str]) -> None:
    given = " ".join(f'{name}="{value}"' for name, value in variables.items())
    (folder / "server.conf").write_text(f"""\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
AuthenticationMethods publickey
StrictModes no
UsePAM no
PrintMotd no
PrintLastLog no
MaxStartups 100
SetEnv {given}
""")


def _write_client_config(folder: Path, port: int) -> None:
    known = (folder / "host.pub").read_text().split()[:2]
    (folder / "known").write_text(f"[127.0.0.1]:{port} {' '.join(known)}\n")
    (folder / "client.conf").write_text(f"""\
Host box shared-box
  HostName 127.0.0.1
  Port {port}
  User {getpass.getuser()}
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
Host shared-box
  ControlMaster auto
  ControlPath {folder}/%C
  ControlPersist 30
Host *
  BatchMode yes
  ConnectTimeout 10
""")


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    if os.getuid() == 0:
        _PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert program is not None, "there is no sshd: scripts/test installs it"
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [program, "-D", "-e", "-f", str(folder / "server.conf")],
            stdin=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
        )
    while server.poll() is None:  # it writes that it listens, but gives no other sign
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return server
    raise AssertionError(log.read_text())


def _end(server: subprocess.Popen[bytes], box: Box) -> None:
    sessions = psutil.Process(server.pid).children(recursive=True)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    for process in (*sessions, *box.processes()):
        with suppress(psutil.Error):
            process.kill()
    server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
