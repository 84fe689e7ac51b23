"""Speed of running code, each figure beside a floor measured in the same run.

python benchmarks/execution.py
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from subprocess import PIPE

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.limits import Limits
from oi_daemon.messages import Output

ROUNDS = 15
PLAIN = [sys.executable, "-X", "utf8"]
LOOP = """\
import time
start = time.process_time()
x = 0
for i in range(2_000_000):
    if i % 3:
        x += i
    else:
        x -= 1
spent = time.process_time() - start
"""
JAVASCRIPT_LOOP = """\
let start = process.cpuUsage()
{
  let x = 0
  for (let i = 0; i < 20_000_000; i++) {
    if (i % 3) x += i
    else x -= 1
  }
}
console.log(process.cpuUsage(start).user)
"""
PRINTS = "for i in range(200000): print(i)"
TWENTY_PRINTS = "\n".join(f"print({number})" for number in range(20))
LONG_LINE = "print('x' * 100_000_000)"
SHELL_LOOPS = {
    "(( ))": "i=0\nwhile ((i < 100000)); do\n  ((i++))\ndone",
    "for": "for i in {1..100000}; do\n  x=$i\ndone",
    "[ ]": "i=0\nwhile [ $i -lt 100000 ]; do\n  i=$((i + 1))\ndone",
}
INTERRUPTED = {
    "while True: pass": "while True: pass",
    "time.sleep(60)": "import time; time.sleep(60)",
    "await asyncio.sleep(60)": "import asyncio; await asyncio.sleep(60)",
    "subprocess.run": "import subprocess; subprocess.run(['sleep', '60'])",
    "os.system": "import os; os.system('sleep 60')",
}
JAVASCRIPT_INTERRUPTED = {
    "for (;;) {}": "for (;;) {}",
    "a promise": "await new Promise(() => {})",
}


async def main() -> None:
    print(f"{'':38}{'ours':>10}{'floor':>10}{'ratio':>8}{'bound':>8}")
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(cwd=folder, python=sys.executable)
        await cold_start(place)
        interpreters = Interpreters(place)
        await interpreters.warm()
        await memory(interpreters)
        await round_trips(interpreters)
        await loop(interpreters)
        await javascript_loop(interpreters)
        await shell_loops(interpreters)
        await floods(interpreters)
        await interrupts(interpreters)
        await interpreters.close()
        await copies(place)


async def cold_start(place: Workplace) -> None:
    """The floor is the same interpreter doing nothing."""
    for language, code, plain in (
        ("python", "pass", [*PLAIN, "-c", "pass"]),
        ("shell", ":", ["bash", "-c", ":"]),
        ("javascript", "undefined", ["node", "-e", "0"]),
        ("r", "x <- 1", ["Rscript", "--no-save", "--no-restore", "-e", "x <- 1"]),
    ):
        ours, floors = [], []
        for _ in range(ROUNDS):
            interpreters = Interpreters(place)
            ours.append(await spent_on(interpreters, code, language))
            await interpreters.close()
            floors.append(spent_by(plain))
        report(f"{language}: start and first block", median(ours), median(floors), 3)


async def round_trips(interpreters: Interpreters) -> None:
    """The floor is `cat` in place of an interpreter."""
    floor = await echo()
    cases = [("python", "pass", 60), ("shell", ":", 60), ("javascript", "undefined", 60)]
    for language, code, bound in [*cases, ("r", "x <- 1", 600)]:
        ours = median([await spent_on(interpreters, code, language) for _ in range(200)])
        report(f"{language}: warm block", ours, floor, bound)
    ours = median([await spent_on(interpreters, TWENTY_PRINTS) for _ in range(200)])
    report("python: 20 prints", ours, floor, 120)


async def copies(place: Workplace) -> None:
    """What the standby costs a block that calls something, and how soon it takes over."""
    ours = await warm_call(Interpreters(place))
    bare = await warm_call(Interpreters(replace(place, limits=Limits(standby_memory=0))))
    report("python: warm call, with a copy", ours, bare, 8)
    interpreters, spent = Interpreters(place), []
    await run(interpreters, "import os")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await run(interpreters, "os._exit(1)")
        await run(interpreters, "abs(1)")
        spent.append(time.perf_counter() - start)
    await interpreters.close()
    floor = median([spent_by([*PLAIN, "-c", "pass"]) for _ in range(ROUNDS)])
    report("python: crash and next block", median(spent), floor, 3)


async def warm_call(interpreters: Interpreters) -> float:
    spent = median([await spent_on(interpreters, "abs(1)") for _ in range(200)])
    await interpreters.close()
    return spent


async def echo() -> float:
    """What a line to a process and back takes."""
    cat = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
    assert cat.stdin is not None
    assert cat.stdout is not None
    spent = []
    for _ in range(200):
        start = time.perf_counter()
        cat.stdin.write(b"pass\n")
        await cat.stdout.readline()
        spent.append(time.perf_counter() - start)
    cat.stdin.close()
    await cat.wait()
    return median(spent)


async def loop(interpreters: Interpreters) -> None:
    """CPU of two million rounds of a loop, in pairs: the machine's moods hit both."""
    ours, floors = [], []
    for _ in range(ROUNDS):
        ours.append(float(await run(interpreters, f"{LOOP}spent")))
        floors.append(float(written_by([*PLAIN, "-c", f"{LOOP}print(spent)"])))
    ratios = [mine / floor for mine, floor in zip(ours, floors, strict=True)]
    report("python: loop of 2,000,000 (CPU)", median(ours), median(floors), 1.05, median(ratios))


