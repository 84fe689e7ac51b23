"""Counts how long an interrupted block has had to stop: the time in which it could really run.

On a busy machine, a process waits for a processor most of the time. That time does not count,
because the process could not even handle the interrupt.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

LONGEST = 30.0
"""Seconds after which patience ends even if the process could not run at all."""


class Patience:
    """How long a block's processes could run since the interrupt."""

    def __init__(
        self,
        grace: float,
        every: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        waited: Callable[[int], float] | None = None,
    ) -> None:
        """
        Args:
            grace: seconds for which the processes must have been able to run.
            every: seconds between two calls of `is_over`. If we are called later than that, the
                machine is too busy to run us, and that time does not count either.
            clock: gives the time in seconds.
            waited: gives the seconds that a process has waited for a processor in its life.
        """
        self._grace = grace
        self._every = every
        self._clock = clock
        self._waited = waited or _seconds_without_processor
        self._begin = self._latest = clock()
        self._late = 0.0
        """Seconds by which we were called too late, in all."""
        self._at_first: dict[int, float] = {}
        """What `waited` gave for each process when it was seen first."""

    def is_over(self, processes: Iterable[int]) -> bool:
        """Whether these processes have had enough time to stop."""
        now = self._clock()
        self._late += max(0.0, now - self._latest - 2 * self._every)
        self._latest = now
        waited = max(map(self._waited_since_first, processes), default=0.0)
        passed = now - self._begin
        return passed >= LONGEST or passed - max(waited, self._late) >= self._grace

    def _waited_since_first(self, process: int) -> float:
        """Seconds that a process has waited for a processor since it was seen first."""
        waited = self._waited(process)
        return waited - self._at_first.setdefault(process, waited)


def _seconds_without_processor(process: int) -> float:
    """Seconds that a process could have run but had no processor; 0 if the system does not say."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
