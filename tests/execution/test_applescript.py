"""Our side of AppleScript, with a plain shell in the place of `osascript`."""

from pathlib import Path

import pytest

from oi_daemon.execution.interpreters import Interpreters
from tests.execution.runs import Running, lines, output, result, run, text


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "osascript"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.usefixtures("stand_in")
async def test_a_block_is_a_script_of_its_own(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "x=é\necho $x\necho b >&2", language="applescript")
    assert text(chunks) == "é\nb\n"
    assert not lines(chunks)
    assert await output(interpreters, "echo ${x-lost}", language="osascript") == "lost\n"


@pytest.mark.usefixtures("stand_in")
async def test_a_script_that_fails_ends_with_its_exit_status(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "exit 1", language="applescript")
    assert (result(chunks).status, result(chunks).exit) == ("error", 1)


@pytest.mark.usefixtures("stand_in")
async def test_an_interrupt_stops_the_script(interpreters: Interpreters) -> None:
    block = Running(interpreters, "echo waits\nsleep 60\necho b", "applescript")
    await block.seen("waits")
    interpreters.interrupt()
    assert text(await block.end()) == "waits\n"
    assert result(block.chunks).status == "interrupted"
    assert await output(interpreters, "echo a", language="applescript") == "a\n"


async def test_elsewhere_it_is_said_that_it_needs_macos(
    interpreters: Interpreters, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = await output(interpreters, "beep", language="applescript")
    assert told == "AppleScript runs on macOS only.\n"
