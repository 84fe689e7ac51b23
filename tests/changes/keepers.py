"""Keepers for tests, and the program that is killed in the middle of its work."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from oi_daemon.changes.keeper import Bounds, Keeper
from oi_daemon.changes.undoing import Wanted
from tests.changes.folders import change

ALL = Wanted()
REDO = Wanted(redo=True)


def keeper(
    folder: Path,
    *,
    size: int = 1 << 30,
    largest: int = 1 << 28,
    ignore: str | None = None,
    store: str = "kept",
) -> Keeper:
    """Keeps `folder/work`, beside it."""
    bounds = Bounds(
        roots=(str(folder / "work"),), size=size, largest=largest, wait=60, ignore=ignore
    )
    return Keeper(folder / store, bounds, "session")


def block(kept: Keeper, folder: Path, seed: int, times: int = 12) -> None:
    """Let a block change the folder at random."""
    kept.before(seed, "python")
    change(folder / "work", random.Random(seed), times)
    kept.after()


def undo_all(kept: Keeper, wanted: Wanted = ALL) -> None:
    """Undo until there is nothing more to undo."""
    while True:
        undone = kept.undo(wanted)
        assert undone.refused == {}
        if undone.record is None:
            return


def run_killed(folder: Path, seed: int, *, at: int) -> bool:
    """Run this module as a program, which kills itself; False if it ended before that."""
    command = [sys.executable, "-m", __name__, str(folder), str(seed), str(at)]
    return subprocess.run(command, check=False).returncode == -signal.SIGKILL


def main(folder: Path, seed: int, at: int) -> None:
    """Kill this process in the middle of a block; if `at` is not 0, at that step of the undo."""
    import os

    kept = keeper(folder)
    kept.before(seed, "python")
    change(folder / "work", random.Random(seed), 12)
    if not at:
        os.kill(os.getpid(), signal.SIGKILL)
    kept.after()
    steps = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        is_step = any(str(each).startswith(str(folder / "work")) for each in arguments)
        if is_step and event in (
            "os.rename",
            "os.remove",
            "os.rmdir",
            "os.mkdir",
            "os.chmod",
            "os.link",
        ):
            steps += 1
            if steps == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    kept.undo(ALL)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
