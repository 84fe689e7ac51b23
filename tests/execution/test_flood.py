"""A flood of output never stalls the program, and costs the daemon bounded memory."""

import psutil

from oi_daemon.execution.interpreters import Interpreters
from tests.execution.runs import lines, output, run, text
from tests.patience import until

MIB = 1 << 20


async def test_a_consumer_that_takes_nothing(interpreters: Interpreters) -> None:
    """The program runs to its end, and nothing is lost up to the limit."""
    before = psutil.Process().memory_info().rss
    chunks = interpreters.run("python", "print('begin')\nfor i in range(200000): print(i)")
    first = await anext(chunks)
    worker = interpreters._latest
    assert worker is not None
    await until(lambda: worker._block is None)  # type: ignore[attr-defined]
    assert psutil.Process().memory_info().rss - before < 20 * MIB
    rest = [first, *[chunk async for chunk in chunks]]
    told = text(rest)
    head = "".join(f"{i}\n" for i in range(200000))
    assert told.startswith(("begin\n" + head)[: MIB - 200])
    assert "bytes left out" in told
    assert told.endswith(head[-(1 << 16) :])


async def test_alternating_lines(interpreters: Interpreters) -> None:
    """Each costs a mark: beyond the limit they are thinned out."""
    code = "for i in range(100000):\n    print('a')\n    print('b')\n"
    before = psutil.Process().memory_info().rss
    chunks = await run(interpreters, code)
    assert 10_000 < len(lines(chunks)) < 60_000
    assert psutil.Process().memory_info().rss - before < 30 * MIB


async def test_one_long_line(interpreters: Interpreters) -> None:
    told = await output(interpreters, "print('x' * 50_000_000)")
    assert len(told) < 1.1 * MIB
    assert told.endswith("x\n")


async def test_an_interrupt_amid_a_flood(interpreters: Interpreters) -> None:
    chunks = interpreters.run("python", "while True: print('x' * 1000)")
    async for chunk in chunks:
        if text([chunk]):
            interpreters.interrupt()
    assert await output(interpreters, "print(1)") == "1\n"
