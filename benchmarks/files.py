"""What it costs a block that files are kept, in folders of 10,000 files.

python benchmarks/files.py
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from oi_daemon.changes import tree
from oi_daemon.changes.keeper import Bounds, Keeper

FILES, ROUNDS = 10_000, 20


def main() -> None:
    print(f"{'milliseconds that a block takes longer':48}{'median':>10}{'most':>10}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "work")
        for number in range(FILES):
            place = work / f"folder {number // 100}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"file {number}").write_text(f"line {number}\n" * 50)
        measure(work, Path(folder, "kept"), "")
        vars(tree)["watches"] = lambda: None
        measure(work, Path(folder, "compared"), " without inotify")


def measure(work: Path, kept: Path, how: str) -> None:
    """Print the rows of one way to find changes."""
    bounds = Bounds(roots=(str(work),), size=1 << 30, largest=1 << 28, wait=60, ignore=None)
    keeper = Keeper(kept, bounds, "benchmark")
    report(f"the first one, which copies all{how}", keeper, lambda number: None, rounds=1)
    report(f"one that changes nothing{how}", keeper, lambda number: None)
    report(f"one that writes a file{how}", keeper, lambda n: _write(work, n, 1))
    report(f"one that writes 100 files{how}", keeper, lambda n: _write(work, n, 100))
    keeper.close()


def report(
    name: str, keeper: Keeper, block: Callable[[int], object], *, rounds: int = ROUNDS
) -> None:
    """One row."""
    times = []
    for number in range(rounds):
        start = time.perf_counter()
        keeper.before(number, "python")
        before = time.perf_counter() - start
        block(number)
        start = time.perf_counter()
        keeper.after()
        times.append((before + time.perf_counter() - start) * 1e3)
    print(f"{name:48}{median(times):>10.2f}{max(times):>10.2f}")


def _write(work: Path, number: int, count: int) -> None:
    for each in range(count):
        (work / f"new {each}").write_text(f"{number}")


if __name__ == "__main__":
    main()
