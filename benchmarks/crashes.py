"""Crashes of Python in every kind of state: the variables are as what is said of them.

python benchmarks/crashes.py [HOW MANY] [SEED]
"""

import asyncio
import os
import random
import re
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from execution import run

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.limits import Limits

BASE = "import asyncio, ctypes, os, signal, socket, subprocess, sys, threading, time\nx = 0"
STATES = {
    "plain": "pass",
    "a thread": "threading.Thread(target=time.sleep, args=(0.3,)).start()",
    "a thread that stays": "threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "a task that counts": "async def count():\n    global ticks\n    ticks = 0\n    while True:\n"
    "        await asyncio.sleep(0.002)\n        ticks += 1\ntask = asyncio.create_task(count())",
    "a socket": "server = socket.create_server(('127.0.0.1', 0))",
    "a socket that was closed": "socket.create_server(('127.0.0.1', 0)).close()",
    "a pipe to a child": "child = subprocess.Popen('cat', stdin=subprocess.PIPE)",
    "a child that has ended": "subprocess.run('true')",
    "a fork": "if not os.fork(): time.sleep(60)",
    "an open file": "file = open(os.devnull)",
    "200 MB of objects": "data = [str(number) for number in range(3_000_000)]",
    "200 MB of bytes": "data = bytearray(200_000_000)",
    "more than the limit": "data = bytearray(1_100_000_000)",
}
DEATHS = {
    "os._exit": "os._exit(3)",
    "abort": "os.abort()",
    "a null pointer": "ctypes.string_at(0)",
    "SIGKILL": "os.kill(os.getpid(), 9)",
    "exit in C": "ctypes.CDLL(None).exit(7)",
    "in a thread": "t = threading.Thread(target=os._exit, args=(4,)); t.start(); t.join()",
    "in a task": "async def die(): os._exit(5)\nawait die()",
}
BLOCKS = ("x = {}", "x = int('{}')", "x = {}\nfor _ in range(3): print(x)")
"""Blocks that count: worth no standby, worth one, and with output."""
SAID = re.compile(
    r"as they were before this block|as they were a few blocks before|are kept|are lost"
)


async def main(count: int, seed: int) -> None:
    chosen = random.Random(seed)
    outcomes: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            state = [*STATES][number % len(STATES)]
            place = Workplace(cwd=folder, python=sys.executable, limits=Limits())
            interpreters = Interpreters(place)
            try:
                story = await crash(interpreters, state, chosen)
            finally:
                await interpreters.close()
            outcomes[state, story.said] += 1
            if not story.is_true:
                wrong.append(f"{number}: {story}")
    for (state, said), times in sorted(outcomes.items()):
        print(f"{state:28}{times:>5}  {said}")
    print(f"{count} crashes, {len(wrong)} of them not told truly", *wrong, sep="\n")
    if wrong:
        sys.exit(1)


class Story:
    """What was said after a crash, and what was there."""

    def __init__(self, last: int, told: str, found: str, how: str) -> None:
        self.last, self.told, self.found, self.how = last, told, found, how
        """The value at the end of the last block; what was said; the value that is there."""

    @property
    def said(self) -> str:
        said = SAID.search(self.told)
        return said[0] if said else "nothing"

    @property
    def is_true(self) -> bool:
        if self.said == "are lost":
            return self.found == "lost"
        if not self.found.isdigit():
            return False
        if self.said == "as they were a few blocks before":
            return int(self.found) < self.last
        return self.said != "nothing" and int(self.found) == self.last

    def __str__(self) -> str:
        return f"{self.how}: {self.told!r}, {self.found!r} in place of {self.last}"


async def crash(interpreters: Interpreters, state: str, chosen: random.Random) -> Story:
    """Bring Python into a state, run some blocks, let it die, and look at what is left."""
    await run(interpreters, BASE)
    await run(interpreters, STATES[state])
    pid = int(await run(interpreters, "os.getpid()"))
    last = 0
    for _ in range(chosen.randrange(1, 8)):
        last += 1
        await run(interpreters, chosen.choice(BLOCKS).format(last))
        if chosen.random() < 0.3:
            await asyncio.sleep(chosen.choice((0.003, 0.02, 0.08)))
    told, how = "", chosen.choice([*DEATHS, *["from outside"] * 4])
    if how == "from outside":  # just after the block's end, while a standby is forked, or later
        wait = chosen.choice((0, 0, 0.0003, 0.001, 0.003, 0.05, 0.08))
        await asyncio.sleep(wait * chosen.random())
        os.kill(pid, signal.SIGKILL)
    else:
        told = await run(interpreters, f"x = -1\n{DEATHS[how]}")
    look = "print(globals().get('x', 'lost'))"
    found = (await run(interpreters, look)).strip()
    if found.endswith("]"):  # the daemon had not seen yet that it was killed
        found = f"{found}\n{await run(interpreters, look)}".strip()
    *before, value = found.splitlines()
    return Story(last, told + "\n".join(before), value, f"{state}, {how}")


if __name__ == "__main__":
    asyncio.run(main(*map(int, [*sys.argv[1:], *("200", "1")[len(sys.argv) - 1 :]])))
