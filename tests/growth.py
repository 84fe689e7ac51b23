"""Whether time grows with the length of what is worked on, or with its square."""

import time
from collections.abc import Callable


def grows_linearly(work: Callable[[int], object], length: int = 5_000) -> bool:
    """Four times the length takes about four times as long; squared it would be sixteen."""
    return _seconds(work, 4 * length) < 10 * _seconds(work, length)


def _seconds(work: Callable[[int], object], length: int) -> float:
    """The best of a few tries."""
    best = float("inf")
    for _ in range(4):
        started = time.process_time()
        work(length)
        best = min(best, time.process_time() - started)
    return best
