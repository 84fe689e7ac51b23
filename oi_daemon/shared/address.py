"""Where the shared daemon listens: one socket for each user, environment and build.

Imports next to nothing, because a door has to be through in a few milliseconds.
"""

import os
import stat
import sys
from collections.abc import Iterator, Mapping

SUFFIX = ".sock"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""Folder of the package `oi_daemon`."""

KEPT = ("HOME", "USER", "LOGNAME", "TZ", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "OI_SHARED_IDLE")
"""Variables that the daemon gets from the client that starts it. They are nobody's alone."""
PLACES = (
    *("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "no_proxy", "http_proxy", "https_proxy", "all_proxy"),
    *("NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
)
"""Variables that say where a daemon keeps its files and how it reaches the network. Clients for
which they differ have a daemon each."""


class AddressError(Exception):
    """There is no safe folder for the socket. The text is for a person."""


class Address:
    """The socket of this build for this environment, by its folder and name."""

    def __init__(self, environ: Mapping[str, str], version: str) -> None:
        self.folder = folder(environ)
        self.place = _digest([sys.prefix, *(f"{n}={environ.get(n, '')}" for n in PLACES)])
        self.build = f"{version}-{_digest(_files(_PACKAGE))}"

    @property
    def name(self) -> str:
        """Name of the socket in the folder."""
        return f"{self.place}.{self.build}{SUFFIX}"

    @property
    def lock(self) -> str:
        """Name of the file that whoever starts a daemon locks."""
        return f"{self.place}.{self.build}.lock"

    @property
    def log(self) -> str:
        """Name of the file that gets what the daemon writes to stderr."""
        return f"{self.place}.{self.build}.log"

    def older(self) -> list[str]:
        """Names of the sockets of other builds for the same environment."""
        ours = self.place + "."
        return [
            name for name in sockets(self.folder) if name.startswith(ours) and name != self.name
        ]


def package_parent() -> str:
    """The folder from which `oi_daemon` is imported."""
    return os.path.dirname(_PACKAGE)


def sockets(folder: str) -> list[str]:
    """Names of all sockets in the folder."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))
    except FileNotFoundError:
        return []


def folder(environ: Mapping[str, str]) -> str:
    """The folder of the sockets: in the user's runtime folder, else in their cache folder."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and _is_private(runtime):
        return os.path.join(runtime, "oi-daemon")
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "oi-daemon", "run")


def enter(folder: str, *, make: bool = True) -> None:
    """Make the folder current, because a socket's path may have no more than 107 bytes.

    Raises:
        AddressError: it is not this user's alone.
        OSError: it is not there, or it cannot be made.
    """
    if make:
        os.makedirs(folder, 0o700, exist_ok=True)
    if not _is_private(folder):
        raise AddressError(
            f"{folder} must be a folder of yours that nobody else may read or write: mend that by"
            " `chmod 700`, or remove it."
        )
    os.chdir(folder)


def daemon_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the daemon itself: what clients do not differ in, and no key."""
    kept = {name: environ[name] for name in (*KEPT, *PLACES) if name in environ}
    paths = ":".join(
        ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
    )
    return {"PATH": paths, "LC_CTYPE": "C.UTF-8", **kept}


def _is_private(path: str) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    is_mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return is_mine and not found.st_mode & 0o077


def _files(folder: str) -> Iterator[str]:
    """Name, size and time of each file of the package: what another build differs in."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name == "__pycache__":
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                found = entry.stat()
                yield f"{entry.path} {found.st_size} {found.st_mtime_ns}"


def _digest(texts: "Iterator[str] | list[str]") -> str:
    from _blake2 import blake2b  # `hashlib` takes some milliseconds more

    return blake2b("\0".join(texts).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
