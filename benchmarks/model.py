"""Speed of the model side, each figure beside a floor measured in the same run.

python benchmarks/model.py
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

import openai

from oi_daemon.messages import CodeMessage, Message, UserMessage
from oi_daemon.model.dialects.arguments import ArgumentParser
from oi_daemon.model.dialects.fences import FenceParser
from oi_daemon.model.models import Models
from oi_daemon.model.tokens import tokenizer
from oi_daemon.model.trimming import trim
from oi_daemon.settings import Settings

DELTAS = 20_000
ROUNDS = 5

SERVER = f"""
import asyncio
from tests.fakes.openai_server import ScriptedServer, text

async def serve():
    async with ScriptedServer(cycle=[text(*["word "] * {DELTAS})]) as server:
        print(server.url, flush=True)
        await server.serve_forever()

asyncio.run(serve())
"""

LANGUAGES = {"python", "shell"}


def main() -> None:
    parsing()
    trimming()
    with server() as url:
        asyncio.run(streaming(url))


def parsing() -> None:
    """Code out of JSON arguments and out of fences: linear?"""
    for name, parse in (("arguments", parse_arguments), ("fences", parse_fences)):
        few, many = typical(parse, 5000), typical(parse, DELTAS)
        print(
            f"{name}: {DELTAS:,} code deltas {many * 1e3:.0f} ms CPU,"
            f" {many / few:.2f} times 5,000 (floor: 4.00)"
        )


def trimming() -> None:
    """2,000 messages, of which all have been seen before but the last."""
    messages: list[Message] = []
    for n in range(1000):
        messages += [UserMessage(f"question {n}"), CodeMessage("python", f"x = {n}", "out " * 200)]
    room, counter = 28_000, tokenizer("gpt-4")
    cold = cpu(lambda: trim(messages, room=room, max_output=2000, tokenizer=counter))
    messages.append(UserMessage("the next question"))
    warm = cpu(lambda: trim(messages, room=room, max_output=2000, tokenizer=counter))
    all_kept = cpu(lambda: trim(messages, room=10**9, max_output=2000, tokenizer=counter))
    all_kept = cpu(lambda: trim(messages, room=10**9, max_output=2000, tokenizer=counter))
    print(
        f"trimming 2,000 messages: {cold * 1e3:.1f} ms cold, {warm * 1e3:.2f} ms warm,"
        f" {all_kept * 1e3:.2f} ms warm where all of them are kept"
    )


async def streaming(url: str) -> None:
    """Chunks of a message from a fast server, beside the openai library's own iterator."""
    models = Models(languages=["python"], is_language=LANGUAGES.__contains__)
    await models.preload()
    settings = Settings(api_base=url, api_key="none")
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    ours = [await measured(lambda: chunks(models, settings)) for _ in range(ROUNDS)]
    floor = [await measured(lambda: plain(client)) for _ in range(ROUNDS)]
    for name, figures in (("ServerModel", ours), ("openai's create(stream=True)", floor)):
        wall, used = median(f[0] for f in figures), median(f[1] for f in figures)
        print(f"{name}: {DELTAS / wall:,.0f} chunks/s, {used / DELTAS * 1e6:.1f} us CPU a chunk")
    ratio = median(f[1] for f in ours) / median(f[1] for f in floor)
    print(f"ServerModel's CPU is {ratio:.2f} of the library's")
    await client.close()
    await models.close()


async def chunks(models: Models, settings: Settings) -> AsyncIterator[object]:
    async for part in models.model(settings).reply([UserMessage("Go")], lambda: False):
        yield part


async def plain(client: openai.AsyncOpenAI) -> AsyncIterator[object]:
    stream = await client.chat.completions.create(
        model="gpt-4", messages=[{"role": "user", "content": "Go"}], stream=True
    )
    async for event in stream:
        yield event


async def measured(source: Callable[[], AsyncIterator[object]]) -> tuple[float, float]:
    """Seconds of wall clock and of CPU."""
    wall, used = time.perf_counter(), time.process_time()
    count = 0
    async for _ in source():
        count += 1
    assert count >= DELTAS
    return time.perf_counter() - wall, time.process_time() - used


def parse_arguments(count: int) -> None:
    parser = ArgumentParser()
    for delta in ('{"language": "python", "code": "', *["x = 1\\n"] * count, '"}'):
        parser.feed(delta)
    parser.flush()


def parse_fences(count: int) -> None:
    parser = FenceParser({"python"}.__contains__)
    for delta in ("```python\n", *["x = 1\n"] * count, "```"):
        parser.feed(delta)
    parser.flush()


def typical(parse: Callable[[int], None], count: int) -> float:
    return median(cpu(lambda: parse(count)) for _ in range(ROUNDS))


def cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


@contextmanager
def server() -> Iterator[str]:
    """The scripted server in a process of its own, so that its CPU is not ours."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


if __name__ == "__main__":
    main()
