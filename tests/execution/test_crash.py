"""However an interpreter ends, it is told, nothing hangs, and the next block has a fresh one."""

import os
import signal

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.process.ending import Ending
from tests.execution.runs import Running, lines, output, run, text
from tests.patience import until

ENDS = {
    "segfault": ("import ctypes\nprint('last')\n\nctypes.string_at(0)", "Segmentation fault"),
    "abort": ("import os\nprint('last')\nos.abort()", "SIGABRT"),
    "exit": ("import os\nprint('last', end='')\nos._exit(3)", "exit code 3"),
    "exec": ("import os\nprint('last')\nos.execvp('false', ['false'])", "exit code 1"),
    "all closed": ("import os\nprint('last')\nos.closerange(3, 100)", "Python"),
    "thread": (
        "import ctypes, threading\nprint('last')\n"
        "t = threading.Thread(target=ctypes.string_at, args=(0,))\nt.start()\nt.join()",
        "Segmentation fault",
    ),
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_end_is_told(interpreters: Interpreters, end: str) -> None:
    code, how = ENDS[end]
    told = await output(interpreters, code)
    assert told.startswith("last\n")
    if end != "all closed":
        assert how in told
    again = await output(interpreters, "print(1)")
    assert (told + again).count("variables are lost") == 1
    assert again.endswith("1\n")


async def test_the_line_of_a_crash_is_told_and_active(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, ENDS["segfault"][0])
    assert "at line 4" in text(chunks)
    assert lines(chunks)[-1] == 4


async def test_it_is_killed_from_outside(interpreters: Interpreters) -> None:
    process = int(await output(interpreters, "import os\nprint(os.getpid())"))
    block = Running(interpreters, "print('runs')\nwhile True: pass")
    await block.seen("runs")
    os.kill(process, signal.SIGKILL)
    assert "was killed (SIGKILL" in text(await block.end())


async def test_it_is_killed_between_blocks(interpreters: Interpreters) -> None:
    """The next block says so before anything else. Without a copy, as on other systems."""
    interpreters._workplace.limits.standby_memory = 0
    process = int(await output(interpreters, "import os\nprint(os.getpid())"))
    os.kill(process, signal.SIGTERM)
    await until(lambda: not os.path.exists(f"/proc/{process}"))  # noqa: PTH110
    told = await output(interpreters, "print(1)")
    assert told == (
        "[Python was killed (SIGTERM) since the last block. Its variables are lost."
        " This is a fresh one.]\n1\n"
    )


async def test_what_a_dead_interpreter_had_started_ends_with_it(interpreters: Interpreters) -> None:
    code = "import os, subprocess\nchild = subprocess.Popen(['sleep', '100'])\nprint(child.pid)"
    child = int(await output(interpreters, code))
    await run(interpreters, "os._exit(0)")
    await until(lambda: not os.path.exists(f"/proc/{child}"))  # noqa: PTH110


async def test_an_end_is_told_where_a_group_takes_no_signals(
    interpreters: Interpreters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one in which only another user's process is left, started with sudo."""

    def refuse(group: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    block = Running(interpreters, "print('runs')\nwhile True: pass")
    await block.seen("runs")
    interpreters.interrupt()
    assert "was killed" in text(await block.end())
    assert await output(interpreters, "print(1)") == "1\n"


def test_an_unknown_signal_has_a_number() -> None:
    assert "signal 200" in Ending("Python", -200, "").in_block(None)
