"""Kernels that run elsewhere: by a provisioner, behind a server."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.registry import find_language
from oi_daemon.execution.sandbox.sandbox import Sandbox
from oi_daemon.messages import InputRequest
from tests.execution.elsewhere import offer
from tests.execution.runs import Running, displays, output, result, run, text
from tests.execution.test_guard import alive, start
from tests.fakes.sshd import Box, other_machine
from tests.patience import until


@dataclass(frozen=True)
class Far:
    """A kernel that runs elsewhere."""

    language: str
    """The name under which code runs in it."""
    processes: Callable[[], set[int]]
    """The processes there, of kernels and what belongs to them."""


@pytest.fixture(autouse=True)
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which kernels are installed: none."""
    for name in ("JUPYTER_DATA_DIR", "VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return tmp_path / "jupyter" / "kernels"


def install(folder: Path, name: str, provisioner: str, **config: object) -> None:
    """Install a kernel that has no command, but a provisioner."""
    (folder / name).mkdir(parents=True)
    metadata = {"kernel_provisioner": {"provisioner_name": provisioner, "config": config}}
    interrupts = "message" if provisioner.startswith("sshpyk") else "signal"
    spec = {"display_name": name, "language": "python", "interrupt_mode": interrupts}
    (folder / name / "kernel.json").write_text(json.dumps({**spec, "metadata": metadata}))


@pytest.fixture
def elsewhere(kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    """A kernel that the tests' own provisioner starts."""
    offer(tmp_path / "packages")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    install(kernels, "away", "elsewhere", log_file=str(tmp_path / "log"))

    def processes() -> set[int]:
        return {int(line.split()[1]) for line in log(tmp_path) if line.startswith("pid")}

    yield Far("away", processes)
    kill(processes())


def log(folder: Path) -> list[str]:
    """What the tests' own provisioner was asked to do."""
    file = folder / "log"
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    there = {"PATH": os.environ["PATH"], "IPYTHONDIR": str(tmp_path / "ipython-there")}
    with other_machine(there) as machine:
        yield machine


@pytest.fixture
def over_ssh(kernels: Path, box: Box, monkeypatch: pytest.MonkeyPatch) -> Far:
    """A kernel that sshpyk starts over a real SSH connection."""
    monkeypatch.setenv("PATH", f"{box.programs}{os.pathsep}{os.environ['PATH']}")
    spec = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]}
    there = box.home / ".local" / "share" / "jupyter" / "kernels" / "remote"
    there.mkdir(parents=True)
    (there / "kernel.json").write_text(json.dumps({**spec, "display_name": "remote"}))
    install(
        kernels,
        "boxed",
        "sshpyk-provisioner",
        ssh_host_alias="shared-box",
        remote_python=sys.executable,
        remote_kernel_name="remote",
        raise_on_ssh_config_error=False,
    )

    return Far("boxed", lambda: {each.pid for each in box.processes()})


@pytest.fixture(params=["elsewhere", "over_ssh"])
def far(request: pytest.FixtureRequest) -> Far:
    found: Far = request.getfixturevalue(request.param)
    return found


def kill(processes: set[int]) -> None:
    for process in processes:
        if psutil.pid_exists(process):
            psutil.Process(process).kill()


async def test_it_does_what_kernels_here_do(interpreters: Interpreters, far: Far) -> None:
    """State, order, errors, displays, input, interrupts; and its end is told."""

    async def written(code: str, *answers: str | None) -> str:
        return await output(interpreters, code, language=far.language, answers=answers)

    assert await written("x = 5\nprint('ä\U0001f600')") == "ä\U0001f600\n"
    assert await written("x") == "5\n"
    assert await written("") == ""
    order = "import sys\nfor i in range(3): print(i, flush=True)\ndisplay('d')\nprint(3)"
    assert await written(order) == "0\n1\n2\n'd'\n3\n"
    failed = result(await run(interpreters, "1 / 0", language=far.language))
    assert failed.status == "error"
    assert failed.error is not None
    assert failed.error.name == "ZeroDivisionError"
    shown = "from IPython.display import HTML\nHTML('<b>')"
    chunks = await run(interpreters, shown, language=far.language)
    assert displays(chunks)[0]["text/html"] == "<b>"
    assert await written("print(input())", "né") == "né\n"
    assert "EOFError" in await written("input()", None)
    flood = await written("for i in range(50_000): print('x' * 100)")
    assert "bytes left out ...]\n" in flood
    await interrupted(interpreters, far)
    chunks = await run(interpreters, "import os\nos._exit(3)", language=far.language)
    assert "Its variables are lost. The next block starts a fresh one." in text(chunks)
    assert result(chunks).status == "killed"
    assert "NameError" in await written("x")
    await interpreters.close()
    await until(lambda: not alive(far.processes()))


