"""Speed of the history, each figure beside a floor measured in the same run.

python benchmarks/history.py
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from oi_daemon.history import History, document, naming
from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage, dump

CONVERSATIONS = 10_000
ROUNDS = 7


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        listing(Path(folder))
        finding(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        saving(Path(folder))


def listing(folder: Path) -> None:
    """The first page and a search, of a process that has read nothing yet and of one that has."""
    floor = typical(lambda: scan(folder))
    all_read = typical(lambda: [path.read_bytes() for path in folder.iterdir()])
    warm = History(folder)
    warm.list(query="nowhere")
    report("first page of 50, cold", typical(lambda: History(folder).list()), "a scan", floor)
    report("first page of 50, warm", typical(warm.list), "a scan", floor)
    search = typical(lambda: History(folder).list(query="nowhere"))
    report("search, cold", search, "reading all", all_read)
    report("search, warm", typical(lambda: warm.list(query="nowhere")), "a scan", floor)


def finding(folder: Path) -> None:
    """A conversation of another process, by its id."""
    floor = typical(lambda: [*folder.iterdir()])
    report("file of an id", typical(lambda: History(folder).path_of("none")), "iterdir", floor)


def saving(folder: Path) -> None:
    """One more save of a conversation of 2,000 messages."""
    messages = conversation(500)
    history = History(folder)
    history.save("long", messages)
    plain = folder / "floor.txt"

    def dump_and_write() -> None:
        plain.write_text(json.dumps([dump(message) for message in messages]))

    floor = typical(dump_and_write)
    took = typical(lambda: history.save("long", messages))
    size = plain.stat().st_size >> 10
    report(f"save of 2,000 messages, {size} KiB", took, "json and write", floor)


def fill(folder: Path) -> None:
    data = document.encode(conversation(2))
    for number in range(CONVERSATIONS):
        (folder / naming.name_for(f"c{number}", f"Question {number}")).write_bytes(data)


def conversation(rounds: int) -> list[Message]:
    return [
        UserMessage("What's in this folder? " * 4),
        AssistantMessage("Let me look. " * 5),
        CodeMessage("python", "print(os.listdir())\n" * 5, "a.txt b.txt c.txt\n" * 10),
        AssistantMessage("There are three files. " * 5),
    ] * rounds


def scan(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.stat()


def typical(work: Callable[[], object]) -> float:
    """Seconds, the median of several runs."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times)


def report(what: str, seconds: float, floor: str, floor_seconds: float) -> None:
    print(
        f"{what}: {seconds * 1e3:.1f} ms,"
        f" {seconds / floor_seconds:.1f} times {floor} ({floor_seconds * 1e3:.1f} ms)"
    )


if __name__ == "__main__":
    main()
