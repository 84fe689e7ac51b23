"""Blocks through the daemon's wire beside the same blocks in a Jupyter kernel, in one run.

pip install ipykernel jupyter_client numpy; python benchmarks/blocks.py
"""

import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from subprocess import DEVNULL
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from oi_daemon.protocol.framing import Framing
from tests.wire_client import INSTALLED, WireClient

ROUNDS = 100
PAUSE = 0.05
"""Seconds between two blocks, in which a person or a model does something else."""
BLOCKS = {
    "x = 1": "x = 1",
    "y = len(str(x))": "y = len(str(x))",
    "20 prints": "\n".join(f"print({number})" for number in range(20)),
}
GIGABYTE = "import numpy\ndata = numpy.ones(1_000_000_000 // 8)"
OBJECTS = "objects = [str(number) for number in range(12_000_000)]"
"""About a gigabyte of small objects, whose memory has no large pages."""

Run = Callable[[str], object]


def main() -> None:
    if not (find_spec("ipykernel") and find_spec("jupyter_client") and find_spec("numpy")):
        print("Not measured: it needs `pip install ipykernel jupyter_client numpy`")
        return
    beside_a_kernel({})
    beside_a_kernel({"conversation_history": False})
    with_much_data()


def beside_a_kernel(settings: dict[str, object]) -> None:
    """Each round runs the block in both: the machine's moods hit both.

    Args:
        settings: without the history, nothing waits for the disk, as with a kernel.
    """
    heading = "without a history" if settings else "milliseconds"
    print(f"\n{heading:38}{'ours':>10}{'ipykernel':>10}{'ratio':>8}{'bound':>8}")
    manager, kernel = import_module("jupyter_client.manager").start_new_kernel(stderr=DEVNULL)
    with WireClient(INSTALLED, Framing.HEADERS) as client:
        client.result("oi/settings/set", {"settings": settings})
        for pause in (0, PAUSE):
            for name, code in BLOCKS.items():
                ours, theirs = medians(code, pause, in_daemon(client), in_kernel(kernel))
                report(f"{name}{after(pause)}", ours, theirs, 0.5)
    kernel.stop_channels()
    manager.shutdown_kernel(now=True)


def with_much_data() -> None:
    """The floor is a daemon without the data, in the same rounds."""
    print(f"\n{'milliseconds':38}{'ours':>10}{'without':>10}{'ratio':>8}{'bound':>8}")
    settings = {"settings": {"crash_proof_memory": 100_000}}
    for kind, data in (("1 GB of numpy", GIGABYTE), ("1 GB of objects", OBJECTS)):
        with WireClient(INSTALLED) as full, WireClient(INSTALLED) as empty:
            for client in (full, empty):
                client.result("oi/settings/set", settings)
            for code in (data, "x = 1"):
                in_daemon(full)(code)
            in_daemon(empty)("import numpy\nx = 1")
            for pause in (0, PAUSE):
                for name, code in BLOCKS.items():
                    ours, without = medians(code, pause, in_daemon(full), in_daemon(empty))
                    report(f"{kind}: {name}{after(pause)}", ours, without, 3)


def in_daemon(client: WireClient) -> Run:
    """Run code through `oi/execute`, until its result is there."""
    return lambda code: client.result("oi/execute", {"language": "python", "code": code})


def in_kernel(client: Any) -> Run:
    """Run code in a kernel, until the reply is there, and all output before it."""
    return lambda code: client.execute_interactive(code, output_hook=lambda _: None, timeout=60)


def medians(code: str, pause: float, *runs: Run) -> list[float]:
    """Seconds that each way to run the code takes, in turn."""
    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, times in zip(runs, spent, strict=True):
            time.sleep(pause)
            start = time.perf_counter()
            run(code)
            times.append(time.perf_counter() - start)
    return [median(times) for times in spent]


def after(pause: float) -> str:
    """Words for the pause before each block."""
    return f", after {pause * 1e3:.0f} ms" if pause else ""


def report(name: str, ours: float, floor: float, bound: float) -> None:
    print(f"{name:38}{ours * 1e3:>10.2f}{floor * 1e3:>10.2f}{ours / floor:>8.2f}{bound:>8}")


if __name__ == "__main__":
    main()
