"""A daemon on another machine or in a container: the command that reaches it.

The command replaces this process, so the client's pipes are those of `ssh` itself. There it runs a
short script, which finds `oi-daemon` and starts a door of the daemon that is shared there: a
connection that is lost takes nothing with it.
"""

import os
import shlex

FAR = "OI_CLIENT_FAR"
"""Environment variable of a client on another machine, whose process ids mean nothing here."""
EXPECTED = "OI_CLIENT_VERSION"
"""Environment variable: the version of the program that the client has at its own place."""
ABSENT = 127
"""Exit code if there is no `oi-daemon` at that place."""
UNREACHABLE = 255
"""Exit code of ssh if it cannot connect, or if the connection was lost."""
FOLDER = ".local/share/oi-daemon/env"
"""Folder in the home folder there, into which `install_command` installs."""

_KEEP_ALIVE = ("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3")
"""Lets ssh notice within a minute that a connection is dead."""
_PROGRAMS = {"docker": ("docker", "exec", "-i"), "podman": ("podman", "exec", "-i")}
_IDLE = 60
"""Seconds after which a daemon without clients and variables ends there, if it was started so."""

_FIND = (
    'oi=; for each in "$(command -v oi-daemon)" "$HOME/.local/bin/oi-daemon"'
    ' "$HOME/@folder@/bin/oi-daemon"; do'
    ' if [ -z "$oi" ] && [ -x "$each" ]; then oi=$each; fi; done; '
)
_START = (
    'if [ -z "$oi" ]; then echo "oi-daemon: There is no oi-daemon on $(uname -n)." >&2; exit 127;'
    " fi; OI_SHARED_IDLE=${OI_SHARED_IDLE:-@idle@}; export OI_SHARED_IDLE; @far@=1; export @far@;"
    " @expected@=@version@; export @expected@; "
    'exec "$oi" --stdio --shared'
)
_INSTALL = (
    'py=; for each in python3 python3.14 python3.13 python3.12 python3.11; do if [ -z "$py" ] &&'
    ' "$each" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))" 2>/dev/null;'
    ' then py=$each; fi; done; if [ -z "$py" ]; then echo "There is no Python 3.11 or later with'
    ' venv on $(uname -n)." >&2; exit 1; fi; "$py" -m venv "$HOME/@folder@" &&'
    ' "$HOME/@folder@/bin/python" -m pip install --quiet --disable-pip-version-check'
    ' "oi-daemon[jupyter]==@version@" >&2'
)


def daemon_command(host: str, version: str) -> list[str]:
    """The command line that reaches the daemon at a place, with its stdin and stdout.

    Args:
        host: what ssh takes, or `docker:NAME`, `podman:NAME`, `kubectl:NAME`.
        version: of this program.
    """
    return _there(host, _filled(_FIND + _START, version))


def install_command(host: str, version: str) -> list[str]:
    """The command line that installs `oi-daemon` at a place, in a private environment."""
    return _there(host, _filled(_INSTALL, version))


def reach(host: str, version: str) -> int:
    """Become the program that reaches the daemon at a place; returns only if there is none."""
    command = daemon_command(host, version)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        told = f"oi-daemon: {command[0]} cannot be started: {error.strerror}.\n"
        os.write(2, told.encode())
    return 1


def warn_of_version(version: str) -> None:
    """Tell a client on another machine if its version is not the one of this program."""
    expected = os.environ.get(EXPECTED)
    if expected and expected != version:
        told = f"oi-daemon: This is {version} on {os.uname().nodename}, and {expected} at your own"
        os.write(2, f"{told} place. Install the same version at both.\n".encode())


def _there(host: str, script: str) -> list[str]:
    """The command line that runs a script of one line, without single quotes, at a place."""
    kind, separator, name = host.partition(":")
    if separator and kind in _PROGRAMS:
        return [*_PROGRAMS[kind], name, "sh", "-c", script]
    if separator and kind == "kubectl":
        return ["kubectl", "exec", "-i", name, "--", "sh", "-c", script]
    return ["ssh", "-T", *_KEEP_ALIVE, "--", host, f"sh -c {shlex.quote(script)}"]


def _filled(script: str, version: str) -> str:
    """The script with names and values in place of its marks."""
    values = {"folder": FOLDER, "idle": str(_IDLE), "far": FAR, "expected": EXPECTED}
    for mark, value in {**values, "version": version}.items():
        script = script.replace(f"@{mark}@", value)
    return script