async def javascript_loop(interpreters: Interpreters) -> None:
    ours, floors = [], []
    for _ in range(ROUNDS):
        ours.append(float(await run(interpreters, JAVASCRIPT_LOOP, "javascript")) / 1e6)
        floors.append(float(written_by(["node", "-e", JAVASCRIPT_LOOP])) / 1e6)
    report("javascript: loop of 20,000,000 (CPU)", median(ours), median(floors), 2)


async def shell_loops(interpreters: Interpreters) -> None:
    """The floor is a bash of its own."""
    for name, code in SHELL_LOOPS.items():
        ours, floors = [], []
        for _ in range(3):
            ours.append(await spent_on(interpreters, code, "shell"))
            floors.append(spent_by(["bash", "-c", code]))
        report(f"shell: 100,000 rounds of {name}", median(ours), median(floors), 5)


async def floods(interpreters: Interpreters) -> None:
    """The floor is plain Python writing into a pipe that is read to its end."""
    for name, code, bound in (("200,000 prints", PRINTS, 2), ("a line of 100 MB", LONG_LINE, 3)):
        ours, floors = [], []
        for _ in range(5):
            ours.append(await spent_on(interpreters, code))
            floors.append(spent_by([*PLAIN, "-c", code]))
        report(f"python: {name}", median(ours), median(floors), bound)
    code = "for (let i = 0; i < 200000; i++) console.log(i)"
    ours = [await spent_on(interpreters, code, "javascript") for _ in range(5)]
    floors = [spent_by(["node", "-e", code]) for _ in range(5)]
    report("javascript: 200,000 prints", median(ours), median(floors), 2)


async def interrupts(interpreters: Interpreters) -> None:
    """From the interrupt to the end of the block; the floor is a block that does nothing."""
    floor = median([await spent_on(interpreters, "pass") for _ in range(50)])
    cases = [("python", *case) for case in INTERRUPTED.items()]
    cases += [("javascript", *case) for case in JAVASCRIPT_INTERRUPTED.items()]
    cases += [("r", code, code) for code in ("repeat {}", "Sys.sleep(60)")]
    for language, name, code in cases:
        spent = []
        for _ in range(5):
            block = asyncio.create_task(run(interpreters, code, language))
            await asyncio.sleep(0.1)
            start = time.perf_counter()
            interpreters.interrupt()
            await block
            spent.append(time.perf_counter() - start)
        report(f"interrupt: {name}", median(spent), floor, 100)


async def memory(interpreters: Interpreters) -> None:
    """Growth while nobody takes the output of a flood."""
    process = psutil.Process()
    before = process.memory_info().rss
    chunks = interpreters.run("python", PRINTS)
    await anext(chunks)
    await asyncio.sleep(1.5)
    grown = (process.memory_info().rss - before) / (1 << 20)
    async for _ in chunks:
        pass
    print(f"{'memory: 200,000 prints, none taken':38}{grown:>6.1f} MiB{'':18}{'20 MiB':>8}")


async def run(interpreters: Interpreters, code: str, language: str = "python") -> str:
    """What it wrote."""
    written = []
    async for chunk in interpreters.run(language, code):
        if isinstance(chunk, Output):
            written.append(chunk.text)
    return "".join(written)


async def spent_on(interpreters: Interpreters, code: str, language: str = "python") -> float:
    start = time.perf_counter()
    await run(interpreters, code, language)
    return time.perf_counter() - start


def spent_by(command: list[str]) -> float:
    start = time.perf_counter()
    written_by(command)
    return time.perf_counter() - start


def written_by(command: list[str]) -> bytes:
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    return subprocess.run(command, stdout=PIPE, env=buffered, check=True).stdout


def report(name: str, ours: float, floor: float, bound: float, ratio: float | None = None) -> None:
    """One row; milliseconds."""
    ratio = ours / floor if ratio is None else ratio
    print(f"{name:38}{ours * 1e3:>10.2f}{floor * 1e3:>10.2f}{ratio:>8.2f}{bound:>8}")


if __name__ == "__main__":
    asyncio.run(main())
