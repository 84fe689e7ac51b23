"""Runs programs in both ways and compares what they write."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import Counter
from collections.abc import Sequence

from fidelity.program import Corpus, Program
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.messages import EndOfExecution, InputRequest, Output

HUNG = "[did not end in time]"


async def compare(
    corpus: Corpus, programs: Sequence[Program], seconds: float, verbose: bool
) -> None:
    """Print which programs write something else as a block, and how many do not."""
    counts: Counter[str] = Counter()
    for program in programs:
        kind, plain, block = await outcome(corpus, program, seconds)
        counts[kind] += 1
        if kind in ("differs", "hangs"):
            print(f"{kind}: {program.name}", flush=True)
            if verbose:
                print(f"--- by itself\n{plain}\n--- as a block\n{block}\n---", flush=True)
    compared = counts["alike"] + counts["differs"] + counts["hangs"]
    share = 100 * counts["alike"] / max(compared, 1)
    print(f"{dict(counts)}: {counts['alike']} of {compared} alike, {share:.1f} %")


async def outcome(corpus: Corpus, program: Program, seconds: float) -> tuple[str, str, str]:
    """How a program compares, and its two outputs.

    Only a program that does the same twice by itself says anything; and where blocks have no exit
    status, it must succeed.
    """
    status, plain = await by_itself(corpus, program, seconds)
    if HUNG in plain or (status and not corpus.has_status):
        return "fails by itself", plain, ""
    if await by_itself(corpus, program, seconds) != (status, plain):
        return "not deterministic", plain, ""
    block_status, block = await as_block(corpus, program, seconds)
    if HUNG in block:
        return "hangs", plain, block
    if corpus.has_status:
        plain, block = f"{plain}[exit {status}]", f"{block}[exit {block_status}]"
    return ("alike" if block == plain else "differs"), plain, block


async def by_itself(corpus: Corpus, program: Program, seconds: float) -> tuple[int, str]:
    """The exit status and output of a program's own command, until it ends."""
    program.before()
    process = await asyncio.create_subprocess_exec(
        *program.command,
        cwd=program.cwd,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    written = bytearray()
    reading = asyncio.create_task(_read(process.stdout, written))
    hung = ""
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        hung = HUNG
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    await asyncio.wait([reading], timeout=1)  # what it has started elsewhere may hold it open
    reading.cancel()
    text = written.decode("utf-8", "replace")
    return await process.wait(), corpus.normalized(text) + hung


async def _read(stream: asyncio.StreamReader, into: bytearray) -> None:
    """Read a stream to its end."""
    while data := await stream.read(1 << 16):
        into += data


async def as_block(corpus: Corpus, program: Program, seconds: float) -> tuple[int | None, str]:
    """The exit status, if any, and the output of a program as a block of a new process.

    Its input is at its end at once.
    """
    program.before()
    interpreters = Interpreters(Workplace(cwd=str(program.cwd)))
    written: list[str] = []
    status: int | None = None
    try:
        async with asyncio.timeout(seconds):
            for code in filter(None, (program.code, program.after)):
                async for chunk in interpreters.run(corpus.language, code):
                    if isinstance(chunk, Output):
                        written.append(chunk.text)
                    elif isinstance(chunk, InputRequest):
                        await interpreters.answer(chunk.input, None)
                    elif isinstance(chunk, EndOfExecution) and chunk.result:
                        status = chunk.result.exit
    except TimeoutError:
        written.append(HUNG)
    finally:
        await interpreters.close()
    return status, corpus.normalized("".join(written))
