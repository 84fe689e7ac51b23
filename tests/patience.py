"""How long a test waits for what must happen."""

import asyncio
import time
from collections.abc import Callable

PATIENCE = 100.0
"""Seconds after which a wait has failed. Nothing on an idle machine comes near: that something
never happens is a test's matter, how fast it is that of `benchmarks`."""


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that the system gives no event for."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
