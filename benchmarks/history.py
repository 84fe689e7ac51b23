"""Speed of the history, each figure beside a floor measured in the same run.

python benchmarks/history.py [number of conversations]
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from oi_daemon.history import History, Saver, document, naming, new_id
from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage

CONVERSATIONS = 100_000
LARGE = 50 << 20
ROUNDS = 7


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        os.environ["HOME"] = place
        os.environ["XDG_CACHE_HOME"] = os.environ["XDG_DATA_HOME"] = place
        saving(Path(place) / "alone")
        fill(Path(place) / "many", count)
        listing(Path(place) / "many", count)
        beside(Path(place) / "many", Path(place) / "none", count)


def listing(folder: Path, count: int) -> None:
    """The first page and searches, in a process that has read nothing yet and in one that has."""
    floor = typical(lambda: scan(folder))
    warm = History(folder)
    started = time.perf_counter()
    warm.list()
    print(f"first page of {count}, no index: {time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    warm.list(query="nowhere")
    print(f"first search, which reads all files: {time.perf_counter() - started:.1f} s")
    time.sleep(0.2)  # until the folder's modification time tells of every change
    warm.list()
    report("first page, cold", typical(lambda: History(folder).list()), "a scan", floor)
    report("first page, warm", typical(warm.list), "a scan", floor)
    for query in ("nowhere", "question 777", "files"):
        took = typical(lambda query=query: warm.list(query=query))  # type: ignore[misc]
        report(f"search for {query!r}, warm", took, "a scan", floor)


def beside(many: Path, none: Path, count: int) -> None:
    """The look for a new conversation and its first save."""

    def begin(folder: Path) -> float:
        def once() -> float:
            history = History(folder)
            started = time.perf_counter()
            first_turn(history)
            took = time.perf_counter() - started
            history.close()
            return took

        return median(once() for _ in range(ROUNDS))

    floor = begin(none)
    report(f"first save beside {count}", begin(many), "beside none", floor)


def first_turn(history: History) -> None:
    """What a turn waits for. The index hears of it afterwards, in another thread."""
    conversation = new_id()
    history.load(conversation)
    history.save(conversation, [UserMessage("Hi")], merge="later")


def saving(folder: Path) -> None:
    """Messages that are added to a large conversation: the time, and how long the loop is held."""
    few = conversation(1)
    for times in (1, LARGE // len(document.encode(few))):
        history, name, messages = History(folder), new_id(), few * times
        path = history.save(name, messages)
        assert path is not None
        took, held = asyncio.run(added(history, name, messages))
        print(
            f"a message more in {path.stat().st_size / (1 << 20):.2f} MB: {took * 1e3:.1f} ms,"
            f" of which the loop is held for {held * 1e3:.2f} ms at most",
            flush=True,
        )


async def added(
    history: History, conversation: str, messages: list[Message]
) -> tuple[float, float]:
    """Seconds of a save, the median, and the longest time for which the loop was held."""
    saver = Saver(conversation)
    saver.assume_saved(history, messages, None)
    took = []
    ticker = asyncio.create_task(longest_gap())
    for number in range(ROUNDS):
        messages.append(AssistantMessage(f"And {number}"))
        started = time.perf_counter()
        await save(history, saver, messages)
        took.append(time.perf_counter() - started)
    ticker.cancel()
    return median(took), await ticker


async def longest_gap() -> float:
    """The longest processor time of this thread between two turns of the loop, until cancelled."""
    longest, last = 0.0, time.thread_time()
    try:
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
    except asyncio.CancelledError:
        return longest


async def save(history: History, saver: Saver, messages: list[Message]) -> None:
    saving = saver.start(history, messages, None, "later")
    if saving is not None:
        await saver.wait(saving)


def fill(folder: Path, count: int) -> None:
    folder.mkdir()
    data = document.encode(conversation(2))
    for number in range(count):
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
        f" {seconds / floor_seconds:.2f} times {floor} ({floor_seconds * 1e3:.1f} ms)",
        flush=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CONVERSATIONS)
