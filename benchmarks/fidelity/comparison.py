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
from oi_daemon.messages import InputRequest, Output

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

    Only a program that succeeds by itself, twice with the same output, says anything.
    """
    status, plain = await by_itself(program, seconds)
    if status:
        return "fails by itself", plain, ""
    again = await by_itself(program, seconds)
    plain = corpus.normalized(plain)
    if again[0] or corpus.normalized(again[1]) != plain:
        return "not deterministic", plain, ""
    block = corpus.normalized(await as_block(corpus, program, seconds))
    if HUNG in block:
        return "hangs", plain, block
    return ("alike" if block == plain else "differs"), plain, block


async def by_itself(program: Program, seconds: float) -> tuple[int, str]:
    """The exit status and output of a program's own command; -1 if it does not end in time."""
    process = await asyncio.create_subprocess_exec(
        *program.command,
        cwd=program.cwd,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        output = HUNG.encode()
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = await process.wait()
    return status, output.decode("utf-8", "replace")


async def as_block(corpus: Corpus, program: Program, seconds: float) -> str:
    """The output of a program as a block of a new process; its input is at its end at once."""
    interpreters = Interpreters(Workplace(cwd=str(program.cwd)))
    written: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            for code in filter(None, (program.code, program.after)):
                async for chunk in interpreters.run(corpus.language, code):
                    if isinstance(chunk, Output):
                        written.append(chunk.text)
                    elif isinstance(chunk, InputRequest):
                        await interpreters.answer(chunk.input, None)
    except TimeoutError:
        written.append(HUNG)
    finally:
        await interpreters.close()
    return "".join(written)
