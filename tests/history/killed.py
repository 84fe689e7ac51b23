"""Saves a story in processes that are killed at a system call.

Reads a number and a folder a line; writes how many steps were acknowledged, and whether the
process was killed at that call or has ended before it.
"""

import os
import signal
import sys
from pathlib import Path

from oi_daemon import files
from oi_daemon.history import History
from tests.fakes.disk import FaultyDisk
from tests.history.turns import play_story


def main() -> None:
    for line in sys.stdin:
        number, folder = line.split()
        told, ended = save(int(number), Path(folder))
        sys.stdout.write(f"{told} {'ended' if ended else 'killed'}\n")
        sys.stdout.flush()


def save(number: int, folder: Path) -> tuple[int, bool]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        vars(files)["os"] = FaultyDisk(lambda call, _: kill_me() if call == number else None)
        play_story(History(folder), lambda _: acknowledge(writer))
        os._exit(0)
    os.close(writer)
    told = 0
    while data := os.read(reader, 100):
        told += len(data)
    os.close(reader)
    return told, os.waitpid(child, 0)[1] == 0


def acknowledge(writer: int) -> None:
    os.write(writer, b".")


def kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
