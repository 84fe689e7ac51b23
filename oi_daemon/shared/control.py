"""`oi-daemon --shared status` and `stop`, for all daemons that this user's clients share."""

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from oi_daemon.shared import address, door

_STOPPED, _NOT_STOPPED = 0, 1


@dataclass(frozen=True)
class _Found:
    """A daemon that answers."""

    socket: str
    status: dict[str, Any]

    @property
    def needed(self) -> list[str]:
        """What would be lost if it ended, each a line."""
        lines = []
        for each in self.status["conversations"]:
            if each["state"] != "idle":
                lines.append(f"{each['conversation']}: a turn is under way ({each['state']})")
            elif each["holds_state"]:
                lines.append(f"{each['conversation']}: its interpreters hold variables")
        return lines


def status() -> int:
    """Print what each daemon does; returns the exit code."""
    found = _daemons()
    for each in found:
        _print(each)
    if not found:
        print("No shared daemon runs.")  # noqa: T201
    return 0


def stop(*, yes: bool) -> int:
    """Stop each daemon, after a yes where something would be lost; returns the exit code."""
    code = _STOPPED
    found = _daemons()
    for each in found:
        if each.needed and not yes and not _agrees(each):
            code = _NOT_STOPPED
            continue
        door.request(each.socket, "stop")
        print(f"Stopped the shared daemon {each.status['pid']}.")  # noqa: T201
    if not found:
        print("No shared daemon runs.")  # noqa: T201
    return code


def _daemons() -> list[_Found]:
    """All daemons of this user that answer."""
    folder = address.folder(os.environ)
    try:
        address.enter(folder, make=False)
    except (OSError, address.AddressError):
        return []
    found = []
    for name in address.sockets(folder):
        answer = door.request(name, "status")
        if answer:
            found.append(_Found(name, json.loads(answer)))
    return found


def _print(found: _Found) -> None:
    status = found.status
    clients = [f"{each['kind']} (process {each['pid']})" for each in status["clients"]]
    retired = (
        ", ends when it is not needed, because a newer build runs" if status["retired"] else ""
    )
    print(  # noqa: T201
        f"oi-daemon {status['version']}, process {status['pid']}, up for"
        f" {status['uptime']:.0f} s{retired}\n"
        f"  clients: {', '.join(clients) or 'none'}"
    )
    for each in status["conversations"]:
        state = ", holds variables" if each["holds_state"] else ""
        print(f"  conversation {each['conversation']}: {each['state']}{state}")  # noqa: T201


def _agrees(found: _Found) -> bool:
    for line in found.needed:
        print(f"  {line}")  # noqa: T201
    question = f"Stop the shared daemon {found.status['pid']} all the same? (y)es, (n)o: "
    if not sys.stdin or not sys.stdin.isatty():
        print(f"The shared daemon {found.status['pid']} is in use: stop it by --yes.")  # noqa: T201
        return False
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
