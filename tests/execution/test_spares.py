"""Conversations that only chat share one started Python, which ends when nobody takes it."""

import asyncio

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.spares import Spares
from tests.execution.runs import output
from tests.patience import until
from tests.processes import command_line


def pythons() -> list[psutil.Process]:
    """The Python workers that this process has started."""
    children = psutil.Process().children()
    return [child for child in children if "python_worker" in " ".join(command_line(child))]


async def test_many_conversations_share_one(workplace: Workplace) -> None:
    spares = Spares()
    several = [Interpreters(workplace, spares=spares) for _ in range(5)]
    for interpreters in several:
        await interpreters.warm()
    (spare,) = pythons()
    assert await output(several[2], "import os\nos.getpid()") == f"{spare.pid}\n"
    await several[2].warm()
    assert pythons() == [spare]
    assert await output(several[3], "os = 1\nos") == "1\n"
    for interpreters in several:
        await interpreters.close()
    await spares.close()
    assert pythons() == []


async def test_one_that_nobody_takes_ends(workplace: Workplace) -> None:
    spares = Spares(idle=0.01)
    await Interpreters(workplace, spares=spares).warm()
    await until(lambda: not pythons())
    await spares.close()


async def test_one_that_died_is_not_given(workplace: Workplace) -> None:
    spares = Spares()
    interpreters = Interpreters(workplace, spares=spares)
    await interpreters.warm()
    (spare,) = pythons()
    spare.kill()
    await until(lambda: not next(iter(spares._spares.values())).is_started)
    assert await output(interpreters, "1") == "1\n"
    await interpreters.close()
    await spares.close()


async def test_there_are_at_most_two(tmp_path_factory: pytest.TempPathFactory) -> None:
    spares = Spares()
    for name in "abc":
        await spares.prepare(Workplace(cwd=str(tmp_path_factory.mktemp(name))))
    await asyncio.gather(*spares._closing)
    await until(lambda: len(pythons()) == 2)
    await spares.close()
    assert pythons() == []
