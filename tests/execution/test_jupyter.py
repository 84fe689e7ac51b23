"""Any Jupyter kernel that is installed is a further language."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.registry import find_language, languages
from oi_daemon.execution.sandbox import landlock
from oi_daemon.execution.sandbox.sandbox import Sandbox
from oi_daemon.messages import InputRequest
from oi_daemon.messages.written import DISPLAY_ID
from tests.execution.runs import Running, displays, output, result, run, text
from tests.execution.test_guard import alive, start, workers
from tests.patience import until

IPYTHON = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
BASH = [sys.executable, "-m", "bash_kernel", "-f", "{connection_file}"]


@pytest.fixture(autouse=True)
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which kernels are installed. There are three that run."""
    for name in ("JUPYTER_DATA_DIR", "VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    folder = tmp_path / "jupyter" / "kernels"
    install(folder, "snake", IPYTHON, language="Serpent", env={"OF_KERNEL": "yes"})
    install(folder, "polite", IPYTHON, language="python", interrupt_mode="message")
    install(folder, "bash", BASH, language="bash")
    return folder


def install(folder: Path, name: str, argv: list[str], **more: Any) -> None:
    (folder / name).mkdir(parents=True)
    spec = {"argv": argv, "display_name": name, **more}
    (folder / name / "kernel.json").write_text(json.dumps(spec))


@pytest.fixture
async def other(workplace: Workplace) -> AsyncIterator[Interpreters]:
    """A second conversation."""
    interpreters = Interpreters(workplace)
    yield interpreters
    await interpreters.close()


def test_a_kernel_is_called_by_its_name_or_that_of_its_language() -> None:
    names = {known.name: known.aliases for known in languages()}
    assert names["snake"] == ("serpent", "jupyter:snake")
    for name in ("snake", "Serpent", "jupyter:snake", " SNAKE "):
        found = find_language(name)
        assert found is not None
        assert found.name == "snake"


def test_our_own_languages_come_before_kernels_of_their_name() -> None:
    for name, own in (("bash", "shell"), ("python", "python"), ("python3", "python")):
        found = find_language(name)
        assert found is not None
        assert found.name == own
    kernel = find_language("jupyter:bash")
    assert kernel is not None
    assert kernel.aliases == ()


def test_no_name_means_two_languages(kernels: Path) -> None:
    install(kernels, "serpent", IPYTHON, language="serpent")
    names = [name for known in languages() for name in (known.name, *known.aliases)]
    assert len(names) == len(set(names))


def test_a_kernel_that_cannot_run_is_listed_with_the_reason(
    kernels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(kernels, "cobol", ["no-such-program", "{connection_file}"], language="cobol")
    (kernels / "torn").mkdir()
    (kernels / "torn" / "kernel.json").write_text("{")
    listed = {known.name: known.missing() for known in languages()}
    assert listed["snake"] is None
    assert "no-such-program, which is not there" in (listed["cobol"] or "")
    assert "torn" not in listed
    monkeypatch.setattr("oi_daemon.execution.languages.jupyter.find_spec", lambda name: None)
    assert 'pip install "oi-daemon[jupyter]"' in (found_missing("snake") or "")


def found_missing(name: str) -> str | None:
    found = find_language(name)
    assert found is not None
    return found.missing()


def test_plain_python_is_that_of_the_kernel_s_environment(
    workplace: Workplace, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is in none, it is the one that runs Python code."""
    own = tmp_path / "env" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path / "env"))
    command = ["python", *IPYTHON[1:]]
    install(tmp_path / "env" / "share" / "jupyter" / "kernels", "installed", command)
    install(kernels, "loose", command)
    paths = {known.name: known.path(workplace) for known in languages()}
    assert paths["installed"] == str(own)
    assert paths["loose"] == paths["python"]


async def test_it_runs_as_a_language(interpreters: Interpreters, workplace: Workplace) -> None:
    """State, place, environment, values, errors, displays, and a block of nothing."""
    assert await snake_output(interpreters, "x = 5\nprint('ä\U0001f600')") == "ä\U0001f600\n"
    assert await snake_output(interpreters, "x") == "5\n"
    assert await snake_output(interpreters, "import os\nos.getcwd()") == f"{workplace.cwd!r}\n"
    assert await snake_output(interpreters, "print(os.environ['OF_KERNEL'])") == "yes\n"
    assert "ZeroDivisionError" in await snake_output(interpreters, "1 / 0")
    assert await snake_output(interpreters, "") == ""
    assert await snake_output(interpreters, "'\ud800'; x") == "5\n"
    shown = await run(
        interpreters, "from IPython.display import HTML\nHTML('<b>')", language="snake"
    )
    assert displays(shown)[0]["text/html"] == "<b>"
    again = "handle = display(1, display_id='a')\nhandle.update(2)"
    ids = [it[DISPLAY_ID] for it in displays(await run(interpreters, again, language="snake"))]
    assert ids == ["a", "a"]
    assert await snake_output(interpreters, "from IPython.display import *\nclear_output(); 1") == (
        "\x1b[H\x1b[2J1\n"
    )
    flood = await snake_output(interpreters, "for i in range(100_000): print('x' * 100)")
    assert "bytes left out ...]\n" in flood


async def snake_output(interpreters: Interpreters, code: str) -> str:
    return await output(interpreters, code, language="snake")


async def test_it_asks_for_input(interpreters: Interpreters) -> None:
    """By its own way, as a password, at its end, and by a child that reads."""
    assert await output(interpreters, "print(input())", language="snake", answers=["né"]) == "né\n"
    code = "from getpass import getpass\nprint(getpass('Key: '))"
    chunks = await run(interpreters, code, language="snake", answers=["k"])
    asked = [(it.prompt, it.password) for it in chunks if isinstance(it, InputRequest)]
    assert asked == [("Key: ", True)]
    assert "EOFError" in await output(interpreters, "input()", language="snake", answers=[None])
    child = "import subprocess\nsubprocess.check_output(['head', '-1'])"
    assert (
        await output(interpreters, child, language="snake", answers=["é"]) == "b'\\xc3\\xa9\\n'\n"
    )


@pytest.mark.parametrize("kernel", ["snake", "polite"])
async def test_an_interrupt_stops_it_and_keeps_state(
    interpreters: Interpreters, kernel: str
) -> None:
    """By a signal, or by a message."""
    await run(interpreters, "x = 5", language=kernel)
    for code in ("while True: pass", "import time\ntime.sleep(60)", "input()"):
        block = Running(interpreters, f"print('begun', flush=True)\n{code}", kernel)
        await block.seen("begun")
        interpreters.interrupt()
        assert "KeyboardInterrupt" in text(await block.end())
        assert await output(interpreters, "x", language=kernel) == "5\n"


async def test_its_end_is_told_and_the_next_block_has_a_fresh_one(
    interpreters: Interpreters,
) -> None:
    for code, how in (
        ("import os\nos._exit(3)", "exit code 3"),
        ("import os\nos.kill(os.getpid(), 9)", "SIGKILL"),
    ):
        await run(interpreters, "x = 5", language="snake")
        said = await snake_output(interpreters, code)
        assert f"The Jupyter kernel snake {'ended' if '3' in how else 'was killed'}" in said
        assert how in said
        assert "Its variables are lost. The next block starts a fresh one." in said
    assert "NameError" in await snake_output(interpreters, "x")


async def test_one_that_does_not_start_says_why(interpreters: Interpreters, kernels: Path) -> None:
    install(kernels, "broken", [sys.executable, "-c", "raise SystemExit('no luck')"])
    said = await output(interpreters, "1", language="broken")
    assert said.startswith("no luck\n[The Jupyter kernel broken ended with exit code 1.")


async def test_other_kernels_run_as_well(interpreters: Interpreters, other: Interpreters) -> None:
    for code, said in (("x=5", ""), ("echo $x", "5\n"), ("echo a >&2; echo $((x + 1))", "a\n6\n")):
        assert await output(interpreters, code, language="jupyter:bash") == said
    assert await output(other, "echo -$x-", language="jupyter:bash") == "--\n"


async def test_closing_ends_it_and_what_it_started(interpreters: Interpreters) -> None:
    code = (
        "import os, subprocess\nprint(os.getpid(), subprocess.Popen(['setsid', 'sleep', '99']).pid)"
    )
    processes = {int(word) for word in (await snake_output(interpreters, code)).split()}
    await interpreters.close()
    await until(lambda: not alive(processes))


@pytest.mark.parametrize("kernel", ["snake", "polite"])
async def test_nothing_of_it_outlives_the_daemon(kernel: str) -> None:
    code = (
        "import subprocess, time\n"
        "subprocess.Popen(['setsid', 'sleep', '99'])\n"
        "print('started', flush=True)\n"
        "time.sleep(99)"
    )
    host = start(kernel, code)
    await until(lambda: len(workers(host.pid)) >= 4)
    left = workers(host.pid)
    host.kill()
    await until(lambda: not alive(left))
    host.communicate()


@pytest.mark.skipif(landlock.version() < landlock.LEAST, reason="this system has no Landlock")
async def test_a_sandbox_holds_it_too(workplace: Workplace) -> None:
    """A kernel is reached over sockets: isolated, there are none, and it does not run."""
    outside = Path(workplace.cwd).parent / "outside"
    write = f"open({str(outside)!r}, 'w')"
    held = Interpreters(
        replace(workplace, sandbox=Sandbox(mode="write-protect", folders=(workplace.cwd,)))
    )
    said = await snake_output(held, write)
    await held.close()
    assert "PermissionError" in said
    assert "The sandbox may have refused this" in said
    held = Interpreters(
        replace(workplace, sandbox=Sandbox(mode="isolated", folders=(workplace.cwd,)))
    )
    assert "sandbox = isolated" in await snake_output(held, write)
    await held.close()
    assert not outside.exists()


@pytest.mark.parametrize("kernel", ["snake", "polite"])
async def test_the_end_of_a_block_tells_the_kernels_error(
    interpreters: Interpreters, kernel: str
) -> None:
    chunks = await run(interpreters, "1 / 0", language=kernel)
    ended = result(chunks)
    assert ended.status == "error"
    assert ended.error is not None
    assert (ended.error.name, ended.error.message) == ("ZeroDivisionError", "division by zero")
    assert "ZeroDivisionError" in ended.error.traceback[-1]
    assert result(await run(interpreters, "x = 1", language=kernel)).status == "ok"


async def test_a_kernel_is_no_process_that_its_code_has_started(interpreters: Interpreters) -> None:
    code = "import subprocess\nchild = subprocess.Popen(['sleep', '61'])"
    await run(interpreters, code, language="snake")
    started = await interpreters.started()
    assert [each.command for each in started["snake"]] == ["sleep 61"]
