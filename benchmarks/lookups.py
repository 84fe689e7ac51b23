"""Speed of lookups, which list variables and complete names, beside a block that does nothing.

python benchmarks/lookups.py
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from oi_daemon.execution import lookups
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.lookups import CodePlace

ROUNDS = 15
MANY = "for i in range(10_000): globals()[f'v{i}'] = [i, str(i), {i: 1.5}, (i,)][i % 4]"
TABLE = "import numpy as np, pandas as pd\ndf = pd.DataFrame(np.zeros((1_250_000, 100)))"


async def main() -> None:
    print(f"{'milliseconds':38}{'median':>10}{'first':>10}")
    with tempfile.TemporaryDirectory() as folder:
        interpreters = Interpreters(Workplace(cwd=folder, python=sys.executable))
        await run(interpreters, "x = 1")
        await report("a block that does nothing", lambda: run(interpreters, "pass"))
        await report("one variable", lambda: variables(interpreters))
        await report("a completion", lambda: complete(interpreters, "x.re"))
        await run(interpreters, MANY)
        await report("10,000 names", lambda: variables(interpreters))
        await run(interpreters, TABLE)
        await report("10,000 names and a table of 1 GB", lambda: variables(interpreters))
        block = asyncio.create_task(run(interpreters, "import time\ntime.sleep(3)"))
        await report("the same during time.sleep", lambda: variables(interpreters))
        interpreters.interrupt()
        await block
        await interpreters.close()


async def report(name: str, act: Callable[[], Awaitable[object]]) -> None:
    """One row."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await act()
        times.append((time.perf_counter() - start) * 1e3)
    print(f"{name:38}{median(times):>10.2f}{times[0]:>10.2f}")


async def run(interpreters: Interpreters, code: str) -> None:
    async for _ in interpreters.run("python", code):
        pass


async def variables(interpreters: Interpreters) -> None:
    found = await lookups.variables(interpreters, "python", 10_000)
    assert found.unanswered == []


async def complete(interpreters: Interpreters, code: str) -> None:
    found = await lookups.completions(interpreters, CodePlace("python", code, len(code)))
    assert found.matches


if __name__ == "__main__":
    asyncio.run(main())
