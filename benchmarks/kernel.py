"""Our Python beside a Jupyter kernel's, in the same run.

pip install ipykernel jupyter_client; python benchmarks/kernel.py
"""

import asyncio
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from subprocess import DEVNULL

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from execution import run, spent_on

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace

STARTS = 7
ROUND_TRIPS = 200


class Kernel:
    """ipykernel, through the client that Jupyter's own programs use."""

    async def start(self) -> None:
        manager = import_module("jupyter_client.manager")
        self._manager, self._client = await manager.start_new_async_kernel(stderr=DEVNULL)

    async def run(self, code: str) -> None:
        """Until the reply is there, and all output before it."""
        await self._client.execute_interactive(code, timeout=60)

    def process(self) -> int:
        return int(self._manager.provisioner.process.pid)

    async def close(self) -> None:
        self._client.stop_channels()
        await self._manager.shutdown_kernel(now=True)


async def main() -> None:
    if not (find_spec("ipykernel") and find_spec("jupyter_client")):
        print("Not measured: it needs `pip install ipykernel jupyter_client`")
        return
    print(f"{'':38}{'ours':>10}{'ipykernel':>10}{'ratio':>8}{'bound':>8}")
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(cwd=folder, python=sys.executable)
        await cold_starts(place)
        interpreters, kernel = Interpreters(place), Kernel()
        await kernel.start()
        await round_trips(interpreters, kernel)
        await memory(interpreters, kernel)
        await interpreters.close()
        await kernel.close()


async def cold_starts(place: Workplace) -> None:
    """To the end of the first block."""
    ours, theirs = [], []
    for _ in range(STARTS):
        interpreters = Interpreters(place)
        ours.append(await spent_on(interpreters, "pass"))
        await interpreters.close()
        kernel = Kernel()
        start = time.perf_counter()
        await kernel.start()
        await kernel.run("pass")
        theirs.append(time.perf_counter() - start)
        await kernel.close()
    report("start and first block, ms", median(ours) * 1e3, median(theirs) * 1e3, 0.1)


async def round_trips(interpreters: Interpreters, kernel: Kernel) -> None:
    """In turn: the machine's moods hit both. Ours keeps a copy for after a crash each time."""
    ours, theirs = [], []
    for _ in range(ROUND_TRIPS):
        ours.append(await spent_on(interpreters, "pass"))
        start = time.perf_counter()
        await kernel.run("pass")
        theirs.append(time.perf_counter() - start)
    report("warm block, ms", median(ours) * 1e3, median(theirs) * 1e3, 0.2)


async def memory(interpreters: Interpreters, kernel: Kernel) -> None:
    """Of the processes that run the code, with our standby; what is shared, by shares."""
    await run(interpreters, "import os")
    ours = int(await run(interpreters, "os.getpid()"))
    report("memory, MiB", of_tree(ours), of_tree(kernel.process()), 1 / 3)


def of_tree(process: int) -> float:
    parent = psutil.Process(process)
    tree = [parent, *parent.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in tree) / (1 << 20)


def report(name: str, ours: float, theirs: float, bound: float) -> None:
    print(f"{name:38}{ours:>10.2f}{theirs:>10.2f}{ours / theirs:>8.3f}{bound:>8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