async def interrupted(interpreters: Interpreters, far: Far) -> None:
    """Interrupts stop what runs, and keep the state."""
    for code in ("while True: pass", "import time\ntime.sleep(60)", "input()"):
        block = Running(interpreters, f"print('begun', flush=True)\n{code}", far.language)
        await block.seen("begun")
        if "input" in code:
            await until(partial(asks, block))
        interpreters.interrupt()
        assert "KeyboardInterrupt" in text(await block.end())
        assert await output(interpreters, "x", language=far.language) == "5\n"


def asks(block: Running) -> bool:
    """Whether it waits for a line."""
    return isinstance(block.chunks[-1], InputRequest)


async def test_closing_ends_a_block_there(interpreters: Interpreters, far: Far) -> None:
    """Although it does not listen: it is in a loop that catches interrupts."""
    endless = "while True:\n try:\n  while True: pass\n except BaseException: pass"
    block = Running(interpreters, f"print('begun', flush=True)\n{endless}", far.language)
    await block.seen("begun")
    left = far.processes()
    assert alive(left)
    await interpreters.close()
    assert result(await block.end()).status == "killed"
    await until(lambda: not alive(left))


async def test_it_does_not_outlive_a_daemon_that_was_killed(far: Far) -> None:
    """Its worker shuts it down first, and then ends as well."""
    host = start(far.language, "print('started', flush=True)\nimport time\ntime.sleep(99)")
    tree = {each.pid for each in psutil.Process(host.pid).children(recursive=True)}
    left = far.processes()
    assert alive(left)
    host.kill()
    await until(lambda: not alive(left | tree))
    host.communicate()


async def test_its_provisioner_is_asked_for_all(
    interpreters: Interpreters, elsewhere: Far, tmp_path: Path
) -> None:
    """The kernel is interrupted by it alone, asked to shut down, and cleaned up after."""
    await output(interpreters, "x = 1", language="away")
    block = Running(interpreters, "print(1, flush=True)\nimport time\ntime.sleep(60)", "away")
    await block.seen("1")
    interpreters.interrupt()
    await block.end()
    await interpreters.close()
    asked = [line.split(" by ")[0] for line in log(tmp_path)]
    assert [line for line in asked if "pid" not in line][:2] == ["start", "signal 2"]
    assert "shutdown" in asked
    assert "cleanup" in asked


async def test_why_it_does_not_start_is_said(
    interpreters: Interpreters, elsewhere: Far, kernels: Path, tmp_path: Path
) -> None:
    install(kernels, "no", "elsewhere", log_file=str(tmp_path / "log"), refuses="No room there.")
    said = await output(interpreters, "1", language="no")
    assert said.startswith("RuntimeError: No room there.\n[The Jupyter kernel no ended")


def test_a_provisioner_that_is_not_installed_is_named(kernels: Path) -> None:
    install(kernels, "cloud", "somebody-elses")
    found = find_language("cloud")
    assert found is not None
    assert "needs the provisioner somebody-elses: install" in (found.missing() or "")


async def test_a_sandbox_is_said_not_to_reach_there(
    workplace: Workplace, elsewhere: Far, tmp_path: Path
) -> None:
    held = Interpreters(replace(workplace, sandbox=Sandbox(mode="write-protect", folders=())))
    assert "where the sandbox does not reach" in await output(held, "1", language="away")
    await held.close()
    assert not log(tmp_path)
