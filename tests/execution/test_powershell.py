"""Our side of PowerShell, with a program that says what it would (`tests/fakes/pwsh.py`)."""

import sys
from pathlib import Path

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.languages.registry import find_language
from oi_daemon.messages import BlockError, InputRequest
from tests.execution.runs import Running, lines, lines_of_outputs, output, result, run
from tests.fakes import pwsh


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "pwsh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{pwsh.__file__}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.parametrize("name", ["powershell", "PowerShell", "pwsh", "ps1"])
async def test_it_goes_by_its_names(interpreters: Interpreters, name: str) -> None:
    assert await output(interpreters, "say é", language=name) == "é\n"


async def test_a_statement_is_marked_with_its_line(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "say a\n\nsay b", language="powershell")
    assert lines_of_outputs(chunks) == [(1, "a"), (3, "b")]


async def test_state_is_kept(interpreters: Interpreters) -> None:
    await run(interpreters, "set 5", language="powershell")
    assert await output(interpreters, "get", language="powershell") == "5\n"


async def test_what_throws_ends_the_block(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "throw no\nsay b", language="powershell")
    assert lines_of_outputs(chunks) == [(1, "Stopped: no")]
    assert result(chunks).status == "error"
    assert result(chunks).error == BlockError("RuntimeException", "no")


async def test_input_is_asked_for(interpreters: Interpreters) -> None:
    code = "ask Name?\nsecret Password?"
    chunks = await run(interpreters, code, language="powershell", answers=["né", None])
    asked = [(c.prompt, c.password) for c in chunks if isinstance(c, InputRequest)]
    assert asked == [("Name?", False), ("Password?", True)]
    assert lines_of_outputs(chunks) == [(1, "né"), (2, "")]


async def test_an_interrupt_keeps_state(interpreters: Interpreters) -> None:
    block = Running(interpreters, "set 5\nsay waits\nwait\nsay b", "powershell")
    await block.seen("waits")
    interpreters.interrupt()
    assert lines(await block.end())[-1] == 3
    assert await output(interpreters, "get", language="powershell") == "5\n"


async def test_its_end_is_told(interpreters: Interpreters) -> None:
    told = await output(interpreters, "exit 3", language="powershell")
    assert told.startswith("[PowerShell ended with exit code 3")
    assert await output(interpreters, "say a", language="powershell") == "a\n"


async def test_where_there_is_none_it_is_said(
    interpreters: Interpreters, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "PowerShell is not installed" in await output(interpreters, "say a", language="pwsh")
    language = find_language("powershell")
    assert language is not None
    assert "https://" in (language.missing() or "")
